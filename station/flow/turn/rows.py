"""How long things are in lines, for a turn of so many.

What is looked for is a share of the turn, one percent of it, and so is how far the marks of a surface reach: what was
found with 3584 lines a turn, four of them a row, holds in rows. A row is the same share of any turn, 1/896, or one
line, where a turn has fewer; noise is measured, and is another in rows of another length. What is counted in rows is
therefore written in rows, and the lines are told by the geometry.
"""

from dataclasses import dataclass

from station.core.geometry import Geometry

ROWS_PER_TURN = 896


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a turn. Those of a block begin with its first line; lines that fill no row are in none.

    Attributes:
        lines: Lines of a row.
        per_block: Rows of a block.
        lines_per_block: Lines of a block.
    """

    lines: int
    per_block: int
    lines_per_block: int

    @classmethod
    def of(cls, geometry: Geometry) -> "Rows":
        """Those of a turn of this geometry."""
        lines = min(max(1, geometry.lines_per_turn // ROWS_PER_TURN), geometry.lines_per_block)
        return cls(lines, geometry.lines_per_block // lines, geometry.lines_per_block)

    def line(self, row: int) -> int:
        """Number, within the turn, of the line that a row begins with."""
        block, within = divmod(row, self.per_block)
        return block * self.lines_per_block + within * self.lines
