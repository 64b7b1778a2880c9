"""Whether the last lines of a turn meet its first ones.

Marks of the tool go on from line to line, so that at every joint between two blocks of a turning part the lines before
it look like those behind it. How alike they are is learned at the joints inside the turn, and nothing has to be known
of the surface; then the last lines are laid against the first ones in the same way. A turn that is short of its end, of
which the part has slipped, or that was taken at another speed, ends on lines that its beginning does not continue. One
that is too long by a little shows its first lines again before its last, which costs nothing. Where a turn has fewer
than eight blocks, each is taken for several, so that there are joints enough to learn from.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from station.core.geometry import Geometry
from station.core.part import Pixels
from station.flow.pixels import proofs
from station.flow.turn.rows import Rows

Row = NDArray[np.float32]
Marks = NDArray[np.float32]
"""Coarse and fine marks, (2, columns), each of length 1."""
Likeness = NDArray[np.float64]
"""Of coarse and of fine marks, (2,)."""

STRETCHES = 8
"""At least so many stretches of a turn are laid against each other; more where it has more blocks."""
COARSE_ROWS, FINE_ROWS = 2, 0.5
"""Rows, at least a line, that are averaged before they are compared: the coarse marks outlast noise, the fine ones tell
short gaps."""
AROUND_ROWS = 12
"""Of the fine marks everything is left out that so many rows have in common."""
ACROSS_PX = 15
"""Across the part everything wider is left out: light, stains and broad marks look alike far away, too."""
CLIP = 4.0
"""Mean deviations at which a pixel is cut off, so that a defect at the joint does not outweigh the rest."""
OVERLAP_ROWS = 7
"""By so many rows a turn may be too long; of more it is found that they come again."""
SAME = 0.7
"""Likeness of the same lines seen twice, and of the ends where the part has moved sideways by a pixel or two."""
MEETS = 0.5
"""Share of the likeness inside the turn from which on the ends meet; ends that lie far apart have none."""
SURE = 4.0
"""Standard deviations of chance by which the ends must be less alike than the joints; noise hides a seam in the end."""
SIDEWAYS_PX = (-2, -1, 1, 2)
LEARNED_FROM = 3
"""Blocks from which on there is something to learn from."""
PROFILE_LINES = 56
"""What a block has in common is taken from so many of its lines, of 448 from every eighth."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a turn closes.

    Attributes:
        share: Likeness of the ends, as a share of that at the joints inside the turn.
        spread: By how much the share scatters by chance.
        overlap_lines: How many of the last lines show the first ones again, 0 for none.
    """

    share: float
    spread: float
    overlap_lines: int

    @property
    def hidden(self) -> bool:
        """Whether noise, or a surface without marks, leaves nothing to tell an open turn by."""
        return SURE * self.spread >= 1

    @property
    def open(self) -> bool:
        """Whether the ends do not meet."""
        return self.share < min(MEETS, 1 - SURE * self.spread) and not self.overlap_lines

    def __str__(self) -> str:
        """What was seen, for people."""
        return f"the last lines meet the first by {max(0.0, self.share):.0%} of what lines inside the turn do"


class Seam:
    """Learns at the joints between the blocks of a turn how alike their lines are, and compares the turn's own ends.

    All that can be learned is learned before the last block comes: of that one only the last lines are looked at.

    Args:
        rows: Of a turn.
        geometry: Blocks of a turn.
    """

    def __init__(self, rows: Rows, geometry: Geometry) -> None:
        self._stretches_per_block = -(-STRETCHES // geometry.blocks_per_turn)
        self._stretches = self._stretches_per_block * geometry.blocks_per_turn
        shortest = geometry.lines_per_block // self._stretches_per_block
        self._coarse, self._fine, self._around, self._overlap = (
            min(max(1, int(each * rows.lines)), shortest)
            for each in (COARSE_ROWS, FINE_ROWS, AROUND_ROWS, OVERLAP_ROWS)
        )
        self._heads: list[Marks] = []
        self._tails: list[Marks] = []
        self._lines = np.zeros((0, 0), np.uint8)
        self._weights = np.zeros(2)
        self._spread = np.inf

    def take(self, lines: Pixels) -> None:
        """The next block's lines of the part, (lines, columns) uint8; the last block's are read again by `closing`."""
        bounds = [len(lines) * number // self._stretches_per_block for number in range(self._stretches_per_block + 1)]
        for start, end in pairwise(bounds):
            self._take(lines[start:end])

    def _take(self, lines: Pixels) -> None:
        self._lines, count = lines, len(lines)
        coarse, fine = range(count - self._coarse, count), range(count - self._fine, count)
        self._tails.append(_marks(lines, coarse, fine, range(count - self._around, count)))
        if len(self._heads) < self._stretches - 1:
            self._heads.append(_marks(lines, range(self._coarse), range(self._fine), range(self._around)))
            self._learn()

    def _learn(self) -> None:
        """From the joints so far, how alike lines are that meet, and by chance."""
        pairs = np.matmul(np.stack(self._tails, axis=1), np.stack(self._heads, axis=2))
        ahead = np.arange(len(self._heads)) - np.arange(len(self._heads))[:, np.newaxis]
        if len(self._heads) < LEARNED_FROM:
            return
        usual = pairs[:, ahead == 1].mean(axis=1).clip(min=0)
        chance = np.sqrt(np.mean(np.square(pairs[:, (ahead != 0) & (ahead != 1)]), axis=1))
        power = float((usual**2).sum())
        if power > 0:
            self._weights = usual / power
            self._spread = float(np.sqrt(((usual * chance) ** 2).sum())) / power

    def closing(self) -> Closing:
        """How the last block's lines meet those of the first; to be asked when the turn is over."""
        closing = Closing(self._share(self._heads[0]), self._spread, 0)
        if not closing.open:
            return closing
        moved = max(self._share(np.roll(self._heads[0], px, axis=1)) for px in SIDEWAYS_PX)
        return Closing(moved if moved >= SAME else closing.share, self._spread, self._overlap_lines())

    def _share(self, head: Marks) -> float:
        return float(np.dot(self._weights, _likeness(self._tails[-1], head)))

    def _overlap_lines(self) -> int:
        """By how many lines the turn is too long, where the first lines are seen again."""
        seen = []
        count, marks = len(self._lines), np.empty(self._lines.shape[1], np.float32)
        for end in range(count + self._coarse - self._overlap, count):
            window = range(end - self._coarse, end)
            _narrow(self._lines, window, _spread_over(count), marks)
            seen.append(float(np.dot(marks, self._heads[0][0])))
        best = int(np.argmax(seen)) if seen else 0
        return self._overlap - best if seen and seen[best] >= SAME else 0


def _marks(lines: Pixels, coarse: range, fine: range, around: range) -> Marks:
    """Coarse marks against lines of the whole stretch, fine ones against those around them."""
    marks = np.empty((2, lines.shape[1]), np.float32)
    _narrow(lines, coarse, _spread_over(len(lines)), marks[0])
    _narrow(lines, fine, around, marks[1])
    return marks


def _spread_over(count: int) -> range:
    return range(0, count, max(1, count // PROFILE_LINES))


def _narrow(lines: Pixels, some: range, around: range, marks: Row) -> None:
    """What is narrow in some lines, and nothing that is far off, against others."""
    proofs.narrow_marks(lines, some, around, min(ACROSS_PX, 2 * lines.shape[1] - 1), CLIP, marks)


def _likeness(before: Marks, behind: Marks) -> Likeness:
    """Of coarse and of fine marks: 1 the same, 0 nothing in common."""
    return np.asarray(np.einsum("ij,ij->i", before, behind), np.float64)
