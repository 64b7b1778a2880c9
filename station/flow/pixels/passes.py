"""The compiled passes for crop and strip on numpy arrays; counts and sums are exact."""

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.library import library, place, refuse

GROUPS = 7
MOST_LINES_OF_A_GROUP = 257
"""So many lines of white add up to 16 bits; more are left to numpy."""


def profile(pixels: Pixels) -> NDArray[np.float32]:
    """One grey value a column: the median of the means of seven groups of lines.

    Args:
        pixels: At least seven lines; what exceeds seven equal groups is left out.
    """
    lines, columns = len(pixels) // GROUPS, pixels.shape[1]
    refuse(lines == 0, f"{len(pixels)} lines are no seven groups")
    if lines > MOST_LINES_OF_A_GROUP:
        wide = np.add.reduceat(pixels[: GROUPS * lines], range(0, GROUPS * lines, lines), axis=0, dtype=np.uint32)
        return np.asarray(np.partition(wide, GROUPS // 2, axis=0)[GROUPS // 2].astype(np.float32) / np.float32(lines))
    sums, values = np.empty((GROUPS, columns), np.uint16), np.empty(columns, np.float32)
    library().station_profile(*place(pixels), lines, columns, sums.ctypes.data, values.ctypes.data)
    return values


def white(pixels: Pixels) -> int:
    """How many pixels are 255; as `np.count_nonzero(pixels == 255)`."""
    return int(library().station_white(*place(pixels), *pixels.shape))
