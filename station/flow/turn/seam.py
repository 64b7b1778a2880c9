"""Whether the last lines of a turn meet its first ones.

Marks of the tool go on from line to line, so that at every joint between two blocks of a turning part the lines before
it look like those behind it. How alike they are is learned at the joints inside the turn, and nothing has to be known
of the surface; then the last lines are laid against the first ones in the same way. A turn that is short of its end, of
which the part has slipped, or that was taken at another speed, ends on lines that its beginning does not continue. One
that is too long by a little shows its first lines again before its last, which costs nothing. Where a turn has fewer
than eight blocks, each is taken for several, so that there are joints enough to learn from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.joints import Joints, narrow_marks
from station.flow.pixels.lines import Turn
from station.flow.turn.rows import Rows

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
    def open(self) -> bool:
        """Whether the ends do not meet."""
        return self.share < min(MEETS, 1 - SURE * self.spread) and not self.overlap_lines

    def __str__(self) -> str:
        """What was seen, for people."""
        return f"the last lines meet the first by {max(0.0, self.share):.0%} of what lines inside the turn do"


def measured(turn: Turn, rows: Rows) -> Joints:
    """How the lines at the joints of a turn are measured."""
    per_block = -(-STRETCHES // turn.blocks)
    coarse, fine, around = (_lines(each, turn, rows) for each in (COARSE_ROWS, FINE_ROWS, AROUND_ROWS))
    return Joints(turn, per_block, coarse, fine, around, PROFILE_LINES, min(ACROSS_PX, 2 * turn.columns - 1), CLIP)


def _lines(count: float, turn: Turn, rows: Rows) -> int:
    """So many rows in lines, at least one and no more than the shortest stretch has."""
    return min(max(1, int(count * rows.lines)), turn.lines // -(-STRETCHES // turn.blocks))


class Seam:
    """Learns at the joints between the stretches of a turn how alike their lines are, and compares the turn's own ends.

    All that can be learned is learned before the last stretch comes: of that one only the last lines are looked at.

    Args:
        turn: Its blocks.
        rows: Of a turn.
        joints: Of the turn.
    """

    def __init__(self, turn: Turn, rows: Rows, joints: Joints) -> None:
        self._joints = joints
        self._overlap = _lines(OVERLAP_ROWS, turn, rows)
        self._learned = False
        self._weights: Likeness = np.zeros(2)
        self._spread = np.inf

    def learn(self) -> None:
        """How alike lines are that meet, and by chance; to be asked after each block, done when there is all of it."""
        last = len(self._joints.heads) - 1
        if self._learned or self._joints.count < last:
            return
        self._learned = True
        tails, heads = self._joints.tails[:last], self._joints.heads[:last]
        pairs = np.matmul(tails.transpose(1, 0, 2), heads.transpose(1, 2, 0))
        ahead = np.arange(last) - np.arange(last)[:, np.newaxis]
        usual = pairs[:, ahead == 1].mean(axis=1).clip(min=0)
        chance = np.sqrt(np.mean(np.square(pairs[:, (ahead != 0) & (ahead != 1)]), axis=1))
        power = float((usual**2).sum())
        if power > 0:
            self._weights = usual / power
            self._spread = float(np.sqrt(((usual * chance) ** 2).sum())) / power

    def closing(self, lines: Pixels) -> Closing:
        """How the turn's last lines meet its first ones; to be asked when the turn is over.

        Args:
            lines: The last block's lines of the part, (lines, columns) uint8.
        """
        head = self._joints.heads[0]
        closing = Closing(self._share(head), self._spread, 0)
        if not closing.open:
            return closing
        moved = max(self._share(np.roll(head, px, axis=1)) for px in SIDEWAYS_PX)
        last = len(lines) * (self._joints.per_block - 1) // self._joints.per_block  # where the last stretch begins
        return Closing(moved if moved >= SAME else closing.share, self._spread, self._overlap_lines(lines[last:]))

    def _share(self, head: Marks) -> float:
        return float(np.dot(self._weights, _likeness(self._joints.tails[-1], head)))

    def _overlap_lines(self, lines: Pixels) -> int:
        """By how many lines the turn is too long, where the first lines are seen again."""
        seen = []
        count, marks = len(lines), np.empty(lines.shape[1], np.float32)
        joints, around = self._joints, range(0, count, max(1, count // PROFILE_LINES))
        for end in range(count + joints.coarse - self._overlap, count):
            narrow_marks(lines, range(end - joints.coarse, end), around, joints.wide, joints.clip, marks)
            seen.append(float(np.dot(marks, joints.heads[0][0])))
        best = int(np.argmax(seen)) if seen else 0
        return self._overlap - best if seen and seen[best] >= SAME else 0


def _likeness(before: Marks, behind: Marks) -> Likeness:
    """Of coarse and of fine marks: 1 the same, 0 nothing in common."""
    return np.asarray(np.einsum("ij,ij->i", before, behind), np.float64)
