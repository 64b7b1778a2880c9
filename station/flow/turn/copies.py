"""Lines that repeat the line before them: what a frame grabber fills the place of a lost line with.

A copy differs from its line by nothing or, where noise is added behind the sensor, by noise alone; the line behind it
differs by all that two lines of the surface do. One copy in noise cannot be told from chance, several can: scattered
ones by how many lines change less than their neighbours and are followed by one that changes more, ones on end by every
other line changing less than those between.
"""

import numpy as np

from station.core.geometry import Geometry
from station.flow.pixels import proofs
from station.flow.turn.series import Series, middle

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


class Copies:
    """Counts the copies in one turn.

    Args:
        geometry: Lines of a turn and of a block.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._blocks = geometry.blocks_per_turn
        self._many = max(2, round(geometry.lines_per_turn / SCATTERED))
        self._lines = self._equal = self._scattered = 0
        self._before: Series = np.zeros(0)
        self._ratios: list[Series] = []
        self._chances: list[float] = []
        self._most = 0.0
        self._usual = (0.0, 0.0)

    def take(self, step: Series) -> None:
        """The next block's mean changes from the line before, (lines,), grey values."""
        change = np.log(np.maximum(step, LEAST))
        self._equal += int(np.count_nonzero(step == 0))
        self._compare(change)
        even = self._lines % 2  # where the turn's even lines begin in this block
        self._lines += len(change)
        # The last block is held against the one before, where there is one, which saves its time.
        learned = bool(self._chances) and len(self._ratios) == self._blocks
        if not learned:
            self._usual = (middle(change[even::2]), middle(change[1 - even :: 2]))
        for start, usual in zip((even, 1 - even), self._usual, strict=True):
            change[start::2] -= usual  # what every other line does is the surface's own
        if not learned:
            self._chances.append(max(SCATTER * middle(np.abs(np.diff(change))) / np.sqrt(2), LEAST))
        self._scattered += proofs.dips(change, FALLEN * self._chances[-1], RISEN * self._chances[-1])

    def finding(self) -> str | None:
        """What was found, in words, or None; to be asked when the turn is over."""
        if found := max(self._equal, self._scattered if self._scattered >= self._many else 0):
            return f"{found} {'line repeats' if found == 1 else 'lines repeat'} the line before"
        chance = sorted(self._chances)[len(self._chances) // 2] * np.sqrt(2 / PAIRS)
        if self._most / chance < PAIRED:
            return None  # whatever is usual, nothing is farther beyond it
        ratios = np.concatenate(self._ratios)
        usual = middle(ratios)
        beyond = np.maximum(ratios - max(usual, 0.0), min(usual, 0.0) - ratios)
        deviation = float(beyond.max()) / chance
        if deviation < PAIRED:
            return None
        line = 2 * int(beyond.argmax())
        return f"from line {line} on every other line repeats the line before ({deviation:.1f} deviations of chance)"

    def _compare(self, change: Series) -> None:
        """How much more even lines change than odd ones, in logarithms, in every window of pairs."""
        change = np.concatenate([self._before, change])
        ratios, most = proofs.alternation(change, PAIRS)
        self._ratios.append(ratios)
        self._most = max(self._most, most)
        self._before = change[max(0, 2 * (len(change) // 2 - PAIRS + 1)) :]
