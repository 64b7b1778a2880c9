"""Whether a stretch of the turn comes again: the same block twice, two turns in one, a buffer that was sent anew.

Rows of texture are compared with all rows before them; four rows, every other one of seven, that look like four others
as far apart are a suspicion. It is looked at in the lines themselves: what was exposed once is as alike as neighbouring
lines are, at least; what only looks alike is not.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.geometry import Geometry
from station.core.part import Pixels
from station.flow.pixels import proofs
from station.flow.turn.rows import ROWS_PER_TURN, Rows
from station.flow.turn.texture import Texture

Plane = NDArray[np.float32]

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


class Repeats:
    """Compares each block of a turn with all before it, and with itself.

    Args:
        rows: Of a turn.
        geometry: Blocks of a turn.
    """

    def __init__(self, rows: Rows, geometry: Geometry) -> None:
        self._of = rows
        self._blocks_per_turn = geometry.blocks_per_turn
        self._blocks: list[Pixels] = []
        self._waiting: list[Plane] = []
        self._rows = np.empty((geometry.blocks_per_turn * rows.per_block, proofs.FEATURES), np.int16)
        self._count = 0
        self.finding: str | None = None

    def take(self, lines: Pixels, texture: Texture) -> None:
        """The next block's lines of the part, (lines, columns) uint8, and their texture; kept while the turn lasts."""
        self._blocks.append(lines)
        self._waiting.append(texture.rows)
        waiting = sum(map(len, self._waiting))
        if waiting < ROWS_AT_ONCE and len(self._blocks) < self._blocks_per_turn:
            return
        first, self._count = self._count, self._count + waiting
        waited = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        proofs.normalise(waited, EVERY_PAIR, self._rows[first : self._count])
        self._waiting.clear()
        if self.finding is None and waiting >= STRIDE_ROWS * proofs.WINDOW:
            self.finding = next(filter(None, map(self._repeated, *self._suspicions(first))), None)

    def _suspicions(self, first: int) -> tuple[Sequence[int], Sequence[int]]:
        """Rows at which windows begin that look alike, the later and the earlier of each pair, the most alike first."""
        peaks, best = proofs.again(self._rows[: self._count], first, STRIDE_ROWS, NEAREST_ROWS, SUSPECT)
        if peaks.max() < SUSPECT:
            return [], []
        order = [int(one) for one in np.argsort(-peaks)[:SUSPICIONS] if peaks[one] >= SUSPECT]
        return [first + STRIDE_ROWS * one for one in order], [int(best[one]) for one in order]

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


def _change(one: Pixels, other: Pixels) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size
