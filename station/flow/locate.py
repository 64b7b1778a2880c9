"""Step 6 b, locate: where on the part each defective patch shows its defect, and how large it is. Pure functions.

In a patch a defect is what stands out of the patch's own columns: the grey values less the median of their column,
smoothed at three widths; the width at which something stands out furthest, in terms of what is usual there, is taken.
The place is the peak, the size that of the connected region of more than half of it. Only what people read depends on
it: it comes after the decision.

On 74 patches of rendered housings the peak lay on the defect, or within 8 pixels of it, 65 times: every imprint, pit
and scratch, and 17 of 26 roll marks, which are wide and faint. The network itself can be asked where its evidence lies
(`models.evidence`), which takes as long as eight parts a patch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.algorithm1 import surfaces_of
from station.core.geometry import Geometry
from station.core.judgement import Defect
from station.core.part import Decision, PartType, Pixels, Roi
from station.core.verdicts import Outputs, Verdict

SHRUNK = 2
"""Patches are looked at in half their size, which takes a quarter of the time."""
WIDTHS_PX = (0.75, 2.0, 5.0)
"""Of the smoothing, in the shrunk patch."""
REGION = 0.5
"""Share of the peak above which a pixel belongs to the mark."""


FINEST = 1e-3
"""Of a response in grey values: less is nothing."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A defective patch."""

    patch: int
    surface: Verdict
    confidence: float


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands out of a patch, in its own pixels.

    Attributes:
        row: Of the peak.
        column: Of the peak.
        height: Rows that the mark reaches over.
        width: Columns that it reaches over.
    """

    row: float
    column: float
    height: float
    width: float


def defective_strips(decision: Decision, outputs: Outputs, geometry: Geometry) -> list[int]:
    """The strips that show a defect, in order."""
    return sorted({found.patch // geometry.patches_per_strip for found in _defective(decision, outputs)})


def locate(
    decision: Decision,
    outputs: Outputs,
    part_type: PartType,
    roi: Roi,
    mm_per_px: float | None,
    strips: Mapping[int, Pixels],
) -> tuple[Defect, ...]:
    """Every defective patch, the severest class first, and within a class the surest.

    Args:
        decision: With the scores of the whole part.
        outputs: What their columns mean.
        part_type: What was scanned.
        roi: Its columns on the sensor.
        mm_per_px: What one column is across the axis; None where nobody has measured it, and then no length along the
            axis is given.
        strips: The patches of each strip that shows a defect, (patches, height, width) uint8, by its number.
    """
    ranked = sorted(
        _defective(decision, outputs),
        key=lambda found: (-found.surface.severity, -found.confidence, found.patch),
    )
    return tuple(_defect(found, part_type, roi, mm_per_px, strips) for found in ranked)


def find_mark(patch: Pixels) -> Mark | None:
    """What stands out of a patch (height, width) uint8; None where nothing differs from anything."""
    height, width = patch.shape
    small = cv2.resize(patch, (width // SHRUNK, height // SHRUNK), interpolation=cv2.INTER_AREA).astype(np.float32)
    differences = small - np.median(small, axis=0, keepdims=True)
    best = max((_standing_out(differences, sigma) for sigma in WIDTHS_PX), key=lambda one: one[0])
    if best[0] == 0:
        return None
    response = best[1]
    row, column = np.unravel_index(int(response.argmax()), response.shape)
    _count, regions, boxes, _centres = cv2.connectedComponentsWithStats(
        (response >= REGION * response[row, column]).astype(np.uint8)
    )
    _left, _top, across, along, _area = boxes[regions[row, column]]
    scale_y, scale_x = height / small.shape[0], width / small.shape[1]
    return Mark((row + 0.5) * scale_y, (column + 0.5) * scale_x, along * scale_y, across * scale_x)


def _standing_out(differences: NDArray[np.float32], sigma: float) -> tuple[float, NDArray[np.float32]]:
    """How far the most striking point stands out of what is usual, and the response that shows it."""
    response = np.abs(np.asarray(cv2.GaussianBlur(differences, (0, 0), sigma), np.float32))
    usual = float(np.median(response)) + FINEST
    return float(response.max()) / usual, response


def _defective(decision: Decision, outputs: Outputs) -> Iterator[_Found]:
    probabilities = decision.probabilities
    if not len(probabilities):
        return
    for patch, surface in enumerate(surfaces_of(probabilities, outputs)):
        if not surface.passes:
            yield _Found(patch, surface, float(probabilities[patch, outputs.surfaces.index(surface)]))


def _defect(
    found: _Found, part_type: PartType, roi: Roi, mm_per_px: float | None, strips: Mapping[int, Pixels]
) -> Defect:
    geometry = part_type.geometry
    strip, place = divmod(found.patch, geometry.patches_per_strip)
    side = geometry.patch_px
    mark = find_mark(strips[strip][place]) if strip in strips else None
    row, column = (mark.row, mark.column) if mark else (side / 2, side / 2)
    lines_per_row = geometry.lines_per_block / side
    px_per_column = roi.width / geometry.strip_shape[1]
    line = strip * geometry.lines_per_block + row * lines_per_row
    return Defect(
        surface=found.surface.name,
        patch=found.patch,
        confidence=found.confidence,
        angle_deg=360.0 * line / geometry.lines_per_turn,
        axial_mm=None if mm_per_px is None else (place * side + column) * px_per_column * mm_per_px,
        along_mm=mark.height * lines_per_row * part_type.mm_per_line if mark else None,
        across_mm=mark.width * px_per_column * mm_per_px if mark and mm_per_px is not None else None,
    )
