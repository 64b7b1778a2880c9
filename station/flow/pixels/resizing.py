"""The compiled pass that resizes a block to a strip and cuts it into patches, as OpenCV's INTER_AREA does on x86-64.

Lines and rows meet again and again, 7 lines and 4 rows where 448 lines become 256 rows: a cycle. What the lines of one
cycle are to its rows, those of every cycle are.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from station.core.geometry import Geometry
from station.core.part import Pixels
from station.flow.pixels.library import library, place, refuse
from station.flow.pixels.sharing import Shares, shares

LANES = 8
"""Lines that are made narrower at a time."""
QUAD = 4
"""Columns of a strip that are made at a time."""


def compiled(geometry: Geometry, columns: int) -> bool:
    """Whether blocks of so many columns are resized by the compiled pass.

    OpenCV goes by other weights where a part is narrower than the strip, and rounds otherwise where both axes are made
    shorter by whole numbers. A factor from rows to lines that floats do not give exactly has no cycles.
    """
    lines, (rows, wide) = geometry.lines_per_block, geometry.strip_shape
    exact = 1.0 / (rows / lines) * rows == lines
    return exact and columns >= wide and wide % QUAD == 0 and (lines % rows > 0 or columns % wide > 0)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What repeats down a block.

    Attributes:
        count: Cycles of a block.
        lines: Lines of one.
        rows: Rows that they become.
    """

    count: int
    lines: int
    rows: int

    @classmethod
    def of(cls, geometry: Geometry) -> "Cycle":
        """The longest that is done at once, or the shortest that there is."""
        lines, rows = geometry.lines_per_block, geometry.patch_px
        most = gcd(lines, rows)
        shortest = lines // most
        times = max(n for n in range(1, max(1, LANES // shortest) + 1) if most % n == 0)
        return cls(most // times, shortest * times, rows // most * times)


class Resizing:
    """Makes blocks of one width strips, in memory that is taken once.

    Args:
        geometry: Of block and strip.
        columns: Of the blocks.

    Raises:
        ValueError: The pass does not resize such blocks, see `compiled`.
    """

    def __init__(self, geometry: Geometry, columns: int) -> None:
        refuse(not compiled(geometry, columns), f"blocks of {columns} columns, {geometry}")
        wide = geometry.strip_shape[1]
        self._cycle = Cycle.of(geometry)
        self._pixels_shape, self._patches_shape = (geometry.lines_per_block, columns), geometry.patches_shape
        self._across: Shares = shares(columns, wide)
        self._down: Shares = shares(self._cycle.lines, self._cycle.rows)
        self._tile = np.zeros((columns, LANES), np.float32)
        self._sums: NDArray[np.float32] = np.zeros((1 + -(-self._cycle.lines // LANES) * LANES, wide), np.float32)

    def make(self, pixels: Pixels, patches: Pixels) -> None:
        """Resize a block and cut it.

        Args:
            pixels: (lines, columns) uint8.
            patches: (patches, rows, columns) uint8 in one piece, where the strip goes.

        Raises:
            ValueError: Arrays of other shapes.
        """
        refuse(pixels.shape != self._pixels_shape, f"blocks are {self._pixels_shape}, not {pixels.shape}")
        refuse(patches.shape != self._patches_shape or patches.dtype != np.uint8, f"{patches.shape} are no patches")
        refuse(not patches.flags.c_contiguous, "memory lies apart")
        cycle, across, down = self._cycle, self._across, self._down
        library().station_strip(
            *place(pixels), pixels.shape[1],
            across.most, across.first.ctypes.data, across.shares.ctypes.data,
            cycle.count, cycle.lines, cycle.rows,
            down.most, down.first.ctypes.data, down.shares.ctypes.data,
            self._sums.shape[1], patches.shape[2],
            self._tile.ctypes.data, self._sums.ctypes.data, patches.ctypes.data,
        )  # fmt: skip
