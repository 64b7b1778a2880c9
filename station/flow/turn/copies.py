"""Lines that repeat the line before them: what a frame grabber fills the place of a lost line with.

A copy differs from its line by nothing or, where noise is added behind the sensor, by noise alone; the line behind it
differs by all that two lines of the surface do. One copy in noise cannot be told from chance, several can: scattered
ones by how many lines change less than their neighbours and are followed by one that changes more, ones on end by every
other line changing less than those between.
"""

import numpy as np
from numpy.typing import NDArray

from station.core.geometry import BLOCKS_PER_TURN
from station.flow.turn.series import Series, middle

FALLEN, RISEN = 3.0, 1.0
"""Standard deviations by which a scattered copy changes less than its neighbours, and the line behind it more."""
SCATTERED = 8
"""So many of them in one turn are copies; of 3584 lines chance gives at most three."""
BESIDE = np.array([-3, -2, -1, 2, 3])
"""The lines that a line is compared with, counted from it: three before it, and two behind the next."""
PAIRS = 18
"""Pairs of lines over which every other change is compared with those between; 36 lines, one percent of the turn."""
PAIRED = 5.7
"""Standard deviations by which they differ where lines come twice; the surface's own texture gives at most five."""
SCATTER = 1.4826
"""Standard deviation in median absolute deviations, of a normal distribution."""
LEAST = 1e-6


class Copies:
    """Counts the copies in one turn."""

    def __init__(self) -> None:
        self._equal = self._scattered = 0
        self._before: Series = np.zeros(0)
        self._ratios: list[Series] = []
        self._chances: list[float] = []
        self._usual = (0.0, 0.0)

    def take(self, step: Series) -> None:
        """The next block's mean changes from the line before, (448,), grey values."""
        change = np.log(np.maximum(step, LEAST))
        self._equal += int(np.count_nonzero(step == 0))
        self._ratios.append(_every_other(np.concatenate([self._before, change])))
        self._before = change[-2 * (PAIRS - 1) :].copy()
        if len(self._ratios) < BLOCKS_PER_TURN:  # the last block is held against the one before, which saves its time
            self._usual = (middle(change[0::2]), middle(change[1::2]))
        for start, usual in enumerate(self._usual):
            change[start::2] -= usual  # what every other line does is the surface's own
        rise = np.diff(change)
        if len(self._ratios) < BLOCKS_PER_TURN:
            self._chances.append(max(SCATTER * middle(np.abs(rise)) / np.sqrt(2), LEAST))
        self._scattered += int(np.count_nonzero(_scattered(change, rise, self._chances[-1])))

    def finding(self) -> str | None:
        """What was found, in words, or None; to be asked when the turn is over."""
        if found := max(self._equal, self._scattered if self._scattered >= SCATTERED else 0):
            return f"{found} {'line repeats' if found == 1 else 'lines repeat'} the line before"
        ratios = np.concatenate(self._ratios)
        usual = middle(ratios)
        beyond = np.maximum(ratios - max(usual, 0.0), min(usual, 0.0) - ratios)
        deviation = float(beyond.max()) / (sorted(self._chances)[len(self._chances) // 2] * np.sqrt(2 / PAIRS))
        if deviation < PAIRED:
            return None
        line = 2 * int(beyond.argmax())
        return f"from line {line} on every other line repeats the line before ({deviation:.1f} deviations of chance)"


def _every_other(change: Series) -> Series:
    """How much more even lines change than odd ones, in logarithms, in every window of pairs."""
    sums = np.concatenate([[0.0], np.cumsum(change[0::2] - change[1::2])])
    return np.asarray((sums[PAIRS:] - sums[:-PAIRS]) / PAIRS)


def _scattered(change: Series, rise: Series, chance: float) -> NDArray[np.bool_]:
    """Lines that change little between lines that change as usual, where the next one changes more."""
    copied = np.zeros(len(change), np.bool_)
    maybe = np.flatnonzero(rise > (FALLEN + RISEN) * chance)
    if len(maybe):
        near = np.sort(change[(maybe[:, np.newaxis] + BESIDE).clip(0, len(change) - 1)], axis=1)
        copied[maybe] = change[maybe] < near[:, 1] - FALLEN * chance
        copied[maybe] &= change[maybe + 1] > near[:, 2] + RISEN * chance
    return copied
