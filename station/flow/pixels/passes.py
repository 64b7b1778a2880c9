"""The compiled passes on numpy arrays. Counts, sums and strips are exact; marks are rounded as floats are.

Pixels are (lines, columns) uint8 whose columns lie side by side; lines may lie apart, as in a view into a block.
"""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from station.core.errors import ConfigError
from station.core.part import Pixels
from station.flow.pixels.build import LIBRARY

GROUPS = 7
MOST_LINES_OF_A_GROUP = 257
"""So many lines of white add up to 16 bits; more are left to numpy."""
MOST_PAIRS = 128

_Pixels = (ctypes.c_void_p, ctypes.c_ssize_t)
_Int, _Pointer = ctypes.c_int, ctypes.c_void_p


@cache
def library() -> ctypes.PyDLL:
    """The compiled passes, loaded once; to be asked for at the start, so that a missing one is told there.

    Raises:
        ConfigError: `config.not_compiled`: they are missing, or are of another processor.
    """
    path = Path(__file__).with_name(LIBRARY)
    try:
        passes = ctypes.PyDLL(str(path))
    except OSError as error:
        detail = f"{error}; compile it with: python -m station.flow.pixels.build"
        raise ConfigError("config.not_compiled", detail) from error
    for name, arguments, answer in (
        ("station_profile", (*_Pixels, _Int, _Int, _Pointer, _Pointer), None),
        ("station_white", (*_Pixels, _Int, _Int), ctypes.c_int64),
        ("station_lines", (*_Pixels, _Int, _Int, _Int, _Pointer, _Pointer, _Pointer, _Pointer), None),
        ("station_texture", (*_Pixels, *5 * (_Int,), _Pointer, _Pointer), None),
        (
            "station_peaks",
            (_Pointer, _Int, _Int, _Int, _Int, _Int, _Int, _Int, _Pointer, _Pointer, _Pointer),
            None,
        ),
        (
            "station_marks",
            (*_Pixels, _Int, _Int, _Int, _Int, _Int, _Int, _Int, ctypes.c_float, _Pointer, _Pointer),
            None,
        ),
        (
            "station_strip",
            (*_Pixels, _Int, _Int, _Pointer, _Pointer, *4 * (_Int,), _Pointer, _Pointer, _Int, _Int, *3 * (_Pointer,)),
            None,
        ),
    ):
        function = getattr(passes, name)
        function.argtypes, function.restype = arguments, answer
    return passes


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


def line_sums(pixels: Pixels, grain_columns: int, before: Pixels | None) -> NDArray[np.int32]:
    """Of each line the sum, and the sums of absolute changes from column to column and from the line before.

    Args:
        pixels: The lines.
        grain_columns: Columns of which the change from one to the next is summed.
        before: (columns,) uint8, the line before the first, or None: its change is 0 then.

    Returns:
        (3, lines) int32.
    """
    lines, columns = pixels.shape
    refuse(not 0 < grain_columns <= columns, f"{grain_columns} columns of {columns}")
    refuse(before is not None and before.shape != (columns,), "the line before is of another width")
    sums = np.empty((3, lines), np.int32)
    start, line = sums.ctypes.data, sums.strides[0]
    last = None if before is None else np.ascontiguousarray(before)
    library().station_lines(
        *place(pixels), lines, columns, grain_columns,
        None if last is None else last.ctypes.data, start, start + line, start + 2 * line,
    )  # fmt: skip
    return sums


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
        (rows, pairs) float32, and (lines,) float32: the change to the next line, of the last line as of the one
        before.
    """
    lines, columns = pixels.shape
    refuse(not 0 < pairs <= MOST_PAIRS or (pairs - 1) * every + apart >= columns, f"{pairs} pairs in {columns} columns")
    refuse(lines < 2 or lines_per_row < 1 or lines % lines_per_row > 0, f"{lines} lines, {lines_per_row} a row")
    rows, changes = np.empty((lines // lines_per_row, pairs), np.float32), np.empty(lines, np.float32)
    library().station_texture(
        *place(pixels), lines, lines_per_row, pairs, every, apart, rows.ctypes.data, changes.ctypes.data
    )  # fmt: skip
    return rows, changes


def peaks(
    likeness: NDArray[np.float32], length: int, stride: int, first: int, nearest: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Where windows of rows look most like windows of earlier rows.

    A window is `length` rows, every `stride`th of them; of the later rows, only those are in `likeness`.

    Args:
        likeness: (chunks, later rows, rows of a chunk) float32, of each later row and each of all rows.
        length: Rows of a window.
        stride: Rows from one to the next.
        first: Which of all rows the first later one is.
        nearest: Least distance, in rows, of an earlier window.

    Returns:
        For each window of the later rows the highest mean likeness, and which row that earlier window begins with; 0
        where none is alike at all.
    """
    chunks, rows, chunk = likeness.shape
    refuse(likeness.dtype != np.float32 or not likeness.flags.c_contiguous, "likeness must be float32 in one piece")
    refuse(not 0 < length <= rows or stride * (length - 1) >= chunks * chunk, f"windows of {length} in {rows} rows")
    highest, places = np.empty(rows - length + 1, np.float32), np.empty(rows - length + 1, np.int32)
    room = np.empty((length + 1, chunks * chunk), np.float32)
    library().station_peaks(
        likeness.ctypes.data, chunks, chunk, rows, length, stride, first, nearest,
        room.ctypes.data, highest.ctypes.data, places.ctypes.data,
    )  # fmt: skip
    return highest, places


def narrow_marks(pixels: Pixels, lines: range, around: range, wide: int, clip: float) -> NDArray[np.float32]:
    """What is narrow, across the part, in the mean of some lines against the mean of others.

    Args:
        pixels: The lines.
        lines: Numbers of those that are looked at, one behind the other.
        around: Numbers of those that they are held against.
        wide: Columns, an odd number, whose mean is taken from each; the edges are mirrored.
        clip: Mean absolute deviations at which a column is cut off.

    Returns:
        (columns,) float32 of length 1, or of length 0 where nothing is left.
    """
    columns = pixels.shape[1]
    outside = any(not some or some[0] < 0 or some[-1] >= len(pixels) for some in (lines, around))
    refuse(outside or lines.step != 1, f"lines {lines} and {around} of {len(pixels)}")
    refuse(wide % 2 == 0 or wide // 2 >= columns, f"{wide} columns of {columns}")
    room, marks = np.empty(columns, np.float32), np.empty(columns, np.float32)
    library().station_marks(
        *place(pixels), columns, lines.start, len(lines), around.start, len(around), around.step,
        wide, clip, room.ctypes.data, marks.ctypes.data,
    )  # fmt: skip
    return marks


def place(pixels: Pixels) -> tuple[int, int]:
    """Where pixels begin in memory, and how many bytes their lines lie apart."""
    refuse(pixels.dtype != np.uint8 or pixels.strides[1] != 1, "pixels must be bytes that lie side by side")
    return pixels.ctypes.data, pixels.strides[0]


def refuse(wrong: bool, why: str) -> None:  # noqa: FBT001
    """Memory outside the arrays is never touched, whatever a caller does.

    Raises:
        ValueError: It is wrong.
    """
    if wrong:
        raise ValueError(why)
