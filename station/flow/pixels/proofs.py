"""The compiled pass for what the lines prove of a turn: one call a block, in memory that is prepared once a turn.

    lines.py     what each line says; lines that repeat the line before
    rows.py      the texture of rows of lines, whether it passes, and whether it comes again
    joints.py    the lines at both ends of the stretches

Sums and products of whole numbers are exact; marks are rounded as floats are. What would not fit is refused when the
memory is made, so that no block is looked at with the wrong one.
"""

import ctypes
from dataclasses import dataclass

from station.core.part import Pixels, Roi
from station.flow.pixels.joints import Joints
from station.flow.pixels.library import library, place, refuse
from station.flow.pixels.lines import Copies, Lines, Turn
from station.flow.pixels.memory import INT, LONG, Memory, fields
from station.flow.pixels.rows import Repeats, Stillness, Texture


class View(Memory):
    """Where the part lies in a block."""

    _fields_ = (*fields(LONG, "stride"), *fields(INT, "width", "left", "right", "first"))


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is measured of one turn so far."""

    turn: Turn
    lines: Lines
    copies: Copies
    texture: Texture
    stillness: Stillness
    repeats: Repeats
    joints: Joints

    def take(self, pixels: Pixels, roi: Roi, first: int) -> None:
        """Measure the next block.

        Args:
            pixels: (lines, sensor width) uint8.
            roi: The part's columns; the others show the background.
            first: The first of the columns that are measured.

        Raises:
            ValueError: The turn has no more blocks, or not such ones.
        """
        turn, (lines, width) = self.turn, pixels.shape
        refuse(turn.taken >= turn.blocks or lines != turn.lines, f"block {turn.taken} of {lines} lines")
        inside = 0 <= roi.left <= first <= first + turn.columns <= roi.right <= width
        refuse(not inside, "the part lies outside of the block")
        start, stride = place(pixels)
        view = View(stride, width, roi.left, roi.right, first)
        structures = (turn, self.lines, self.copies, self.texture, self.stillness, self.repeats, self.joints)
        library().station_turn(start, ctypes.byref(view), *map(ctypes.byref, structures))
