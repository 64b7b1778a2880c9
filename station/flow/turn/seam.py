"""Whether the last lines of a turn meet its first ones.

Marks of the tool go on from line to line, so that at every joint between two blocks of a turning part the lines before
it look like those behind it. How alike they are is learned at the joints inside the turn, and nothing has to be known
of the surface; then the last lines are laid against the first ones in the same way. A turn that is short of its end, of
which the part has slipped, or that was taken at another speed, ends on lines that its beginning does not continue. One
that is too long by a little shows its first lines again before its last, which costs nothing. Where a turn has fewer
than eight blocks, each is taken for several, so that there are joints enough to learn from.
"""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.joints import Joints, narrow_marks
from station.flow.pixels.lines import Turn
from station.flow.turn.rows import Rows

Marks = NDArray[np.float32]
"""Coarse and fine marks, (2, columns), each of length 1."""

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
    shortest = turn.lines // per_block
    coarse, fine, around = (_lines(each, rows, shortest) for each in (COARSE_ROWS, FINE_ROWS, AROUND_ROWS))
    return Joints(turn, per_block, coarse, fine, around, PROFILE_LINES, min(ACROSS_PX, 2 * turn.columns - 1), CLIP)


def _lines(count: float, rows: Rows, shortest: int) -> int:
    """So many rows in lines, at least one and no more than the shortest stretch has."""
    return min(max(1, int(count * rows.lines)), shortest)


def closing(joints: Joints, rows: Rows, lines: Pixels) -> Closing:
    """How the last lines of a turn meet its first ones; to be asked when it is over.

    Args:
        joints: Of the turn.
        rows: Of the turn.
        lines: The last block's lines of the part, (lines, columns) uint8.
    """
    joint = _Joint.learned(joints)
    seen = Closing(joint.share(joints.ends), joint.spread, 0)
    if not seen.open:
        return seen
    tail, head = joints.tails[-1], joints.heads[0]
    moved = max(joint.share(_likeness(tail, np.roll(head, px, axis=1))) for px in SIDEWAYS_PX)
    last = len(lines) * (joints.per_block - 1) // joints.per_block  # where the last stretch begins
    overlap = _overlap_lines(joints, _lines(OVERLAP_ROWS, rows, len(lines) // joints.per_block), lines[last:])
    return Closing(moved if moved >= SAME else seen.share, joint.spread, overlap)


@dataclass(frozen=True, slots=True)
class _Joint:
    """What is learned at the joints inside a turn.

    Attributes:
        weights: Of the likeness of coarse and of fine marks, so that their sum is 1 where lines meet.
        spread: By how much that sum scatters by chance.
    """

    weights: tuple[float, ...]
    spread: float

    @classmethod
    def learned(cls, joints: Joints) -> "_Joint":
        """From how alike the lines were that meet, and those that do not."""
        inside = len(joints.heads) - 2
        usual = [max(0.0, each / inside) for each in joints.meeting]
        chance = [math.sqrt(each) / inside for each in joints.apart]
        power = math.hypot(*usual) ** 2
        if power > 0:
            spread = math.hypot(*map(operator.mul, usual, chance)) / power
            return cls(tuple(each / power for each in usual), spread)
        return cls((0.0, 0.0), math.inf)

    def share(self, likeness: Iterable[float]) -> float:
        """So much likeness of coarse and of fine marks, as a share of what that of lines that meet is."""
        return sum(map(operator.mul, self.weights, likeness), 0.0)


def _overlap_lines(joints: Joints, most: int, lines: Pixels) -> int:
    """By how many lines, `most` at the most, the turn is too long: its first lines are seen in its last stretch."""
    seen = []
    count, marks = len(lines), np.empty(lines.shape[1], np.float32)
    around = range(0, count, max(1, count // joints.profile))
    for end in range(count + joints.coarse - most, count):
        narrow_marks(lines, range(end - joints.coarse, end), around, joints.wide, joints.clip, marks)
        seen.append(float(np.dot(marks, joints.heads[0][0])))
    best = int(np.argmax(seen)) if seen else 0
    return most - best if seen and seen[best] >= SAME else 0


def _likeness(before: Marks, behind: Marks) -> list[float]:
    """Of coarse and of fine marks: 1 the same, 0 nothing in common."""
    return [float(np.dot(*pair)) for pair in zip(before, behind, strict=True)]
