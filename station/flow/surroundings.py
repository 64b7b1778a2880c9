"""Beside the part: what every scan shows of lamp, focus and dirt, whatever part lies under the camera.

    each block ─ every 32nd line ─▶ column sums, and how steep the part's edges are ─▶ after the last one a few sums

The lamp is told by the grey of the reference area: columns in which the camera always sees the same, as a strip on the
jig, else the black background. The focus is told by the part's edges against the black: a lens out of focus makes them
wider, whatever the light. Dirt on the lens is told by the background, which it lights up where it lies; dirt that lies
where parts always cover the background is not seen here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels, Roi

ROW_STRIDE = 32
"""So many lines of a block from one that is looked at to the next: 14 of a housing's."""
EDGE_PX = 24
"""Columns on each side of an edge in which its steepest step is looked for; three times the widest that is seen."""
GUARD_PX = 64
"""Columns beside the part that its own light may reach."""
STRETCH_PX = 9
"""Columns whose mean is a stretch of the background: what is narrower is noise."""
LEAST_PX = 32
"""Columns of background without which nothing can be told of it."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Beside:
    """What one scan shows beside its part; what it does not show is None.

    Attributes:
        lamp: Grey value of the reference area: the mean of columns that were named; of the background the middle value,
            which dirt on some columns does not raise.
        streak: By how many grey values the brightest stretch of the background exceeds its middle value.
        edge_px: Columns that an edge of the part takes from dark to light.
        covered: What the part covers, in words; empty where the whole reference area is seen.
    """

    lamp: float | None
    streak: float | None
    edge_px: float | None
    covered: str


class Surroundings:
    """Looks beside the part, block by block; blocking, for the compute thread.

    Args:
        reference: First column of the reference area and the one after its last; None for the background.
    """

    def __init__(self, reference: Span | None = None) -> None:
        self._reference = reference
        self._sums: NDArray[np.int64] | None = None
        self._lines = 0
        self._steepness: list[NDArray[np.float32]] = []

    def take(self, pixels: Pixels, roi: Roi) -> None:
        """Look at a block (lines, sensor width) uint8 with the part in these columns."""
        lines = pixels[::ROW_STRIDE]
        sums = lines.sum(axis=0, dtype=np.int64)
        self._sums = sums if self._sums is None else self._sums + sums
        self._lines += len(lines)
        self._steepness += [steepness(lines, edge) for edge in (roi.left, roi.right)]

    def seen(self, roi: Roi | None) -> Beside | None:
        """What all blocks show beside the part in these columns; None where none was looked at."""
        if self._sums is None or roi is None:
            return None
        columns = self._sums / self._lines
        steep = float(np.median(np.concatenate(self._steepness)))
        lamp, covered = self._lamp(columns, roi)
        return Beside(lamp, streak_of(columns, roi), round(1 / steep, 3) if steep > 0 else None, covered)

    def _lamp(self, columns: NDArray[np.float64], roi: Roi) -> tuple[float | None, str]:
        if self._reference is None:
            dark = np.concatenate(background(columns, roi))
            covered = (
                "" if len(dark) >= LEAST_PX else f"the part in columns {roi.left} to {roi.right} leaves no background"
            )
            return (None, covered) if covered else (round(float(np.median(dark)), 4), "")
        left, right = self._reference
        if right > len(columns):
            return None, f"drift.reference_px {left} to {right} reaches beyond the sensor's {len(columns)} columns"
        if roi.left - GUARD_PX < right and left < roi.right + GUARD_PX:
            covers = f"the part in columns {roi.left} to {roi.right} covers drift.reference_px, {left} to {right}"
            return None, f"{covers}, or comes nearer than {GUARD_PX}"
        return round(float(columns[left:right].mean()), 4), ""


def steepness(lines: Pixels, edge: int) -> NDArray[np.float32]:
    """The share of an edge's whole rise that its steepest step has, 0 to 1, by line: (lines,) float32.

    Args:
        lines: (lines, sensor width) uint8.
        edge: The column at which the part begins, or the one after its last.
    """
    near = lines[:, max(0, edge - EDGE_PX) : edge + EDGE_PX].astype(np.float32)
    rise = near.max(axis=1) - near.min(axis=1)
    steps = np.abs(np.diff(near, axis=1)).max(axis=1)
    return np.asarray(steps / np.maximum(rise, 1.0), np.float32)


def background(columns: NDArray[np.float64], roi: Roi) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The columns left and right of the part that its light does not reach."""
    return columns[: max(0, roi.left - GUARD_PX)], columns[roi.right + GUARD_PX :]


def streak_of(columns: NDArray[np.float64], roi: Roi) -> float | None:
    """By how much the brightest stretch of the background exceeds its middle value; None where too little is seen."""
    sides = [side for side in background(columns, roi) if len(side) >= LEAST_PX]
    if not sides:
        return None
    brightest = max(float(_stretches(side).max()) for side in sides)
    return round(max(0.0, brightest - float(np.median(np.concatenate(sides)))), 4)


def _stretches(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of all stretches of neighbouring columns."""
    sums = np.concatenate([[0.0], columns.cumsum()])
    return np.asarray((sums[STRETCH_PX:] - sums[:-STRETCH_PX]) / STRETCH_PX)
