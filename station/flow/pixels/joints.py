"""What is narrow in the lines at the joints of a turn: a structure of turn.h, the memory for it, and a pass alone."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.library import library, place, refuse
from station.flow.pixels.lines import Turn
from station.flow.pixels.memory import DOUBLE, FLOAT, INT, POINTER, Memory, fields


class Joints(Memory):
    """What is narrow, across the part, in the first and in the last lines of each stretch of the turn.

    Args:
        turn: Its blocks.
        per_block: Stretches of a block.
        coarse: Lines that are held against those of the whole stretch.
        fine: Lines that are held against `around` of them.
        around: Lines about the fine ones, with them.
        profile: Of a whole stretch at least so many lines are taken, if it has them.
        wide: Columns, an odd number, whose mean is taken from each; the edges are mirrored.
        clip: Mean absolute deviations at which a column is cut off.

    Attributes:
        heads: (stretches, 2, columns) float32: coarse and fine marks of the first lines, each of length 1, or 0 where
            nothing is left; the turn's last stretch has none.
        tails: Those of the last lines.
        count: Stretches so far.
        meeting: Of coarse and of fine marks, the sum of the likeness of each tail and the next head, so far; likeness
            is 1 for the same.
        apart: And the sum of the squares for all other tails and heads, but for those of the same stretch.
        ends: The likeness of the turn's last tail and its first head.
    """

    _fields_ = (
        *fields(INT, "per_block", "coarse", "fine", "around", "profile", "wide"),
        *fields(FLOAT, "clip"),
        *fields(POINTER, "sums_at", "room_at", "heads_at", "tails_at"),
        *fields(INT, "count"),
        *fields(2 * DOUBLE, "meeting", "apart", "ends"),
    )
    heads: NDArray[np.float32]
    tails: NDArray[np.float32]
    coarse: int
    wide: int
    clip: float
    per_block: int
    profile: int
    count: int
    meeting: "ctypes.Array[ctypes.c_double]"
    apart: "ctypes.Array[ctypes.c_double]"
    ends: "ctypes.Array[ctypes.c_double]"

    def __init__(
        self, turn: Turn, per_block: int, coarse: int, fine: int, around: int, profile: int, wide: int, clip: float
    ) -> None:
        refuse(min(per_block, coarse, fine, around, profile) < 1, "no lines at the joints")
        refuse(max(coarse, fine, around) * per_block > turn.lines, f"{around} lines of {turn.lines // per_block}")
        _refuse_wide(wide, turn.columns)
        super().__init__(per_block, coarse, fine, around, profile, wide, clip)
        self.keep("sums", (4, turn.columns), np.uint32)
        self.keep("room", turn.columns + wide, np.float32)
        for name in ("heads", "tails"):
            self.keep(name, (turn.blocks * per_block, 2, turn.columns), np.float32)


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
    _refuse_wide(wide, columns)
    refuse(marks.shape != (columns,) or marks.dtype != np.float32 or not marks.flags.c_contiguous, "no room for marks")
    sums, room = np.empty((3, columns), np.uint32), np.empty(columns + wide, np.float32)
    library().station_marks(
        *place(pixels), columns, lines.start, len(lines), around.start, len(around), around.step,
        wide, clip, sums.ctypes.data, room.ctypes.data, marks.ctypes.data,
    )  # fmt: skip


def _refuse_wide(wide: int, columns: int) -> None:
    refuse(wide % 2 == 0 or wide // 2 >= columns, f"{wide} columns of {columns}")
