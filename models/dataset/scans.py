"""Scans on disk whose surface is known: a recording's folder with the truth beside it.

The folder holds `recording.jsonl` (see `station.core.recording`; every scan has its label), the scans, and the truth
about them: `truth.jsonl` (file, mask, left, right) and the masks it names, whose values are the numbers of the defects'
classes: in the order of the configured table, counted from 1, what passes left out. Label and mask say the same: a good
part's mask is empty, a defective one's shows its class. A part of none of the classes is labelled `unknown`, and
its mask shows 255.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from station.core.errors import RecordingError
from station.core.part import Pixels
from station.core.recording import INDEX_NAME, RecordedScan, inside, read_recording, read_scan
from station.core.verdicts import UNKNOWN, UNKNOWN_MARK, Classes, Verdict

TRUTH_NAME = "truth.jsonl"
NAMED = 8
"""So many problems are told of, one by one."""


class ScanTruth(BaseModel):
    """What training needs of a line of `truth.jsonl`; how the surface was made is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    mask: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class LabelledScan:
    """A scan on disk, whose surface is known.

    Attributes:
        part_id: Name of the part.
        surface: Class of the whole part; `Classes.unlisted` where it is of none.
        image_path: The scan.
        mask_path: An image of its size; 0, or the number of the defect's class.
        left: First column of the part.
        right: Column after the part's last.
        marks: What a number in the mask means; 0 is what passes.
        lines: Of one turn.
        part_type: The recorded type, or None.
        closed: Whether it is a whole turn, whose end meets its beginning.
        composed: Whether it was put together from pictures, so that its lines are not those of one surface.
    """

    part_id: str
    surface: Verdict
    image_path: Path
    mask_path: Path
    left: int
    right: int
    marks: tuple[Verdict, ...]
    lines: int
    part_type: str | None = None
    closed: bool = True
    composed: bool = False

    @property
    def name(self) -> str:
        """Where it was, for the manifest: its folder's name and its own."""
        return f"{self.image_path.parent.name}/{self.image_path.name}"

    @property
    def numbers(self) -> frozenset[int]:
        """The number of the part's class."""
        return frozenset({self.number})

    @property
    def said_sha256(self) -> None:
        """Nobody was asked: the truth is known."""

    @property
    def number(self) -> int:
        """The number of the part's class in masks; 0 of a good part, 255 of one of none of the classes."""
        return UNKNOWN_MARK if self.surface.name == UNKNOWN else self.marks.index(self.surface)


def marks_of(table: Classes) -> tuple[Verdict, ...]:
    """What the numbers of masks mean: 0 is what passes, the defects follow in the table's order."""
    return table.passing, *(surface for surface in table.surfaces if not surface.passes)


def read_scans(folder: Path, table: Classes, lines: int) -> list[LabelledScan]:
    """The scans of a recording with the truth about them, in the recording's order; images are not looked into.

    Args:
        folder: A recording with `recording.jsonl`.
        table: The configured classes, which labels and masks name.
        lines: Of one turn.

    Raises:
        RecordingError: A file is missing, a line cannot be used, or a scan has no label or no truth.
    """
    if not (folder / INDEX_NAME).exists():
        raise RecordingError("recording.not_found", f"{folder}: there is no {INDEX_NAME} in it")
    recording = read_recording(folder, None, table.names)
    if recording.problems:
        code = recording.problems[0].code
        raise RecordingError(code, f"{folder}: {listing([problem.detail for problem in recording.problems])}")
    truths = _truths(folder)
    return [_labelled(folder, scan, truths.get(scan.file), table, lines) for scan in recording.scans]


def _labelled(folder: Path, scan: RecordedScan, truth: ScanTruth | None, table: Classes, lines: int) -> LabelledScan:
    if scan.label is None or truth is None:
        lacking = "has no label" if scan.label is None else f"has no line in {TRUTH_NAME}"
        raise RecordingError(
            "recording.bad_line", f"{scan.file}: {lacking}; without its truth nothing is learned of it"
        )
    mask = inside(folder, truth.mask, f"{folder / TRUTH_NAME}: ")
    surface = table.unlisted if scan.label == UNKNOWN else table.named(scan.label)
    return LabelledScan(
        scan.part_id, surface, scan.file, mask, truth.left, truth.right, marks_of(table), lines,
        scan.part_type, scan.closed, scan.composed,
    )  # fmt: skip


def _truths(folder: Path) -> dict[Path, ScanTruth]:
    truths: dict[Path, ScanTruth] = {}
    for truth in _read_truth(folder / TRUTH_NAME):
        if truths.setdefault(folder / truth.file, truth) is not truth:
            raise RecordingError("recording.bad_line", f"{folder / TRUTH_NAME}: {truth.file} comes twice")
    return truths


def hash_recording(folder: Path) -> str:
    """SHA-256 over the list, the truth, the scans and the masks of a recording, by name."""
    digest = hashlib.sha256()
    for scan_file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{scan_file.relative_to(folder)}\0".encode())
        digest.update(hashlib.sha256(scan_file.read_bytes()).digest())
    return digest.hexdigest()


def read_image(scan: LabelledScan) -> Pixels:
    """A scan's image, (lines, width) uint8.

    Raises:
        RecordingError: The station would not take it as a scan.
    """
    return _read(scan.image_path, scan.lines)


def read_mask(scan: LabelledScan) -> Pixels:
    """A scan's mask, (lines, width) uint8: 0, or the number of the defect's class.

    Raises:
        RecordingError: It cannot be read, or says something else than the part's label.
    """
    mask = _read(scan.mask_path, scan.lines)
    if told := _contradiction(scan, mask):
        raise RecordingError("recording.bad_image", f"{scan.mask_path}: {told}")
    return mask


def listing(problems: Sequence[str]) -> str:
    """Problems in one line: the first of many, and how many there are."""
    more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
    return "; ".join(problems[:NAMED]) + more


def _read(path: Path, lines: int) -> Pixels:
    try:
        return read_scan(path, {lines})
    except RecordingError as error:
        raise RecordingError(error.code, f"{path.parent}/{error.detail}") from error


def _contradiction(scan: LabelledScan, mask: Pixels) -> str | None:
    """How a mask and its part's label, or columns, do not go together; None where they do."""
    if not 0 <= scan.left < scan.right <= mask.shape[1]:
        return f"it is {mask.shape[1]} columns wide, and the part's are {scan.left} to {scan.right}"
    counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()
    unlisted = {UNKNOWN_MARK: scan.surface} if scan.surface.name == UNKNOWN else {}
    defects = dict(enumerate(scan.marks[1:], 1)) | unlisted
    if strange := [value for value in np.flatnonzero(counts).tolist() if value and value not in defects]:
        numbers = ", ".join(f"{number} {surface.name}" for number, surface in defects.items())
        return f"it holds the values {', '.join(map(str, strange[:NAMED]))}; allowed are 0 and {numbers}"
    name = scan.surface.name
    if scan.surface.passes:
        marked = [surface.name for number, surface in defects.items() if counts[number]]
        return f"it marks {', '.join(marked)}, and part {scan.part_id} is labelled {name}" if marked else None
    if not (mask[:, scan.left : scan.right] == scan.number).any():
        return f"it marks no {name} within the part's columns, and part {scan.part_id} is labelled so"
    return None


def _read_truth(path: Path) -> Iterator[ScanTruth]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError("recording.not_found", f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            yield ScanTruth.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise RecordingError("recording.bad_line", f"{path}:{number}: {error}") from error
