"""Judgements and files from a table: what was computed of a scan once is what it gives again; now and then it is tried.

The table is filled by the station's own judge, and its own writer of files, in this process: whatever is broken in
those is in the table, too.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from station.cell.judging import EVERY_PROOF, SurfaceJudge
from station.cell.locating import find_defects
from station.core.light import AS_SEEN
from station.core.part import Block, LineAccount, Pixels, Scores
from station.records.archive import ScanImage, encode_scan

TRIED_ONE_IN = 100
FILES_KEPT = 96
"""At the most: some 40 MB. Scans that nothing befell are far fewer, and come again and again."""
WHOLE = LineAccount(0, 0, 0, (), 0, None, "")


@dataclass(frozen=True)
class Step:
    """What a judge comes to with one more block."""

    scores: Scores | Exception
    roi: Any
    light: Any
    beside: Any
    doubt: Any


@dataclass
class Table:
    """What was judged, by the hashes of the blocks so far.

    Attributes:
        steps: By part type and hashes.
        asked, computed, tried: How many scans were begun, computed as new ones, and computed to be compared.
        otherwise: Where the table and the judge did not agree.
        found: Defects, by what they were found on.
        files: What scans are in a file, by their hashes; those that were asked for last are at the end.
    """

    chance: Random
    steps: dict[bytes, Step] = field(default_factory=dict)
    hashes: dict[tuple[int, int, int], tuple[Pixels, bytes]] = field(default_factory=dict)
    asked: int = 0
    computed: int = 0
    tried: int = 0
    otherwise: list[str] = field(default_factory=list)
    found: dict[bytes, Any] = field(default_factory=dict)
    files: dict[bytes, bytes] = field(default_factory=dict)

    def hash_of(self, pixels: Pixels) -> bytes:
        """Hash of a block's lines; of one that cannot change and was met before, as it was then."""
        base = pixels.base if isinstance(pixels.base, np.ndarray) else None
        if base is None or base.flags.writeable:
            return _hash(pixels)
        key = id(base), pixels.__array_interface__["data"][0], len(pixels)
        if key not in self.hashes:
            self.hashes[key] = base, _hash(pixels)
        return self.hashes[key][1]


def _hash(pixels: Pixels) -> bytes:
    return _hashed(np.ascontiguousarray(pixels))


def _hashed(content: Any) -> bytes:
    return hashlib.sha256(content).digest()


def judge_from(table: Table, made: Callable[..., SurfaceJudge] = SurfaceJudge) -> Callable[..., "RecalledJudge"]:
    """What stands in the place of `SurfaceJudge`."""

    def make(*of: Any) -> RecalledJudge:
        return RecalledJudge(table, lambda: made(*of), of)

    return make


def finder_from(table: Table) -> Callable[..., Any]:
    """What stands in the place of `find_defects`: the defects that were found on the same lines before."""

    def find(decision: Any, blocks: Any, roi: Any, recipe: Any, mm_per_px: float | None) -> Any:
        key = _hashed(
            b"".join(table.hash_of(block.pixels) for block in blocks)
            + decision.probabilities.tobytes()
            + repr((roi, recipe.part_type, mm_per_px)).encode()
        )
        known = table.found.get(key)
        if known is None or table.chance.randrange(TRIED_ONE_IN) == 0:
            computed = find_defects(decision, blocks, roi, recipe, mm_per_px)
            if known is not None and known != computed:
                table.otherwise.append(f"defects: {known} in the table, {computed} now")
            known = table.found.setdefault(key, computed)
        return known

    return find


def encoder_from(table: Table) -> Callable[[ScanImage], bytes]:
    """What stands in the place of `encode_scan`: the file that the same scan was before."""

    def encode(image: ScanImage) -> bytes:
        key = _hash(image.pixels) + repr(image.pixels.shape).encode()
        content = table.files.pop(key, None)
        if content is None or table.chance.randrange(TRIED_ONE_IN) == 0:
            encoded = encode_scan(image)
            if content is not None and content != encoded:
                table.otherwise.append(f"the file of {image.file} has {len(content)} bytes in the table, not the same")
            content = encoded if content is None else content
        table.files[key] = content
        if len(table.files) > FILES_KEPT:
            del table.files[next(iter(table.files))]
        return content

    return encode


class RecalledJudge:
    """Judges the blocks of one part as a `SurfaceJudge` does.

    Args:
        table: What was judged before.
        make: Makes the judge itself.
        of: What that is made with.
    """

    def __init__(self, table: Table, make: Callable[[], SurfaceJudge], of: tuple[Any, ...]) -> None:
        self._table = table
        self._make = make
        part_type, _crop, self._classifier, turn, lighting, *_ = (*of, EVERY_PROOF, AS_SEEN)[:5]
        self._key = _hashed(repr((part_type, self._classifier.model, turn, lighting)).encode())
        self._blocks: list[Block] = []
        self._judge: SurfaceJudge | None = None
        table.asked += 1
        self._tries = table.chance.randrange(TRIED_ONE_IN) == 0
        self._step = Step(Scores(0, np.zeros((0, 1), np.float32)), None, None, None, None)

    @property
    def roi(self) -> Any:
        return self._step.roi

    @property
    def light(self) -> Any:
        return self._step.light

    def look_beside(self) -> Any:
        """As `SurfaceJudge.look_beside`."""
        return self._step.beside

    def take(self, block: Block) -> Scores:
        """As `SurfaceJudge.take`."""
        self._classifier.require_well()
        self._key = _hashed(self._key + bytes((block.index,)) + self._table.hash_of(block.pixels))
        known = self._table.steps.get(self._key)
        self._blocks.append(block)
        if known is None or self._tries:
            computed = self._compute()
            if known is None:
                known = self._table.steps[self._key] = computed
            elif not _alike(known, computed):
                self._table.otherwise.append(f"block {block.index}: {known} in the table, {computed} now")
        self._step = known
        if self._classifier.nonsense and not isinstance(known.scores, Exception):
            self._classifier.nonsense = False
            return replace(known.scores, probabilities=np.full_like(known.scores.probabilities, np.nan))
        if isinstance(known.scores, Exception):
            raise known.scores
        return known.scores

    def witnessed(self, account: LineAccount) -> LineAccount:
        """As `SurfaceJudge.witnessed`."""
        doubt = self._step.doubt
        if doubt is None or not account.valid:
            return account
        return replace(account, fault=doubt.fault, detail=doubt.detail)

    def _compute(self) -> Step:
        """What the judge itself comes to; one that begins in the middle takes the blocks before it first."""
        if self._judge is None:
            self._judge = self._make()
            self._table.tried += self._tries
            self._table.computed += not self._tries
            for block in self._blocks[:-1]:
                _taken(self._judge, block)
        scores = _taken(self._judge, self._blocks[-1])
        judge = self._judge
        witnessed = judge.witnessed(WHOLE)
        doubt = None if witnessed.valid else witnessed
        return Step(scores, judge.roi, judge.light, judge.look_beside(), doubt)


def _taken(judge: SurfaceJudge, block: Block) -> Scores | Exception:
    try:
        scores = judge.take(block)
    except Exception as error:  # noqa: BLE001  # it is in the table as it was raised
        return error
    return replace(scores, probabilities=scores.probabilities.copy())


def _alike(one: Step, other: Step) -> bool:
    if isinstance(one.scores, Exception) or isinstance(other.scores, Exception):
        return str(one.scores) == str(other.scores)
    return (
        np.array_equal(one.scores.probabilities, other.scores.probabilities)
        and (one.roi, one.light) == (other.roi, other.light)
        and (one.doubt is None) == (other.doubt is None)
    )
