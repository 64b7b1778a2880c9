"""Which defect of a recording was found: the truth about every single one, and the patches that show it.

A defect is found when a patch that shows it is called defective, of whatever class; which class is another question.
A patch shows it by the rule that labels the patches of a data set (`models.dataset.patches`), each print of a roll mark
by itself; of a defect too small for that, every patch with any of its pixels does. Its size is measured on the mask:
along the turn a line is as long as the part's type says, across it a column as wide as the camera sees it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.dataset.named import NamedScan
from models.dataset.patches import JOINED_PX, cover, shows
from models.dataset.scans import LabelledScan, read_mask
from models.evaluation.figures.both import Both, fit_both
from models.evaluation.figures.pod import CONTRAST, SIZE, Pod, fit_pod
from models.evaluation.figures.rates import Rate, rate
from models.evaluation.measuring.parts import JudgedPart, patch_labels
from station.core.errors import RecordingError
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.section import Section

TRUTH = "truth.jsonl"
USUAL = (0.9, 1.1)
"""Of usual size is a defect whose default size was multiplied with one of these or between; of usual contrast likewise.
One whose truth names no multipliers is taken as it came."""


class DefectTruth(BaseModel):
    """What a line of `truth.jsonl` says of one defect; what it was drawn from beyond that is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    surface: str = Field(alias="class")
    line: int
    column: int
    contrast: float | None = Field(
        default=None, ge=0, description="Mean change of the light, as a share of the metal's."
    )
    severity_size: float = Field(default=1, gt=0, description="What the default size was multiplied with.")
    severity_contrast: float = Field(default=1, gt=0, description="What the default contrast was multiplied with.")


class PartTruth(BaseModel):
    """What a line of `truth.jsonl` says of a part's defects."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    defects: tuple[DefectTruth, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """How long pixels are on the surface.

    Attributes:
        mm_per_px: Width of a column, along the part's axis.
        mm_per_line: Length of a line along the turn, by the name of the part type.
    """

    mm_per_px: float
    mm_per_line: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SoughtDefect:
    """One defect and whether it was found.

    Attributes:
        part_id: The part that it is on.
        surface: Name of its class.
        size_mm: Longer side of the box around it; of what is printed several times, around one print.
        contrast: Mean change of the light over it, as a share of the light on bare metal.
        severity_size: What its class's default size was multiplied with.
        severity_contrast: The same of the contrast.
        found: Whether a patch that shows it was called defective.
    """

    part_id: str
    surface: str
    size_mm: float
    contrast: float
    severity_size: float
    severity_contrast: float
    found: bool

    @property
    def of_usual_size(self) -> bool:
        """Whether its size was not varied, or hardly."""
        return USUAL[0] <= self.severity_size <= USUAL[1]

    @property
    def of_usual_contrast(self) -> bool:
        """Whether its contrast was not varied, or hardly."""
        return USUAL[0] <= self.severity_contrast <= USUAL[1]


class Detection(Section):
    """Detection of one class of defects against size and contrast."""

    defect: str = Field(..., description="The class.")
    usual_multipliers: tuple[float, float] = Field(
        USUAL, description="From and to: what a default size, or contrast, may be multiplied with to count as usual."
    )
    usual_size_mm: float = Field(..., gt=0, description="Median size that the class has at default severity.")
    usual_contrast: float = Field(..., gt=0, description="Median contrast that the class has at default severity.")
    size: Pod = Field(..., description="Against the longer side of the box around it, of defects of usual contrast.")
    contrast: Pod = Field(..., description="Against the mean change of the light over it, of defects of usual size.")
    both: Both = Field(..., description="One model of size and contrast, fitted on all defects of the class.")
    sought: tuple[tuple[float, float, bool], ...] = Field(..., description="Size, contrast and found of every defect.")


def read_defects(folder: Path) -> dict[str, tuple[DefectTruth, ...]]:
    """The defects of every scan of a recording, by the scan's file name; none where the recording has no truth.

    Raises:
        RecordingError: A line cannot be used.
    """
    path = folder / TRUTH
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError("recording.bad_line", f"{path}: {error}") from error
    truths = {}
    for number, line in enumerate(lines, 1):
        try:
            truth = PartTruth.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise RecordingError("recording.bad_line", f"{path}:{number}: {error}") from error
        truths[truth.file] = truth.defects
    return truths


def seek(part: JudgedPart, defects: Sequence[DefectTruth], geometry: Geometry, scale: Scale) -> list[SoughtDefect]:
    """Which of a part's defects were found; of those alone whose size and contrast are known.

    What changes the light by nothing is no defect. A part whose scan was refused gives none: it was neither passed nor
    looked at; nor does one of a type that nobody knows, for its lines have no length, or one without a mask.

    Args:
        part: As it was judged.
        defects: The truth about it.
        geometry: How a turn becomes patches.
        scale: How long pixels are.

    Raises:
        RecordingError: The mask cannot be used, or the truth names a class that the station does not have.
    """
    scan, mm_per_line = part.scan, scale.mm_per_line.get(part.scan.part_type or "")
    if part.outcome is None or not defects or mm_per_line is None or isinstance(scan, NamedScan):
        return []
    mask = read_mask(scan)
    called = part.meaning.called_defective(part.probabilities)
    sought = []
    for number, defect in enumerate(defects):
        own = own_pixels(mask, scan, defects, number)
        shown = showing_patches(own, scan.left, scan.right, geometry)
        if shown.any() and defect.contrast:
            size_mm = longer_side_mm(own, scan, defect, geometry, (mm_per_line, scale.mm_per_px))
            measured = (size_mm, defect.contrast, defect.severity_size, defect.severity_contrast)
            sought.append(SoughtDefect(scan.part_id, defect.surface, *measured, bool(called[shown].any())))
    return sought


def own_pixels(mask: Pixels, scan: LabelledScan, defects: Sequence[DefectTruth], number: int) -> Pixels:
    """The pixels (lines, width) of one defect, 0 or 1: of its class's pixels those that lie nearest to its middle."""
    pixels = np.asarray(mask == _number(defects[number], scan), np.uint8)
    rivals = [one for one, defect in enumerate(defects) if defect.surface == defects[number].surface]
    if len(rivals) == 1:
        return pixels
    lines, columns = np.nonzero(pixels)
    away = np.stack([_distance(lines, columns - scan.left, defects[one], len(mask)) for one in rivals])
    others = away.argmin(axis=0) != rivals.index(number)
    pixels[lines[others], columns[others]] = 0
    return pixels


def showing_patches(pixels: Pixels, left: int, right: int, geometry: Geometry) -> NDArray[np.bool_]:
    """Which patches show a defect of these pixels; none where it has none inside the part's columns."""
    covered = cover(pixels, left, right, geometry)
    shown = shows(covered).any(axis=0)
    return np.asarray(shown if shown.any() else (covered > 0).any(axis=0), np.bool_)


def longer_side_mm(
    pixels: Pixels, scan: LabelledScan, defect: DefectTruth, geometry: Geometry, mm: tuple[float, float]
) -> float:
    """Longer side of the box around a defect, in mm; of what is printed several times, around the print that is named.

    Args:
        pixels: (lines, width), 1 where it lies, at least once; it may lie across the turn's start.
        scan: The part.
        defect: Where its middle is.
        geometry: Pieces as near to each other, in patches of this geometry, as those of one defect are one print.
        mm: Length of a line along the turn, width of a column across it.
    """
    middle = len(pixels) // 2
    turned = np.roll(pixels, middle - defect.line, axis=0)
    per_line = geometry.lines_per_block / geometry.patch_px
    per_column = (scan.right - scan.left) / geometry.strip_shape[1]
    reach = tuple(round(JOINED_PX * factor) + 1 for factor in (per_line, per_column))
    _count, prints = cv2.connectedComponents(cv2.dilate(turned, np.ones(reach, np.uint8)))
    lines, columns = np.nonzero(turned)
    nearest = int(np.hypot(lines - middle, columns - scan.left - defect.column).argmin())
    own = prints[lines, columns] == prints[lines[nearest], columns[nearest]]
    sides = (np.ptp(lines[own]) + 1) * mm[0], (np.ptp(columns[own]) + 1) * mm[1]
    return float(max(sides))


def false_calls(parts: Sequence[JudgedPart]) -> Rate:
    """How often a patch without any pixel of a defect is called defective: so many hits are hits by chance.

    Args:
        parts: At least one.
    """
    meaning = parts[0].meaning
    labels, probabilities = patch_labels(parts)
    free = labels == meaning.passing
    return rate(int(meaning.called_defective(probabilities)[free].sum()), int(free.sum()))


def detect(sought: Iterable[SoughtDefect], names: Sequence[str]) -> tuple[Detection, ...]:
    """Detection of every class that has defects, in the order of these names."""
    found = list(sought)
    classes = [[one for one in found if one.surface == name] for name in names]
    return tuple(_detection(same) for same in classes if same)


def _detection(sought: Sequence[SoughtDefect]) -> Detection:
    name, count = sought[0].surface, len(sought)
    sizes, contrasts = (np.array([getattr(one, measure) for one in sought]) for measure in ("size_mm", "contrast"))
    hits = np.array([one.found for one in sought])
    of_size = np.array([one.of_usual_size for one in sought])
    of_contrast = np.array([one.of_usual_contrast for one in sought])
    usual_size_mm, usual_contrast = _usual(sought)
    return Detection(
        defect=name,
        usual_size_mm=usual_size_mm,
        usual_contrast=usual_contrast,
        size=fit_pod(name, SIZE, sizes[of_contrast], hits[of_contrast], count),
        contrast=fit_pod(name, CONTRAST, contrasts[of_size], hits[of_size], count),
        both=fit_both(sizes, contrasts, hits, usual_contrast),
        sought=tuple((one.size_mm, one.contrast, one.found) for one in sought),
    )


def _usual(sought: Sequence[SoughtDefect]) -> tuple[float, float]:
    """Median size in mm and contrast at default severity, of defects of usual size; of all where none is.

    The others would mislead: what is narrower than a pixel is paler, too.
    """
    asked = [one for one in sought if one.of_usual_size] or sought
    size_mm = np.median([one.size_mm / one.severity_size for one in asked])
    return float(size_mm), float(np.median([one.contrast / one.severity_contrast for one in asked]))


def _number(defect: DefectTruth, scan: LabelledScan) -> int:
    known = {surface.name: number for number, surface in enumerate(scan.marks) if number}
    if defect.surface not in known:
        told = f"{TRUTH}: unknown class {defect.surface}, configured are {', '.join(known)}"
        raise RecordingError("recording.bad_line", told)
    return known[defect.surface]


def _distance(
    lines: NDArray[np.intp], columns: NDArray[np.intp], defect: DefectTruth, turn: int
) -> NDArray[np.float64]:
    """Distance of pixels to a defect's middle, the turn's start and end joined."""
    along = np.abs(lines - defect.line)
    return np.asarray(np.hypot(np.minimum(along, turn - along), columns - defect.column), np.float64)
