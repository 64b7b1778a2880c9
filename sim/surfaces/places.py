"""Where on the turn a defect lies, by how the station cuts it: inside one patch, across a border of patches, on a film.

A turn is cut into strips of equal length along its lines, and each strip in the middle of the part's columns. A border
of the lines at the turn's own start and end is the seam; the others lie between two strips.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sim.surfaces.canvas import LINES_PER_TURN
from station.core.part import Pixels

STRIPS = 8
"""Of a turn."""
HALVES = 2
"""Patches of a strip, side by side."""
STRIP_LINES = LINES_PER_TURN // STRIPS
CLEAR_PX = 6
"""What is to lie inside one patch keeps so many px from its border: a crop may err, and an axis sways, by less."""
ABOUT_HALF = (0.4, 0.6)
"""Share of a defect that lies before the border that cuts it."""

Span = tuple[float, float]


class Place(StrEnum):
    """Where a defect is asked to lie."""

    ANYWHERE = "anywhere"
    WHOLE = "whole"
    BORDER = "border"
    CORNER = "corner"
    SEAM = "seam"
    FILM = "film"

    @property
    def meaning(self) -> str:
        """In words."""
        return _MEANINGS[self]


_MEANINGS = {
    Place.ANYWHERE: "as chance has it",
    Place.WHOLE: "inside one patch",
    Place.BORDER: "cut about in half by the border of two patches, of one strip or of two",
    Place.CORNER: "cut both ways where four patches meet",
    Place.SEAM: "cut about in half by the turn's start and end",
    Place.FILM: "inside one patch, on a film of dried oil",
}


@dataclass(frozen=True, slots=True)
class Corner:
    """Where a window lies on the surface.

    Attributes:
        line: Its first line; may be outside the turn, which goes on there.
        column: Its first column; may be beside the part.
    """

    line: int
    column: int


def find_place(rng: np.random.Generator, place: Place, footprint: Pixels, width_px: int) -> Corner:
    """Where a window is to lie so that what its footprint covers lies in this place.

    What is too large for one patch lies in its middle.

    Args:
        rng: Source of chance.
        place: Any but ANYWHERE.
        footprint: (h, w), not 0 where the window has the defect; somewhere at least.
        width_px: Of the part.
    """
    rows, columns = np.nonzero(footprint)
    across_lines, across_columns = _cuts(rng, place)
    middle = width_px / HALVES
    line = (
        _halved(rng, rows, _border(rng, place)) if across_lines else _inside(rng, rows, _span(rng, STRIPS, STRIP_LINES))
    )
    column = _halved(rng, columns, middle) if across_columns else _inside(rng, columns, _span(rng, HALVES, middle))
    return Corner(line, column)


def shares_of(footprint: Pixels, corner: Corner, width_px: int) -> dict[int, float]:
    """How much of what a footprint covers on the part lies in which patch, counted from 0; they add up to 1."""
    rows, columns = np.nonzero(footprint)
    across = corner.column + columns
    on_part = (across >= 0) & (across < width_px)
    strips = (corner.line + rows) % LINES_PER_TURN // STRIP_LINES
    patches = strips * HALVES + (across >= width_px / HALVES)
    counts = np.bincount(patches[on_part])
    return {int(patch): float(counts[patch] / counts.sum()) for patch in np.flatnonzero(counts)}


def _cuts(rng: np.random.Generator, place: Place) -> tuple[bool, bool]:
    """Whether a border cuts the defect's lines, and whether one cuts its columns."""
    if place is Place.BORDER:
        between_strips = bool(rng.integers(2))
        return between_strips, not between_strips
    return place in {Place.CORNER, Place.SEAM}, place is Place.CORNER


def _border(rng: np.random.Generator, place: Place) -> int:
    """The line at which a border lies: the seam, or one between two strips."""
    return 0 if place is Place.SEAM else STRIP_LINES * int(rng.integers(1, STRIPS))


def _span(rng: np.random.Generator, many: int, length: float) -> Span:
    """From and to of one of so many equal stretches."""
    chosen = int(rng.integers(many))
    return chosen * length, (chosen + 1) * length


def _halved(rng: np.random.Generator, covered: NDArray[np.intp], border: float) -> int:
    """The window's start with which the border cuts off about half of what is covered."""
    return round(border - float(np.quantile(covered, rng.uniform(*ABOUT_HALF))))


def _inside(rng: np.random.Generator, covered: NDArray[np.intp], span: Span) -> int:
    """The window's start with which all that is covered lies within the span; in its middle where it is too long."""
    first, last = int(covered.min()), int(covered.max())
    lowest, highest = np.ceil(span[0]) + CLEAR_PX - first, np.floor(span[1]) - 1 - CLEAR_PX - last
    if lowest > highest:
        return round((span[0] + span[1] - first - last) / 2)
    return int(rng.integers(int(lowest), int(highest), endpoint=True))
