"""Judges whole parts whose surface is known, as the station decides: patches, Algorithm 1, least confidence.

KnownScan ─ cut ─▶ patches ─ score ─▶ (patches, classes) ─ Algorithm 1, guard ─▶ JudgedPart ─ measure ─▶ Figures
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.dataset.named import KnownScan, NamedScan, read_image
from models.dataset.patches import cut, label_patches
from models.dataset.scans import read_mask
from models.dataset.store import SLIVER
from models.evaluation.measuring.scorers import Scored, Scorer
from models.manifest import Figures
from models.meaning import Meaning
from station.core.algorithm1 import Outcome, algorithm1
from station.core.errors import ConfigError, PartError
from station.core.geometry import Geometry
from station.core.novelty.conformal import Novelty, NoveltyRule
from station.core.part import Pixels, Probabilities, Roi
from station.core.verdicts import Verdict

Cutter = Callable[[Pixels, KnownScan], Pixels]
"""Patches of a raw scan (lines of a turn, width); raises PartError where the station would refuse the scan."""
Columns = Callable[[Pixels, KnownScan], Roi]
"""The part's columns on a raw scan (lines of a turn, width)."""


NoveltyOf = Callable[[Pixels, KnownScan], NoveltyRule | None]
"""From when on the part on a raw scan (lines of a turn, width) counts as unknown; None where nothing is known of it."""


PassesFrom = Callable[[Pixels, KnownScan], float]
"""The least confidence with which the part on a raw scan (lines of a turn, width) may pass, beside the usual one."""


def any_pass(_image: Pixels, _scan: KnownScan) -> float:
    """A pass takes no more than the usual confidence."""
    return 0.0


def nothing_known(_image: Pixels, _scan: KnownScan) -> None:
    """No part counts as unknown."""


def true_columns(_image: Pixels, scan: KnownScan) -> Roi:
    """The columns that the truth names.

    Raises:
        ConfigError: There is no truth that names any.
    """
    if isinstance(scan, NamedScan):
        told = "no truth names the part's columns; let the station find them (--crop station)"
        raise ConfigError("config.bad_option", f"{scan.image_path}: {told}")
    return Roi(scan.left, scan.right)


@dataclass(frozen=True, slots=True)
class Rule:
    """How parts are judged.

    Attributes:
        meaning: What the network's columns mean.
        geometry: How a turn becomes patches, as the network takes them.
        min_confidence: Below it a part goes to REVIEW.
        cutter: How patches are made of a scan.
        columns: Where the part is on a scan that is to be disturbed.
        novelty_of: From when on a part counts as unknown.
        passes_from: The least confidence of a pass, where what is promised takes more than `min_confidence`.
    """

    meaning: Meaning
    geometry: Geometry
    min_confidence: float
    cutter: Cutter
    columns: Columns = true_columns
    novelty_of: NoveltyOf = nothing_known
    passes_from: PassesFrom = any_pass


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """A part whose class is known, and what the network says of it.

    Attributes:
        scan: The part and where its files are.
        meaning: What the columns of `probabilities` mean.
        labels: (patches,) int8, the patches' own classes as places in `meaning.surfaces`, or `SLIVER`; all are that
            without a mask.
        probabilities: (patches, classes) float32; no rows where the scan was refused.
        outcome: What Algorithm 1 says; None where the scan was refused.
        verdict: What the station decides: REVIEW under the least confidence, and for a refused scan.
        reason: Code of the fault behind REVIEW, otherwise empty.
        novelty: How unlike the training it is; None where the network does not tell, or the scan was refused.
        passes_from: The least confidence with which it may pass, where what is promised takes more than the usual one.
    """

    scan: KnownScan
    meaning: Meaning
    labels: NDArray[np.int8]
    probabilities: Probabilities
    outcome: Outcome | None
    verdict: Verdict
    reason: str
    novelty: Novelty | None = None
    passes_from: float = 0.0

    @property
    def truth(self) -> Verdict:
        """The part's own class."""
        return self.scan.surface

    @property
    def confidence(self) -> float:
        """Of Algorithm 1; 0 where the scan was refused."""
        return self.outcome.confidence if self.outcome else 0.0

    @property
    def unlisted(self) -> bool:
        """Whether the part shows a defect that is none of the configured classes."""
        return self.truth.name not in self.meaning.table.names

    @property
    def right(self) -> bool:
        """Whether the verdict names the part's class; REVIEW does not, but is all that is right of an unlisted part."""
        return self.verdict.is_review if self.unlisted else self.verdict.name == self.truth.name

    @property
    def escaped(self) -> bool:
        """Whether a defective part was passed."""
        return self.truth.is_defect and self.verdict.passes

    @property
    def overkilled(self) -> bool:
        """Whether a good part was called defective; one sent to review was not."""
        return self.truth.passes and self.verdict.is_defect

    @property
    def shows(self) -> NDArray[np.bool_]:
        """Which patches are labelled with a defect; slivers are not."""
        return np.asarray((self.labels != self.meaning.passing) & (self.labels != SLIVER), np.bool_)


def cutter_at_truth(geometry: Geometry) -> Cutter:
    """A cutter of the columns that the truth names; it refuses nothing."""

    def cut_at_truth(image: Pixels, scan: KnownScan) -> Pixels:
        roi = true_columns(image, scan)
        return np.ascontiguousarray(cut(image, roi.left, roi.right, geometry), np.uint8)

    return cut_at_truth


def judge(scorer: Scorer, scan: KnownScan, rule: Rule) -> JudgedPart:
    """Read, cut, score and decide one part.

    Args:
        scorer: Scores the part's patches; its columns are those of `rule.meaning`.
        scan: The part.
        rule: How it is judged.

    Raises:
        RecordingError: The scan or its mask cannot be used.
        ModelError: The network fails.
    """
    return judge_image(scorer, read_image(scan), scan, true_labels(scan, rule), rule)


def true_labels(scan: KnownScan, rule: Rule) -> NDArray[np.int8]:
    """Classes (patches,) of a scan's patches by its mask, as places in `rule.meaning.surfaces`, or `SLIVER`.

    Without a mask nobody knows which patches show the defect: all are `SLIVER`.

    Raises:
        RecordingError: The mask cannot be used.
    """
    if isinstance(scan, NamedScan):
        return np.full(rule.geometry.patches_per_part, SLIVER, np.int8)
    numbers = label_patches(read_mask(scan), scan.left, scan.right, rule.geometry)
    places = rule.meaning.columns_of(scan.marks)
    return np.where(numbers == SLIVER, np.int8(SLIVER), places[numbers])


def judge_image(scorer: Scorer, image: Pixels, scan: KnownScan, labels: NDArray[np.int8], rule: Rule) -> JudgedPart:
    """As `judge`, of an image that stands for the scan, for example a darkened one.

    Raises:
        ModelError: The network fails.
    """
    try:
        patches = rule.cutter(image, scan)
    except PartError as error:
        review = rule.meaning.table.review
        nothing = np.zeros((0, len(rule.meaning.outputs)), np.float32)
        return JudgedPart(scan, rule.meaning, labels, nothing, None, review, error.code)
    scored = scorer.answer(patches)
    novelty = _novelty(scored, rule.novelty_of(image, scan))
    least = rule.passes_from(image, scan)
    return decide_part(scan, labels, scored.probabilities, rule.meaning, rule.min_confidence, novelty, least)


def _novelty(scored: Scored, rule: NoveltyRule | None) -> Novelty | None:
    if rule is None or scored.novelty is None:
        return None
    return rule.judge(scored.novelty.tolist())


def decide_part(
    scan: KnownScan,
    labels: NDArray[np.int8],
    probabilities: Probabilities,
    meaning: Meaning,
    min_confidence: float,
    novelty: Novelty | None = None,
    passes_from: float = 0.0,
) -> JudgedPart:
    """The decision over the probabilities (patches, classes) of a part's patches, and how unlike the training it is."""
    outcome = algorithm1(probabilities, meaning.outputs)
    reason = "part.not_promised" if outcome.verdict.passes and not outcome.is_sure(passes_from) else ""
    if not outcome.is_sure(min_confidence):
        reason = "part.low_confidence"
    if novelty is not None and novelty.unknown:
        reason = "part.unknown"
    verdict = meaning.table.review if reason else outcome.verdict
    return JudgedPart(scan, meaning, labels, probabilities, outcome, verdict, reason, novelty, passes_from)


def measure(judged: Iterable[JudgedPart], source: str) -> Figures:
    """Count what was judged rightly and wrongly.

    Args:
        judged: At least one part that was not refused.
        source: What they are, for the reader.
    """
    parts = list(judged)
    labels, probabilities = patch_labels(parts)
    defective = [part for part in parts if part.truth.is_defect]
    return Figures(
        source=source,
        patches=len(labels),
        wrong_patches=int((parts[0].meaning.called(probabilities) != labels).sum()),
        parts=len(parts),
        defective_parts=len(defective),
        escapes=sum(part.escaped for part in defective),
        overkills=sum(part.overkilled for part in parts),
        wrong_class=sum(not part.right and part.verdict.is_defect for part in defective),
        reviews=sum(part.verdict.is_review for part in parts),
    )


def patch_labels(parts: Sequence[JudgedPart]) -> tuple[NDArray[np.int8], Probabilities]:
    """Classes (n,) and probabilities (n, surfaces) of all patches that were judged; slivers of a defect are left out.

    What the network does not answer has a column, too, of probability 0.

    Args:
        parts: At least one; all by the same network.
    """
    meaning = parts[0].meaning
    judged = [part for part in parts if len(part.probabilities)]
    labels = np.concatenate([np.zeros(0, np.int8), *(part.labels for part in judged)])
    none = np.zeros((0, len(meaning.outputs)), np.float32)
    found = meaning.widened(np.concatenate([none, *(part.probabilities for part in judged)]))
    return labels[labels != SLIVER], found[labels != SLIVER]
