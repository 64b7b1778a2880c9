"""The compiled passes for crop and strip on numpy arrays; counts and sums are exact."""

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.library import library, place, refuse

Profile = NDArray[np.float32]

GROUPS = 7
MOST_LINES_OF_A_GROUP = 257
"""So many lines of white add up to 16 bits; more are left to numpy."""
MOST_COLUMNS_NEAR = 256
"""Columns about an edge."""


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


def smooth(profile: Profile, reach: int) -> Profile:
    """The mean of each column and of `reach` columns on either side; the edges are repeated."""
    refuse(profile.ndim != 1 or profile.dtype != np.float32 or not profile.flags.c_contiguous, "no profile")
    refuse(reach < 0, f"{reach} columns on either side")
    means = np.empty_like(profile)
    library().station_smooth(profile.ctypes.data, len(profile), reach, means.ctypes.data)
    return means


def edge(profile: Profile, coarse: int, reach: int, wide: int, least: float) -> int | None:
    """The column of a left edge: the outermost step from which it goes on inwards to `coarse` without a break.

    Args:
        profile: Grey values, of a right edge backwards.
        coarse: A column inside, about where the edge is.
        reach: Columns outside of `coarse` where steps are looked for.
        wide: Columns, at least two, whose mean is held against that of the next; so many outside of `reach` and inside
            of `coarse` are looked at, too.
        least: By how much the mean rises in a step; without a break is what stays above the lower one by half of that.

    Returns:
        The column that is above the middle of the step, or None where there is no step.
    """
    refuse(profile.ndim != 1 or not len(profile) or profile.dtype != np.float32, "no profile")
    refuse(reach < 0 or wide < 2 or reach + 6 * wide > MOST_COLUMNS_NEAR, f"{reach} columns, steps of {wide}")
    stride = profile.strides[0] // profile.itemsize
    column = library().station_edge(profile.ctypes.data, stride, len(profile), coarse, reach, wide, least)
    return None if column < 0 else int(column)


def white(pixels: Pixels) -> int:
    """How many pixels are 255; as `np.count_nonzero(pixels == 255)`."""
    return int(library().station_white(*place(pixels), *pixels.shape))
