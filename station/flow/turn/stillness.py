"""Whether the surface passed under the camera: rows must change by more than the noise of their lines.

Where a part stands still every line shows the same place with other noise: the means of the lines of two rows, of four
say, differ by a quarter of what two lines differ by, in squares. Where it turns they differ by far more. The ratio of
the two, times four, is 1 on a still part, whatever the noise and however many lines a row has.
"""

import numpy as np

from station.flow.pixels import proofs
from station.flow.turn.rows import Rows
from station.flow.turn.series import Series, middle
from station.flow.turn.texture import Texture

APART_ROWS = 4
WINDOW_ROWS = 4
"""Together eight rows, of 3584 lines 32: the shortest stretch that is looked at, and surely within any still one of one
percent of the turn."""
TINY = 0.02
"""Grey values squared: what rounding leaves of two equal lines."""
USUAL_SHARE = 0.9
"""Share of the windows that have less than what is taken as usual, so that a turn may stand still for most of it."""
STILL_TURN = 1.15
"""Least usual ratio of a part that turns; of a still one it is 1."""
STILL_SHARE = 0.25
"""Of the way from 1 to the turn's own ratio; a stretch under it stands still."""
LEAST_RATIO = 2.5
"""Ratio of the turn under which noise hides a single stretch, and only the whole turn is judged."""
MOST_RATIO = 5.0
"""Where marks are so much stronger than noise, a stretch need not be as strong."""


class Stillness:
    """Collects the rows of one turn and looks for stretches that stand still.

    Args:
        rows: Of a turn.
    """

    def __init__(self, rows: Rows) -> None:
        self._of = rows
        self._ratios: list[Series] = []
        self._least = np.inf
        self._tail: Texture | None = None

    def take(self, texture: Texture) -> None:
        """The next block's texture; what reaches over from the block before is looked at, too."""
        if self._tail is not None:
            rows = np.concatenate([self._tail.rows, texture.rows])
            texture = Texture(rows, np.concatenate([self._tail.changes, texture.changes]))
        ratios = proofs.stillness(texture.rows, texture.changes, self._of.lines, APART_ROWS, WINDOW_ROWS, TINY)
        self._ratios.append(ratios)
        self._least = min(self._least, ratios.min(initial=np.inf))
        reach = APART_ROWS + WINDOW_ROWS - 1  # rows of a window but the last, so that each begins one
        self._tail = Texture(texture.rows[-reach:], texture.changes[-reach:])

    def finding(self) -> str | None:
        """Where the part stood still, in words, or None; to be asked when the turn is over."""
        if self._least >= _limit(MOST_RATIO):
            return None
        ratios = np.concatenate(self._ratios)
        usual = middle(ratios, USUAL_SHARE)
        if usual < STILL_TURN:
            return f"no line differs from another by more than noise: {usual:.2f} times as much, 1 is a part at rest"
        if usual < LEAST_RATIO:
            return None
        still = np.flatnonzero(ratios < _limit(usual))
        if not len(still):
            return None
        row = int(still[0])
        return (
            f"from line {self._of.line(row)} on the picture stands still: it changes by {ratios[row]:.2f} times the "
            f"noise, usual in this turn is {usual:.2f}"
        )


def _limit(usual: float) -> float:
    """What a stretch must have, where so much is usual; more than it takes to turn at all, where most is."""
    return 1 + STILL_SHARE * (min(usual, MOST_RATIO) - 1)
