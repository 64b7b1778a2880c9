"""Surfaces for scans of one turn: marks that go on from line to line and close, as on any part that really turned."""

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.core.table import default_geometry
from tests.lines import LINES_PER_TURN

GEOMETRY = default_geometry().value()
"""Of housings."""
CELL_LINES = 8
MARKS, NOISE = 6.0, 1.5
"""Standard deviations, grey values."""


def turned(seed: int, columns: int, grey: float, marks: float = MARKS, lines: int = LINES_PER_TURN) -> Pixels:
    """A turned surface (lines, columns) uint8 of this mean grey value.

    Args:
        seed: Another one for another surface.
        columns: Of the part.
        grey: 0 to 255, with room for marks and noise.
        marks: Strength of the marks.
        lines: Of the turn, a multiple of 8.
    """
    rng = np.random.default_rng(seed)
    knots = rng.normal(0, marks, (lines // CELL_LINES, columns))
    following = np.roll(knots, -1, axis=0)
    share = (np.arange(CELL_LINES) / CELL_LINES)[np.newaxis, :, np.newaxis]
    surface: NDArray[np.float64] = knots[:, np.newaxis] * (1 - share) + following[:, np.newaxis] * share
    noisy = grey + surface.reshape(lines, columns) + rng.normal(0, NOISE, (lines, columns))
    return np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)
