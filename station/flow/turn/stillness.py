"""Whether the surface passed under the camera: rows must change by more than the noise of their lines.

Where a part stands still every line shows the same place with other noise: the means of the lines of two rows, of four
say, differ by a quarter of what two lines differ by, in squares. Where it turns they differ by far more. The ratio of
the two, times four, is 1 on a still part, whatever the noise and however many lines a row has.
"""

import numpy as np

from station.flow.pixels.rows import Stillness, Texture
from station.flow.turn.rows import Rows
from station.flow.turn.series import middle

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


def measured(texture: Texture) -> Stillness:
    """How the stillness of a turn's rows is measured."""
    return Stillness(texture, APART_ROWS, WINDOW_ROWS, TINY)


def finding(stillness: Stillness, rows: Rows) -> str | None:
    """Where the part stood still, in words, or None; to be asked when the turn is over."""
    if stillness.least >= _limit(MOST_RATIO):
        return None
    ratios = stillness.ratios[: len(stillness.ratios) - APART_ROWS - WINDOW_ROWS + 1]
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
        f"from line {rows.line(row)} on the picture stands still: it changes by {ratios[row]:.2f} times the "
        f"noise, usual in this turn is {usual:.2f}"
    )


def _limit(usual: float) -> float:
    """What a stretch must have, where so much is usual; more than it takes to turn at all, where most is."""
    return 1 + STILL_SHARE * (min(usual, MOST_RATIO) - 1)
