"""Surfaces for scans of one turn: marks that go on from line to line and close, as on any part that really turned."""

import numpy as np
from numpy.typing import NDArray

from station.core.geometry import LINES_PER_TURN
from station.core.part import Pixels
from station.core.table import default_geometry

GEOMETRY = default_geometry().value()
"""Of housings."""
CELL_LINES = 8
MARKS, NOISE = 6.0, 1.5
"""Standard deviations, grey values."""


def turned(seed: int, columns: int, grey: float, marks: float = MARKS) -> Pixels:
    """A turned surface (3584, columns) uint8 of this mean grey value.

    Args:
        seed: Another one for another surface.
        columns: Of the part.
        grey: 0 to 255, with room for marks and noise.
        marks: Strength of the marks.
    """
    rng = np.random.default_rng(seed)
    knots = rng.normal(0, marks, (LINES_PER_TURN // CELL_LINES, columns))
    following = np.roll(knots, -1, axis=0)
    share = (np.arange(CELL_LINES) / CELL_LINES)[np.newaxis, :, np.newaxis]
    surface: NDArray[np.float64] = knots[:, np.newaxis] * (1 - share) + following[:, np.newaxis] * share
    noisy = grey + surface.reshape(LINES_PER_TURN, columns) + rng.normal(0, NOISE, (LINES_PER_TURN, columns))
    return np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)
