"""Scans on disk whose parts' classes somebody knows, with masks or without.

    recording.jsonl, truth.jsonl, masks ─ `scans.read_scans` ─▶ LabelledScan   what the part is, and where that shows
    recording.jsonl, or what people say ─ here ──────────────▶ NamedScan      what the part is, and no more

A label that is no configured class, such as `other_defect`, is a defect that the station has no name for: such a part
must not pass. What has no label, what people differ on and what nobody could judge is left out, each by name.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from models.dataset.scans import TRUTH_NAME, LabelledScan, listing, read_scans
from models.dataset.split import same_values
from models.dataset.store import file_sha256
from station.core.errors import RecordingError
from station.core.part import Pixels
from station.core.recording import INDEX_NAME, SCAN_SUFFIXES, RecordedScan, read_recording, read_scan
from station.core.section import Section
from station.core.verdicts import CANNOT_BE_JUDGED, OTHER_DEFECT, REVIEW, WITHDRAWN, Classes, Verdict

NO_CLASS = frozenset({OTHER_DEFECT, "unknown"})
"""Labels of defects that are none of the configured classes."""
NO_ANSWERS = frozenset({CANNOT_BE_JUDGED, REVIEW, WITHDRAWN})
"""Labels that say nothing of what a part is."""
MASKED = "recording of whole parts"
NAMED = "recording of whole parts, their classes alone"

People = Callable[[AbstractSet[str]], Mapping[str, tuple[str, ...]]]
"""Every class that somebody says parts are of, by the SHA-256 of their scans; one that nobody speaks of is not there.

Raises LabelError or RecordError where that cannot be read.
"""


@dataclass(frozen=True, slots=True)
class NamedScan:
    """A scan on disk; what its part is, and nothing of where that shows.

    Attributes:
        part_id: Name of the part.
        surface: Class of the whole part; see `unlisted_defect` where it is none of the configured ones.
        image_path: The scan.
        lines: Of one turn.
        part_type: The recorded type, or None.
        closed: Whether it is a whole turn, whose end meets its beginning.
        composed: Whether it was put together from pictures, so that its lines are not those of one surface.
    """

    part_id: str
    surface: Verdict
    image_path: Path
    lines: int
    part_type: str | None = None
    closed: bool = True
    composed: bool = False


KnownScan = LabelledScan | NamedScan


class LeftOut(Section):
    """A part that is not counted."""

    part_id: str = Field(..., description="The part.")
    why: Literal["no_label", "contradiction", "cannot_be_judged", "same_scan"] = Field(
        ..., description="Why, in short."
    )
    detail: str = Field(..., description="Why, in words.")

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.part_id}: {self.detail}"


@dataclass(frozen=True, slots=True)
class KnownParts:
    """The parts of a recording whose classes are known.

    Attributes:
        scans: At least one; all with masks, or none.
        sha256: Of the truth about them: of `truth.jsonl`, or of every scan with its class.
        kind: What is known of them, for people.
        left_out: The others.
    """

    scans: tuple[KnownScan, ...]
    sha256: str
    kind: str
    left_out: tuple[LeftOut, ...] = ()

    @property
    def masked(self) -> bool:
        """Whether it is known where the defects lie."""
        return all(isinstance(scan, LabelledScan) for scan in self.scans)


def unlisted_defect(label: str, table: Classes) -> Verdict:
    """What a part of a class that the configuration does not have is called: a defect, and none of the table's."""
    return replace(table.review, name=label, label=label.replace("_", " "))


def read_known(folder: Path, table: Classes, lines: int, people: People | None = None) -> KnownParts:
    """The parts of a recording whose classes are known, in its order; images are not looked into.

    Args:
        folder: A recording with `recording.jsonl`; where people are asked, any folder of scans.
        table: The configured classes.
        lines: Of one turn.
        people: What people say, beside the recording's own labels; masks are then left aside. None to ask nobody.

    Raises:
        RecordingError: A file is missing, a line cannot be used, or there is no part whose class is known.
        LabelError: What people say cannot be read.
    """
    if people is None and (folder / TRUTH_NAME).exists():
        masked = read_scans(folder, table, lines)
        return KnownParts(tuple(masked), file_sha256(folder / TRUTH_NAME), MASKED)
    listed = _scans_below(folder) if people and not (folder / INDEX_NAME).exists() else _recorded(folder)
    hashes = {scan.file: file_sha256(scan.file) for scan in listed}
    classes, left_out = _classes(listed, hashes, people(frozenset(hashes.values())) if people else {})
    _refuse_unmeasurable(folder, classes, left_out, table)
    scans = [_named(scan, classes[scan.part_id], table, lines) for scan in listed if scan.part_id in classes]
    truth = json.dumps([(one.part_id, hashes[one.image_path], one.surface.name) for one in scans])
    kind = f"{NAMED}, as people say" if people else NAMED
    return KnownParts(tuple(scans), hashlib.sha256(truth.encode()).hexdigest(), kind, tuple(left_out))


def require_all(known: KnownParts, folder: Path) -> KnownParts:
    """The same parts, where none was left out.

    Raises:
        RecordingError: One was, and every one of these parts has to count.
    """
    if known.left_out:
        told = listing([str(one) for one in known.left_out])
        raise RecordingError("recording.no_labels", f"{folder}: every part must have a class here; {told}")
    return known


def read_image(scan: KnownScan) -> Pixels:
    """A scan's image, (lines, width) uint8.

    Raises:
        RecordingError: The station would not take it as a scan.
    """
    try:
        return read_scan(scan.image_path, {scan.lines})
    except RecordingError as error:
        raise RecordingError(error.code, f"{scan.image_path.parent}/{error.detail}") from error


# ---------------------------------------------------------------------- the scans


def _recorded(folder: Path) -> Sequence[RecordedScan]:
    if not (folder / INDEX_NAME).exists():
        raise RecordingError("recording.not_found", f"{folder}: there is no {INDEX_NAME} in it")
    recording = read_recording(folder, None)
    if recording.problems:
        told = listing([problem.detail for problem in recording.problems])
        raise RecordingError(recording.problems[0].code, f"{folder}: {told}")
    return recording.scans


def _scans_below(folder: Path) -> Sequence[RecordedScan]:
    """The scans of a folder and of those in it, as in a station's archive, each called after its way."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SCAN_SUFFIXES and path.is_file()]
    if not files:
        raise RecordingError("recording.not_found", f"{folder}: no scan ({', '.join(sorted(SCAN_SUFFIXES))}) below it")
    return [RecordedScan(file, file.relative_to(folder).with_suffix("").as_posix(), None, None) for file in files]


def _named(scan: RecordedScan, label: str, table: Classes, lines: int) -> NamedScan:
    surface = table.named(label) if label in table.names else unlisted_defect(label, table)
    return NamedScan(scan.part_id, surface, scan.file, lines, scan.part_type, scan.closed, scan.composed)


# ---------------------------------------------------------------------- what they are


def _classes(
    listed: Sequence[RecordedScan], hashes: Mapping[Path, str], said: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], list[LeftOut]]:
    """The classes of the parts that are known, by their ids, and the others."""
    answers = {scan.part_id: _class_of(scan, said.get(hashes[scan.file], ())) for scan in listed}
    classes = {part_id: answer for part_id, answer in answers.items() if isinstance(answer, str)}
    left_out = [answer for answer in answers.values() if isinstance(answer, LeftOut)]
    for one in list(_alike([scan for scan in listed if scan.part_id in classes], hashes, classes)):
        del classes[one.part_id]
        left_out.append(one)
    return classes, left_out


def _class_of(scan: RecordedScan, said: tuple[str, ...]) -> str | LeftOut:
    names = {*said, *([scan.label] if scan.label else [])}
    if not names:
        return LeftOut(part_id=scan.part_id, why="no_label", detail="nobody has said what it is")
    if len(names) > 1:
        own = f"{INDEX_NAME} says {scan.label}, " if scan.label else ""
        return LeftOut(part_id=scan.part_id, why="contradiction", detail=f"{own}people say {' and '.join(said)}")
    if names <= NO_ANSWERS:
        return LeftOut(part_id=scan.part_id, why="cannot_be_judged", detail=f"it is labelled {names.pop()}")
    return names.pop()


def _alike(scans: Sequence[RecordedScan], hashes: Mapping[Path, str], classes: Mapping[str, str]) -> Iterator[LeftOut]:
    """Scans whose content another one has: with two classes all of them, with one all but the first."""
    for indices in same_values(hashes[scan.file] for scan in scans):
        first, *others = (scans[index].part_id for index in indices)
        if len({classes[part_id] for part_id in (first, *others)}) == 1:
            told = f"it is the scan of {first}, which is counted"
            yield from (LeftOut(part_id=part_id, why="same_scan", detail=told) for part_id in others)
            continue
        said = " and ".join(f"{part_id} {classes[part_id]}" for part_id in (first, *others))
        told = f"one scan bears two labels: {said}"
        yield from (LeftOut(part_id=part_id, why="contradiction", detail=told) for part_id in (first, *others))


def _refuse_unmeasurable(folder: Path, classes: Mapping[str, str], left_out: Iterable[LeftOut], table: Classes) -> None:
    if not classes:
        told = listing([str(one) for one in left_out])
        raise RecordingError("recording.no_labels", f"{folder}: {told}")
    names = set(classes.values())
    if (strange := sorted(names - {*table.names, *NO_CLASS})) and names.isdisjoint(table.names):
        told = f"the labels are {', '.join(strange)}; [[classes]] has {', '.join(table.names)}"
        raise RecordingError("recording.no_labels", f"{folder}: {told}")
