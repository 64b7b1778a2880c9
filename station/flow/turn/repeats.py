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
from station.flow.pixels import passes
from station.flow.turn.rows import ROWS_PER_TURN, Rows
from station.flow.turn.texture import Texture

Plane = NDArray[np.float32]

ROWS_AT_ONCE = ROWS_PER_TURN // 8
"""Rows that are waited for before they are compared, an eighth of the turn; shorter blocks wait for the next."""
CHUNK_ROWS = 56
"""Rows that are compared with so many at a time; small enough that numpy's own threads leave them alone, which would
go on spinning while the network wants their cores."""
EVERY_PAIR = 2
"""Of the pairs of columns every other one is compared: 256 numbers a window, and the lines themselves decide."""
STRIDE_ROWS = 2
WINDOW = 4
"""Rows of a window, every other one: seven rows, of 3584 lines 28."""
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
        self._rows = 0
        self._chunks: Plane = np.zeros((0, 0, 0), np.float32)
        self.finding: str | None = None

    def take(self, lines: Pixels, texture: Texture) -> None:
        """The next block's lines of the part, (lines, columns) uint8, and their texture; kept while the turn lasts."""
        self._blocks.append(lines)
        self._waiting.append(texture.rows)
        waiting = sum(map(len, self._waiting))
        if waiting < ROWS_AT_ONCE and len(self._blocks) < self._blocks_per_turn:
            return
        rows = _normalised(np.concatenate(self._waiting))
        self._waiting.clear()
        self._keep(rows)
        if self.finding is None and len(rows) >= STRIDE_ROWS * WINDOW:
            self.finding = next(filter(None, map(self._repeated, *self._suspicions(rows))), None)

    def _keep(self, rows: Plane) -> None:
        """Put rows beside those before them, in chunks of (columns, rows), into memory that is taken once a turn."""
        if not self._rows:
            chunks = -(-self._blocks_per_turn * self._of.per_block // CHUNK_ROWS)
            self._chunks = np.zeros((chunks, rows.shape[1], CHUNK_ROWS), np.float32)
        first, self._rows = self._rows, self._rows + len(rows)
        for number in range(first // CHUNK_ROWS, -(-self._rows // CHUNK_ROWS)):
            start = number * CHUNK_ROWS
            begin, end = max(first, start), min(self._rows, start + CHUNK_ROWS)
            self._chunks[number, :, begin - start : end - start] = rows[begin - first : end - first].T

    def _suspicions(self, rows: Plane) -> tuple[Sequence[int], Sequence[int]]:
        """Rows at which windows begin that look alike, the later and the earlier of each pair, the most alike first."""
        likeness = np.matmul(rows[::STRIDE_ROWS], self._chunks[: -(-self._rows // CHUNK_ROWS)])
        first = self._rows - len(rows)
        peaks, best = passes.peaks(likeness, WINDOW, STRIDE_ROWS, first, NEAREST_ROWS)
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


def _normalised(rows: Plane) -> Plane:
    """Rows without what they have in common, each of length 1."""
    fine = rows[:, ::EVERY_PAIR] - rows[:, ::EVERY_PAIR].mean(axis=0)
    fine -= fine.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", fine, fine))
    return np.asarray(fine / np.maximum(lengths, 1e-6)[:, np.newaxis], np.float32)


def _change(one: Pixels, other: Pixels) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size
