"""What a network decides otherwise than the records say, or than another network."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from models.errors import ArchiveError
from station.offline.archive.judging import UNJUDGED, Row
from station.offline.archive.results import key_of, models_in, of_errors, of_model, read_rows

RECORDED = ("recorded_verdict", "recorded_reason", "recorded_confidence", "recorded_passes")
JUDGED = ("verdict", "reason", "confidence", "passes")
NAMED = ("scan_sha256", "file", "date", "cell", "inspection_id", "part_id", "error", "message")


class Answer(NamedTuple):
    """What was decided of a scan.

    Attributes:
        told: The reason of a review where it has one, else the verdict, by name.
        confidence: 0 to 1; None where nothing was scored.
        passes: Whether the part is good.
        verdict: By name, also where `told` is a reason.
    """

    told: str
    confidence: float | None
    passes: bool
    verdict: str

    def is_as(self, other: "Answer") -> bool:
        """Whether two decided alike; of a review whose reason nobody knows any will do."""
        return other.told in {self.told, self.verdict}


@dataclass(frozen=True, slots=True)
class Difference:
    """A scan of which two decide otherwise.

    Attributes:
        date, cell, file: Where the scan is from, and where it lay.
        inspection_id, part_id: As they are recorded; None without a record.
        before, after: The two answers: the reason of a review where it has one, else the verdict.
        before_confidence, after_confidence: 0 to 1; None where nothing was scored.
        passing: Whether the part passes now and did not, passes no more, or does both times what it did.
    """

    date: str
    cell: str
    file: str
    inspection_id: str | None
    part_id: str | None
    before: str
    after: str
    before_confidence: float | None
    after_confidence: float | None
    passing: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a network decides otherwise.

    Attributes:
        model: It.
        against: The other network, or `records`.
        compared: Scans of which both have decided.
        alone: Scans of which only this network has.
        not_judged: Scans that this network could not judge, each once, whatever was tried.
        differences: In the order of the files.
    """

    model: str
    against: str
    compared: int
    alone: int
    not_judged: int
    differences: tuple[Difference, ...]

    def counts(self) -> Counter[tuple[str, str, str]]:
        """How often each answer became which other one, and what that means for the part."""
        return Counter((one.before, one.after, one.passing) for one in self.differences)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)


def compare(folder: Path, model: str | None, against: str | None) -> Comparison:
    """What a network decides otherwise than the records, or than another network.

    Args:
        folder: Of the results.
        model: The network: its name, its hash, or how either begins; None where there is but one.
        against: The other network, likewise; None for what the records say.

    Raises:
        ArchiveError: There are no rows of it, or of more than one that is named so; or they cannot be read.
    """
    there = models_in(folder)
    its = _named(there, model, folder)
    other = None if against is None else _named(there, against, folder)
    before = {} if other is None else {_key(row): _answer(row, JUDGED) for row in _rows(folder, other, JUDGED)}
    compared, alone, failed, found = 0, 0, _failed(folder, its), list[Difference]()
    for row in _rows(folder, its, (*JUDGED, *RECORDED)):
        after = _answer(row, JUDGED)
        was = _answer(row, RECORDED) if other is None else before.get(_key(row))
        if after is None:
            continue
        failed.discard((row["file"], None))
        if was is None:
            alone += 1
        else:
            compared += 1
            found += [] if after.is_as(was) else [_difference(row, was, after)]
    ordered = sorted(found, key=lambda one: (one.date, one.cell, one.file))
    return Comparison(its, other or "records", compared, alone, len(failed), tuple(ordered))


def _rows(folder: Path, model: str, columns: Iterable[str]) -> Iterator[Row]:
    return read_rows(folder, [*NAMED, *columns], of_model(model))


def _failed(folder: Path, model: str) -> set[tuple[str, str | None]]:
    """What a network could not judge: a scan that is tried again once, whatever was wrong each time."""
    rows = read_rows(folder, ["file", "error", "message"], of_errors(model))
    return {(row["file"], None if row["error"] in UNJUDGED else row["message"]) for row in rows}


def _key(row: Row) -> bytes | str:
    return key_of(row["scan_sha256"], row["file"], row["message"])


def _answer(row: Row, columns: tuple[str, str, str, str]) -> Answer | None:
    """None where there is no decision."""
    verdict, reason, confidence, passes = (row[name] for name in columns)
    told = reason or verdict
    return None if told is None else Answer(told, confidence, bool(passes), verdict or told)


def _difference(row: Row, was: Answer, after: Answer) -> Difference:
    passing = "as before" if was.passes == after.passes else "passes now" if after.passes else "passes no more"
    return Difference(
        date=row["date"], cell=row["cell"], file=row["file"], inspection_id=row["inspection_id"],
        part_id=row["part_id"], before=was.told, after=after.told, before_confidence=was.confidence,
        after_confidence=after.confidence, passing=passing,
    )  # fmt: skip


def _named(there: tuple[str, ...], wanted: str | None, folder: Path) -> str:
    """The one network that is meant: a folder's name is the network's name, a hyphen and how its hash begins."""
    found = [one for one in there if wanted is None or _is_meant(one, wanted)]
    if len(found) != 1:
        known = ", ".join(there) or "none"
        raise ArchiveError("archive.unknown_model", f"{wanted or folder}: {folder} has rows of: {known}")
    return found[0]


def _is_meant(model: str, wanted: str) -> bool:
    name, _hyphen, digits = model.rpartition("-")
    return wanted in {model, name} or wanted.startswith(digits) or digits.startswith(wanted)
