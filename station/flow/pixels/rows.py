"""What is measured of the rows of a turn, each of some lines: structures of turn.h, and the memory for them."""

import numpy as np
from numpy.typing import NDArray

from station.flow.pixels.library import refuse
from station.flow.pixels.lines import Series, Turn
from station.flow.pixels.memory import DOUBLE, INT, POINTER, Memory, fields

MOST_PAIRS = 128
FEATURES = 64
"""Numbers of a row that is looked for again."""
WINDOW = 4
"""Rows that are looked for together."""
UNIT = 1 << 14
"""What stands for 1 in them, so that the products of a window add up in 32 bits."""
WHOLE = UNIT * UNIT * WINDOW
"""The likeness of the same window."""


class Texture(Memory):
    """The differences of pairs of columns, summed over the lines of a row.

    Args:
        turn: Its blocks.
        lines_per_row: Lines that become one row; those of a block that fill none are left out.
        pairs: How many, at most 128.
        every: A pair begins at every so many columns.
        apart: Columns between the two of a pair.

    Attributes:
        rows: (rows, pairs) float32, of which there are `count` so far.
        changes: (rows,) float32, the mean square of the change from each of its lines to the next; of a block's last
            line that of the one before.
    """

    _fields_ = (
        *fields(INT, "lines_per_row", "rows_per_block", "pairs", "every", "apart"),
        *fields(POINTER, "rows_at", "changes_at"),
        *fields(INT, "count"),
    )
    rows: NDArray[np.float32]
    changes: NDArray[np.float32]
    lines_per_row: int
    rows_per_block: int
    pairs: int
    count: int

    def __init__(self, turn: Turn, lines_per_row: int, pairs: int, every: int, apart: int) -> None:
        outside = not 0 < pairs <= MOST_PAIRS or (pairs - 1) * every + apart >= turn.columns
        refuse(outside or min(every, apart) < 1, f"{pairs} pairs in {turn.columns} columns")
        refuse(not 0 < lines_per_row <= turn.lines, f"{turn.lines} lines, {lines_per_row} a row")
        per_block = turn.lines // lines_per_row
        refuse(per_block * lines_per_row < 2, "a line alone does not change")
        super().__init__(lines_per_row, per_block, pairs, every, apart)
        self.keep("rows", (turn.blocks * per_block, pairs), np.float32)
        self.keep("changes", turn.blocks * per_block, np.float32)


class Stillness(Memory):
    """By how much rows change against the noise of their lines, for each window of rows.

    Args:
        texture: The rows.
        apart: Rows that are compared lie so far apart.
        window: So many changes of rows are averaged.
        tiny: Is added to both, grey values squared.

    Attributes:
        ratios: One for each row at which a window of `apart` and `window` rows begins; 1 where nothing moves. So far
            there are as many as rows but for the last window's.
        least: The least of them.
    """

    _fields_ = (
        *fields(INT, "apart", "window"),
        *fields(DOUBLE, "tiny"),
        *fields(POINTER, "squares_at", "noise_at", "ratios_at"),
        *fields(DOUBLE, "least"),
    )
    ratios: Series
    least: float

    def __init__(self, texture: Texture, apart: int, window: int, tiny: float) -> None:
        refuse(min(apart, window) < 1, f"windows of {window} rows, {apart} apart")
        super().__init__(apart, window, tiny)
        rows = texture.rows_per_block + apart + window
        self.keep("squares", rows, np.float64)
        self.keep("noise", rows, np.float64)
        self.keep("ratios", len(texture.rows), np.float64)
        self.least = np.inf


class Repeats(Memory):
    """Where windows of rows look most like windows of earlier rows.

    A window is four rows, every `stride`th of them; looked at are those that begin at every `stride`th row.

    Args:
        texture: The rows.
        at_once: Rows that are waited for.
        every: Of the pairs of columns every so many is looked at, of them at most 64.
        stride: Rows from one to the next.
        nearest: Least distance, in rows, of an earlier window.
        least: Mean likeness, more than 0, from which on it is of interest where the earlier window begins.

    Attributes:
        features: (rows, 64) int16: rows without what those have in common that are looked at at once, each of length 1,
            which is `UNIT`.
        peaks: For each window that was looked at last the highest likeness, at least 0, of at most `WHOLE`.
        places: Which row that earlier window begins with; 0 where it is of no interest.
        first: The row that the first of these windows begins with.
        windows: How many there are.
        highest: The highest of their peaks.
    """

    _fields_ = (
        *fields(INT, "at_once", "every", "stride", "nearest", "least"),
        *fields(POINTER, "features_at", "room_at", "peaks_at", "places_at"),
        *fields(INT, "count", "first", "windows", "highest"),
    )
    features: NDArray[np.int16]
    peaks: NDArray[np.int32]
    places: NDArray[np.int32]
    least: int
    first: int
    windows: int
    highest: int

    def __init__(self, texture: Texture, at_once: int, every: int, stride: int, nearest: int, least: float) -> None:
        refuse(every < 1 or -(-texture.pairs // every) > FEATURES, f"every {every} of {texture.pairs}")
        refuse(min(stride, nearest) < 1 or not 0 < least <= 1, f"every {stride} rows, {nearest} away, from {least} on")
        super().__init__(at_once, every, stride, nearest, max(1, round(least * WHOLE)))
        rows = len(texture.rows)
        self.keep("features", (rows, FEATURES), np.int16)
        self.keep("room", (WINDOW + 1, rows), np.int32)
        self.keep("peaks", rows, np.int32)
        self.keep("places", rows, np.int32)
