"""The marks of a part's surface as a few numbers a line, for stillness and repetition.

128 pairs of columns across the part, each the difference of two columns near each other: light, stains and broad marks
are the same in both and fall out. Some lines, of 3584 a turn four, become one row; noise falls, marks of the tool stay.
"""

from station.flow.pixels.lines import Turn
from station.flow.pixels.rows import MOST_PAIRS, Texture
from station.flow.turn.rows import Rows

APART_PX = 8


def measured(turn: Turn, rows: Rows) -> Texture:
    """How the texture of a turn's rows is measured."""
    every = max(1, (turn.columns - APART_PX) // MOST_PAIRS)
    pairs = min(MOST_PAIRS, (turn.columns - APART_PX - 1) // every + 1)
    return Texture(turn, rows.lines, pairs, every, APART_PX)
