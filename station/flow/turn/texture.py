"""The marks of a part's surface as a few numbers a line, for stillness and repetition.

128 pairs of columns across the part, each the difference of two columns near each other: light, stains and broad marks
are the same in both and fall out. Some lines, of 3584 a turn four, become one row; noise falls, marks of the tool stay.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels import proofs
from station.flow.turn.rows import Rows

Plane = NDArray[np.float32]

PAIRS = 128
APART_PX = 8


@dataclass(frozen=True, slots=True)
class Texture:
    """A block's marks.

    Attributes:
        rows: (rows, 128) float32, sums of the lines of each row.
        changes: (rows,) float32, mean square of the change from line to line within those of a row and to the next.
    """

    rows: Plane
    changes: NDArray[np.float32]


def texture(lines: Pixels, rows: Rows) -> Texture:
    """The marks of a block's lines of the part, (lines, columns) uint8."""
    every = max(1, (lines.shape[1] - APART_PX) // PAIRS)
    pairs = min(PAIRS, (lines.shape[1] - APART_PX - 1) // every + 1)
    return Texture(*proofs.texture(lines[: rows.per_block * rows.lines], rows.lines, every, APART_PX, pairs))
