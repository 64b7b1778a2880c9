"""The marks of a part's surface as a few numbers a line, for stillness and repetition.

128 pairs of columns across the part, each the difference of two columns near each other: light, stains and broad marks
are the same in both and fall out. Four lines become one row; noise falls by half, marks of the tool stay.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels import passes

Plane = NDArray[np.float32]

PAIRS = 128
APART_PX = 8
LINES_PER_ROW = 4


@dataclass(frozen=True, slots=True)
class Texture:
    """A block's marks.

    Attributes:
        rows: (112, 128) float32, sums of four lines.
        changes: (112,) float32, mean square of the change from line to line within the four of a row and to the next.
    """

    rows: Plane
    changes: NDArray[np.float32]


def texture(lines: Pixels) -> Texture:
    """The marks of a block's lines of the part, (448, columns) uint8."""
    every = max(1, (lines.shape[1] - APART_PX) // PAIRS)
    pairs = min(PAIRS, (lines.shape[1] - APART_PX - 1) // every + 1)
    rows, changes = passes.texture(lines, every, APART_PX, pairs)
    return Texture(rows, changes.reshape(-1, LINES_PER_ROW).mean(axis=1) / np.float32(pairs))
