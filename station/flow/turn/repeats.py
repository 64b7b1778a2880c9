"""Whether a stretch of the turn comes again: the same block twice, two turns in one, a buffer that was sent anew.

Rows of texture are compared with all rows before them; four rows, every other one of seven, that look like four others
as far apart are a suspicion. It is looked at in the lines themselves: what was exposed once is as alike as neighbouring
lines are, at least; what only looks alike is not.
"""

from collections.abc import Iterator
from itertools import starmap

import cv2
import numpy as np

from station.core.part import Pixels
from station.flow.pixels.rows import WHOLE, Repeats, Texture
from station.flow.turn.rows import ROWS_PER_TURN, Rows

ROWS_AT_ONCE = ROWS_PER_TURN // 8
"""Rows that are waited for before they are compared, an eighth of the turn; shorter blocks wait for the next."""
EVERY_PAIR = 2
"""Of the pairs of columns every other one is compared: 256 numbers a window, and the lines themselves decide."""
STRIDE_ROWS = 2
"""A window is four rows, every other one: within seven rows, of 3584 lines 28."""
NEAREST_ROWS = 9
"""Rows, one percent of the turn, from which on a stretch counts as coming again; nearer ones look alike by nature."""
SUSPECT = 0.35
"""Mean correlation of a window from which on its lines are compared."""
SUSPICIONS = 4
"""At most so many each time."""
COMPARED_ROWS, SHIFT_ROWS, NATURE_ROWS = 6, 1, 4
"""In the lines themselves: how many are compared, how far the place may be off, and how far lines are apart that are
not alike by nature."""
REPEATED_SHARE = 0.4
"""Of the way from the change between neighbouring lines to that between lines four rows apart."""


def measured(texture: Texture) -> Repeats:
    """How rows of a turn are looked for again."""
    return Repeats(texture, ROWS_AT_ONCE, EVERY_PAIR, STRIDE_ROWS, NEAREST_ROWS, SUSPECT)


class Suspicions:
    """Looks at what seems to come again in the lines themselves.

    Args:
        rows: Of a turn.

    Attributes:
        finding: What comes again, in words, or None.
    """

    def __init__(self, rows: Rows) -> None:
        self._of = rows
        self._blocks: list[Pixels] = []
        self.finding: str | None = None

    def take(self, lines: Pixels, repeats: Repeats) -> None:
        """The next block's lines of the part, kept while the turn lasts, and what seems to come again in them.

        Args:
            lines: (lines, columns) uint8.
            repeats: Of the block.
        """
        self._blocks.append(lines)
        if self.finding is None and repeats.highest >= repeats.least:
            self.finding = next(filter(None, starmap(self._repeated, _suspicions(repeats))), None)

    def _repeated(self, later: int, earlier: int) -> str | None:
        """What is seen of a suspicion in the lines themselves, in words, or None where it only looks alike."""
        at, before = self._of.line(later), self._of.line(earlier)
        compared, most, apart = (rows * self._of.lines for rows in (COMPARED_ROWS, SHIFT_ROWS, NATURE_ROWS))
        lines = self._lines(at, compared)
        near = _change(lines[1:], lines[:-1])
        far = _change(lines[apart:], lines[:-apart])
        shifts = [shift for shift in range(-most, most + 1) if before + shift >= 0]
        changes = [_change(lines, self._lines(before + shift, compared)) for shift in shifts]
        if min(changes) >= near + REPEATED_SHARE * (far - near):
            return None
        start = before + shifts[int(np.argmin(changes))]
        return (
            f"lines {at} to {at + compared - 1} show lines {start} to {start + compared - 1} again: they "
            f"differ by {min(changes):.1f}, neighbouring lines by {near:.1f}, lines {apart} apart by {far:.1f}"
        )

    def _lines(self, start: int, count: int) -> Pixels:
        """Lines of the turn that may lie in several blocks."""
        block, line = divmod(start, self._of.lines_per_block)
        piece = self._blocks[block][line : line + count]
        if len(piece) == count:
            return piece
        return np.concatenate([piece, self._lines(start + len(piece), count - len(piece))])


def _suspicions(repeats: Repeats) -> Iterator[tuple[int, int]]:
    """Rows at which windows begin that look alike, the later and the earlier of each pair, the most alike first."""
    likeness = (repeats.peaks[: repeats.windows] / WHOLE).astype(np.float32)
    for window in np.argsort(-likeness)[:SUSPICIONS]:
        if likeness[window] >= SUSPECT:
            yield repeats.first + STRIDE_ROWS * int(window), int(repeats.places[window])


def _change(one: Pixels, other: Pixels) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size
