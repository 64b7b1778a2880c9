"""What is measured of the lines of a turn: structures of turn.h, field by field, and the memory for them."""

import numpy as np
from numpy.typing import NDArray

from station.flow.pixels.library import refuse
from station.flow.pixels.memory import DOUBLE, INT, POINTER, Memory, fields

Series = NDArray[np.float64]


class Turn(Memory):
    """The blocks of one turn.

    Args:
        lines: Of a block, at least two.
        columns: Of the part without its edges.
        blocks: Of the turn.

    Attributes:
        taken: Blocks so far.
    """

    _fields_ = fields(INT, "lines", "columns", "blocks", "taken")
    lines: int
    columns: int
    blocks: int
    taken: int

    def __init__(self, lines: int, columns: int, blocks: int) -> None:
        refuse(lines < 2 or min(columns, blocks) < 1, f"{blocks} blocks of {lines} lines and {columns} columns")
        super().__init__(lines, columns, blocks)


class Lines(Memory):
    """What each line of a block says.

    Args:
        turn: Its blocks.
        middle: The first column that is measured.
        columns: How many are.
        grain_columns: Of how many of these, at least two, the change from one to the next is taken.
        beside_every: Of so many lines one is looked at beside the part.

    Attributes:
        grey: (lines,) mean of each.
        grain: Mean absolute change from column to column.
        step: Mean absolute change from the line before; of a turn's first line that of its second.
        background: Mean beside the part, on the darker side; 0 where nothing is beside it.
        darkest: The least of `grey`.
        smoothest: The least of `grain`.
        roughest: The greatest of `grain`.
    """

    _fields_ = (
        *fields(INT, "middle", "columns", "grain_columns", "beside_every"),
        *fields(POINTER, "grey_at", "grain_at", "step_at", "before_at", "black_at"),
        *fields(DOUBLE, "background", "darkest", "smoothest", "roughest"),
    )
    grey: Series
    grain: Series
    step: Series
    background: float
    darkest: float
    smoothest: float
    roughest: float

    def __init__(self, turn: Turn, middle: int, columns: int, grain_columns: int, beside_every: int) -> None:
        refuse(middle < 0 or middle + columns > turn.columns, f"{columns} columns from {middle} on, of {turn.columns}")
        refuse(not 1 < grain_columns <= columns, f"{grain_columns} columns of {columns}")
        refuse(beside_every < 1, f"every {beside_every} lines")
        super().__init__(middle, columns, grain_columns, beside_every)
        for name in ("grey", "grain", "step"):
            self.keep(name, turn.lines, np.float64)
        self.keep("before", columns, np.uint8)
        self.keep("black", columns, np.uint8).fill(0)


class Copies(Memory):
    """Lines that change less than those about them, scattered or every other one.

    Args:
        turn: Its blocks.
        pairs: Pairs of lines over which every other change is averaged.
        fallen: Standard deviations by which a scattered copy changes less than its neighbours.
        risen: And by which the next line changes more.
        scatter: Standard deviation in median absolute deviations.
        least: What is taken for the least change of a line, grey values.

    Attributes:
        means: How much more even lines change than odd ones, in logarithms; so far there are `counted`.
        chances: (blocks,) by how much the change scatters by chance, in every block; the last one's is not measured
            where there is another.
        equal: Lines so far that do not change at all.
        scattered: Lines so far that are scattered copies.
        most: The greatest of the means, its sign left out.
    """

    _fields_ = (
        *fields(INT, "pairs"),
        *fields(DOUBLE, "fallen", "risen", "scatter", "least"),
        *fields(POINTER, "change_at", "sums_at", "own_at", "room_at", "means_at", "chances_at"),
        *fields(INT, "kept", "counted", "equal", "scattered"),
        *fields(2 * DOUBLE, "usual"),
        *fields(DOUBLE, "chance", "most"),
    )
    means: Series
    chances: Series
    counted: int
    equal: int
    scattered: int
    most: float

    def __init__(self, turn: Turn, pairs: int, fallen: float, risen: float, scatter: float, least: float) -> None:
        refuse(pairs < 1, f"{pairs} pairs")
        super().__init__(pairs, fallen, risen, scatter, least)
        changes = 2 * pairs + turn.lines
        self.keep("change", changes, np.float64)
        self.keep("sums", changes // 2 + 1, np.float64)
        self.keep("own", turn.lines, np.float64)
        self.keep("room", turn.lines, np.float64)
        self.keep("means", turn.blocks * turn.lines // 2, np.float64)
        self.keep("chances", turn.blocks, np.float64)
