"""Scans on disk whose surface is known: a recording's folder with the truth beside it.

The folder holds `recording.jsonl` (file, part_id, part_type, label), the scans, and the truth about them:
`truth.jsonl` (file, mask, left, right) and the masks it names, whose values are the numbers of the defects' classes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from station.core.errors import RecordingError
from station.core.part import LINES_PER_TURN, Pixels, SurfaceClass


class ScanEntry(BaseModel):
    """A line of `recording.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    part_id: str
    part_type: str
    label: str


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
        surface: Class of the whole part.
        image_path: The scan.
        mask_path: An image of its size; 0, or the number of the defect's class.
        left: First column of the part.
        right: Column after the part's last.
    """

    part_id: str
    surface: SurfaceClass
    image_path: Path
    mask_path: Path
    left: int
    right: int


def read_scans(folder: Path) -> list[LabelledScan]:
    """The scans of a recording with the truth about them, in the recording's order.

    Raises:
        RecordingError: A file is missing, a line cannot be used, or a scan has no truth.
    """
    truths = {truth.file: truth for truth in _read_lines(folder / "truth.jsonl", ScanTruth)}
    scans = []
    for entry in _read_lines(folder / "recording.jsonl", ScanEntry):
        truth = truths.get(entry.file)
        if truth is None or entry.label.upper() not in SurfaceClass.__members__:
            raise RecordingError("recording.bad_line", f"{entry.file}: no truth, or unknown label {entry.label}")
        surface = SurfaceClass[entry.label.upper()]
        image_path, mask_path = folder / entry.file, folder / truth.mask
        scans.append(LabelledScan(entry.part_id, surface, image_path, mask_path, truth.left, truth.right))
    return scans


def read_gray(path: Path) -> Pixels:
    """An 8-bit grey image of 3584 lines.

    Raises:
        RecordingError: It cannot be read, or is of another kind or height.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise RecordingError("recording.bad_image", f"{path}: cannot be read")
    if image.dtype != np.uint8 or image.ndim != 2 or image.shape[0] != LINES_PER_TURN:
        raise RecordingError(
            "recording.bad_image", f"{path}: {image.dtype} {image.shape}, not 3584 lines of 8-bit grey"
        )
    return np.asarray(image, np.uint8)


Line = TypeVar("Line", bound=BaseModel)


def _read_lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError("recording.not_found", f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            yield kind.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise RecordingError("recording.bad_line", f"{path}:{number}: {error}") from error
