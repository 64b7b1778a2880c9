"""Lines that repeat the line before them: what a frame grabber fills the place of a lost line with.

A copy differs from its line by nothing or, where noise is added behind the sensor, by noise alone; the line behind it
differs by all that two lines of the surface do. One copy in noise cannot be told from chance, several can: scattered
ones by how many lines change less than their neighbours and are followed by one that changes more, ones on end by every
other line changing less than those between.
"""

import math

import numpy as np

from station.flow.pixels.lines import Copies, Turn
from station.flow.turn.series import middle

FALLEN, RISEN = 3.0, 1.0
"""Standard deviations by which a scattered copy changes less than its neighbours, and the line behind it more."""
SCATTERED = 448
"""One of so many lines is a copy where they are copies, eight in a turn of 3584; of those chance gives at most three,
and of more lines more."""
PAIRS = 18
"""Pairs of lines over which every other change is compared with those between; 36 lines, one percent of a turn of 3584.
As many in any turn: it takes so many to tell copies from chance, however long the turn is."""
PAIRED = 5.7
"""Standard deviations by which they differ where lines come twice; the surface's own texture gives at most five."""
SCATTER = 1.4826
"""Standard deviation in median absolute deviations, of a normal distribution."""
LEAST = 1e-6


def measured(turn: Turn) -> Copies:
    """How copies are looked for in a turn."""
    return Copies(turn, PAIRS, FALLEN, RISEN, SCATTER, LEAST)


def finding(turn: Turn, copies: Copies) -> str | None:
    """What was found, in words, or None; to be asked when the turn is over."""
    many = max(2, round(turn.blocks * turn.lines / SCATTERED))
    if found := max(copies.equal, copies.scattered if copies.scattered >= many else 0):
        return f"{found} {'line repeats' if found == 1 else 'lines repeat'} the line before"
    chances = sorted(copies.chances[: max(1, turn.blocks - 1)].tolist())
    chance = chances[len(chances) // 2] * math.sqrt(2 / PAIRS)
    if copies.most / chance < PAIRED:
        return None  # whatever is usual, nothing is farther beyond it
    means = copies.means[: copies.counted]
    usual = middle(means)
    beyond = np.maximum(means - max(usual, 0.0), min(usual, 0.0) - means)
    deviation = float(beyond.max()) / chance
    if deviation < PAIRED:
        return None
    line = 2 * int(beyond.argmax())
    return f"from line {line} on every other line repeats the line before ({deviation:.1f} deviations of chance)"
