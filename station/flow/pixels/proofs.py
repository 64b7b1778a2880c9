"""The compiled passes for what the lines prove of a turn, on numpy arrays.

Sums and products of whole numbers are exact; marks are rounded as floats are.
"""

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.library import library, place, refuse

Series = NDArray[np.float64]

MOST_PAIRS = 128
FEATURES = 64
"""Numbers of a row that is looked for again."""
WINDOW = 4
"""Rows that are looked for together."""
UNIT = 1 << 14
"""What stands for 1 in them, so that the products of a window add up in 32 bits."""


def line_means(pixels: Pixels, grain_columns: int, before: Pixels | None) -> NDArray[np.float64]:
    """Of each line the mean, and the mean absolute changes from column to column and from the line before.

    Args:
        pixels: The lines.
        grain_columns: Columns, at least two, of which the change from one to the next is taken.
        before: (columns,) uint8, the line before the first, or None: its change is that of the second then.

    Returns:
        (3, lines) float64.
    """
    lines, columns = pixels.shape
    refuse(not 1 < grain_columns <= columns, f"{grain_columns} columns of {columns}")
    refuse(before is not None and before.shape != (columns,), "the line before is of another width")
    means = np.empty((3, lines))
    start, line = means.ctypes.data, means.strides[0]
    last = None if before is None else np.ascontiguousarray(before)
    library().station_lines(
        *place(pixels), lines, columns, grain_columns,
        None if last is None else last.ctypes.data, start, start + line, start + 2 * line,
    )  # fmt: skip
    return means


def mean(pixels: Pixels) -> float:
    """The mean of all pixels, at least one."""
    return float(library().station_sum(*place(pixels), *pixels.shape) / pixels.size)


def alternation(change: Series, window: int) -> tuple[Series, float]:
    """How much more every other number is than those between.

    Args:
        change: One number a line; of an odd number the last one is left out.
        window: Pairs of lines that are averaged.

    Returns:
        The mean difference of every `window` pairs on end, and the greatest of them, its sign left out.
    """
    pairs = len(change) // 2
    _refuse_series(change)
    refuse(window < 1, f"{window} pairs")
    sums, means = np.empty(pairs + 1), np.empty(max(0, pairs - window + 1))
    most = library().station_alternation(change.ctypes.data, pairs, window, sums.ctypes.data, means.ctypes.data)
    return means, float(most)


def dips(change: Series, fallen: float, risen: float) -> int:
    """How many lines change little between lines that change as usual, where the next one changes more.

    Args:
        change: One number a line.
        fallen: By how much less they must have than all but one of three lines before and two behind the next.
        risen: By how much more the next one must have than all but two of these.
    """
    _refuse_series(change)
    return int(library().station_dips(change.ctypes.data, len(change), fallen, risen))


def _refuse_series(series: Series) -> None:
    refuse(series.ndim != 1 or series.dtype != np.float64 or not series.flags.c_contiguous, "no series of numbers")


def texture(
    pixels: Pixels, lines_per_row: int, every: int, apart: int, pairs: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The differences of pairs of columns, summed over the lines of a row, and their squared changes line by line.

    Args:
        pixels: Whole rows of lines, at least two lines.
        lines_per_row: Lines that become one row.
        every: A pair begins at every so many columns.
        apart: Columns between the two of a pair.
        pairs: How many, at most 128.

    Returns:
        (rows, pairs) float32, and (rows,) float32: the mean square of the change from each of its lines to the next;
        of the last line that of the one before.
    """
    lines, columns = pixels.shape
    refuse(not 0 < pairs <= MOST_PAIRS or (pairs - 1) * every + apart >= columns, f"{pairs} pairs in {columns} columns")
    refuse(lines < 2 or lines_per_row < 1 or lines % lines_per_row > 0, f"{lines} lines, {lines_per_row} a row")
    count = lines // lines_per_row
    rows, changes = np.empty((count, pairs), np.float32), np.empty(count, np.float32)
    library().station_texture(
        *place(pixels), lines, lines_per_row, pairs, every, apart, rows.ctypes.data, changes.ctypes.data
    )  # fmt: skip
    return rows, changes


def stillness(
    rows: NDArray[np.float32], changes: NDArray[np.float32], lines_per_row: int, apart: int, window: int, tiny: float
) -> NDArray[np.float64]:
    """By how much rows change against the noise of their lines, for each window of rows.

    Args:
        rows: (rows, pairs), whole numbers: sums of the lines of each row.
        changes: (rows,), mean square of the change from line to line.
        lines_per_row: Lines of a row.
        apart: Rows that are compared lie so far apart.
        window: So many changes of rows are averaged.
        tiny: Is added to both, grey values squared.

    Returns:
        One ratio for each row at which a window of `apart` and `window` rows begins; 1 where nothing moves.
    """
    count, pairs = rows.shape
    refuse(changes.shape != (count,) or rows.dtype != np.float32 or changes.dtype != np.float32, "not of the same rows")
    refuse(not (rows.flags.c_contiguous and changes.flags.c_contiguous), "memory lies apart")
    refuse(min(apart, window, lines_per_row) < 1, f"windows of {window} rows, {apart} apart")
    room, ratios = np.empty((2, count + 1)), np.empty(max(0, count - apart - window + 1))
    first = room.ctypes.data
    library().station_stillness(
        rows.ctypes.data, changes.ctypes.data, count, pairs, lines_per_row, apart, window, tiny,
        first, first + room.strides[0], ratios.ctypes.data,
    )  # fmt: skip
    return ratios


def normalise(rows: NDArray[np.float32], every: int, target: NDArray[np.int16]) -> None:
    """Rows without what they have in common, each of length 1, which is `UNIT`.

    Args:
        rows: (rows, pairs).
        every: Which of the pairs are taken, at most 64 of them.
        target: (rows, 64), where they go; what is missing is 0.
    """
    count, pairs = rows.shape
    refuse(rows.dtype != np.float32 or not rows.flags.c_contiguous, "rows must be float32 in one piece")
    refuse(every < 1 or not 0 < -(-pairs // every) <= FEATURES, f"every {every} of {pairs}")
    refuse(target.shape != (count, FEATURES) or target.dtype != np.int16, f"no room for {count} rows")
    refuse(not target.flags.c_contiguous, "memory lies apart")
    library().station_normalise(rows.ctypes.data, count, pairs, every, UNIT, target.ctypes.data)


def again(
    rows: NDArray[np.int16], first: int, stride: int, nearest: int, least: float
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Where windows of rows look most like windows of earlier rows.

    A window is four rows, every `stride`th of them; looked at are those that begin at every `stride`th row.

    Args:
        rows: (rows, 64), as `normalise` makes them, of the turn so far.
        first: From which row on windows are looked at.
        stride: Rows from one to the next.
        nearest: Least distance, in rows, of an earlier window.
        least: Mean likeness, more than 0, from which on it is of interest where the earlier window begins.

    Returns:
        For each window the highest mean likeness, at least 0, and which row that earlier window begins with; 0 where
        it is of no interest.
    """
    count = len(rows)
    refuse(rows.shape != (count, FEATURES) or rows.dtype != np.int16, "rows of another kind")
    refuse(not rows.flags.c_contiguous, "memory lies apart")
    refuse(min(stride, nearest) < 1 or not 0 < least <= 1, f"every {stride} rows, {nearest} away, from {least} on")
    windows = (count - 1 - first) // stride + 2 - WINDOW
    refuse(not 0 <= first < count or windows < 1, f"windows of {WINDOW} in rows {first} to {count}")
    room = np.empty((WINDOW + 1, count), np.int32)
    highest, places = np.empty(windows, np.int32), np.empty(windows, np.int32)
    whole = UNIT * UNIT * WINDOW
    library().station_again(
        rows.ctypes.data, count, first, stride, nearest, max(1, round(least * whole)),
        room.ctypes.data, highest.ctypes.data, places.ctypes.data,
    )  # fmt: skip
    return (highest / whole).astype(np.float32), places


def narrow_marks(
    pixels: Pixels, lines: range, around: range, wide: int, clip: float, marks: NDArray[np.float32]
) -> None:
    """What is narrow, across the part, in the mean of some lines against the mean of others.

    Args:
        pixels: The lines.
        lines: Numbers of those that are looked at, one behind the other.
        around: Numbers of those that they are held against.
        wide: Columns, an odd number, whose mean is taken from each; the edges are mirrored.
        clip: Mean absolute deviations at which a column is cut off.
        marks: (columns,) float32, where they go, of length 1, or of length 0 where nothing is left.
    """
    columns = pixels.shape[1]
    outside = any(not some or some[0] < 0 or some[-1] >= len(pixels) for some in (lines, around))
    refuse(outside or lines.step != 1, f"lines {lines} and {around} of {len(pixels)}")
    refuse(wide % 2 == 0 or wide // 2 >= columns, f"{wide} columns of {columns}")
    refuse(marks.shape != (columns,) or marks.dtype != np.float32 or not marks.flags.c_contiguous, "no room for marks")
    sums, room = np.empty((2, columns), np.uint32), np.empty(columns, np.float32)
    library().station_marks(
        *place(pixels), columns, lines.start, len(lines), around.start, len(around), around.step,
        wide, clip, sums.ctypes.data, room.ctypes.data, marks.ctypes.data,
    )  # fmt: skip
