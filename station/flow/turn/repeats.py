"""Whether a stretch of the turn comes again: the same block twice, two turns in one, a buffer that was sent anew.

Rows of texture are compared with all rows before them; four rows, every other one of seven, that look like four others
as far apart are a suspicion. It is looked at in the lines themselves: what was exposed once is as alike as neighbouring
lines are, at least; what only looks alike is not.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.geometry import BLOCKS_PER_TURN
from station.core.part import Pixels
from station.flow.pixels import passes
from station.flow.turn.texture import LINES_PER_ROW, Texture

Plane = NDArray[np.float32]

CHUNK_ROWS = 56
"""Rows that are compared with so many at a time; small enough that numpy's own threads leave them alone, which would
go on spinning while the network wants their cores."""
EVERY_PAIR = 2
"""Of the pairs of columns every other one is compared: 256 numbers a window, and the lines themselves decide."""
STRIDE_ROWS = 2
WINDOW = 4
"""Rows of a window, every other one: 28 lines."""
NEAREST_ROWS = 9
"""Rows, 36 lines, from which on a stretch counts as coming again; nearer ones look alike by nature."""
SUSPECT = 0.35
"""Mean correlation of a window from which on its lines are compared."""
SUSPICIONS = 4
"""At most so many a block."""
LINES_COMPARED = 24
SHIFT_LINES = 4
NATURE_LINES = 16
REPEATED_SHARE = 0.4
"""Of the way from the change between neighbouring lines to that between lines 16 apart."""


class Repeats:
    """Compares each block of a turn with all before it, and with itself."""

    def __init__(self) -> None:
        self._blocks: list[Pixels] = []
        self._rows = 0
        self._chunks: Plane = np.zeros((0, 0, 0), np.float32)
        self.finding: str | None = None

    def take(self, lines: Pixels, texture: Texture) -> None:
        """The next block's lines of the part, (448, columns) uint8, and their texture; kept until the turn is over."""
        rows = _normalised(texture.rows)
        self._blocks.append(lines)
        self._keep(rows)
        if self.finding is None:
            self.finding = next(filter(None, map(self._repeated, *self._suspicions(rows))), None)

    def _keep(self, rows: Plane) -> None:
        """Put rows beside those before them, in chunks of (columns, rows), into memory that is taken once a turn."""
        if not self._rows:
            chunks = BLOCKS_PER_TURN * len(rows) // CHUNK_ROWS
            self._chunks = np.empty((chunks, rows.shape[1], CHUNK_ROWS), np.float32)
        first = self._rows // CHUNK_ROWS
        self._rows += len(rows)
        chunks_of_block = rows.reshape(-1, CHUNK_ROWS, rows.shape[1]).transpose(0, 2, 1)
        self._chunks[first : self._rows // CHUNK_ROWS] = chunks_of_block

    def _suspicions(self, rows: Plane) -> tuple[Sequence[int], Sequence[int]]:
        """Rows at which windows begin that look alike, the later and the earlier of each pair, the most alike first."""
        likeness = np.matmul(rows[::STRIDE_ROWS], self._chunks[: self._rows // CHUNK_ROWS])
        first = self._rows - len(rows)
        peaks, best = passes.peaks(likeness, WINDOW, STRIDE_ROWS, first, NEAREST_ROWS)
        if peaks.max() < SUSPECT:
            return [], []
        order = [int(one) for one in np.argsort(-peaks)[:SUSPICIONS] if peaks[one] >= SUSPECT]
        return [first + STRIDE_ROWS * one for one in order], [int(best[one]) for one in order]

    def _repeated(self, later: int, earlier: int) -> str | None:
        """What is seen of a suspicion in the lines themselves, in words, or None where it only looks alike."""
        at, before = later * LINES_PER_ROW, earlier * LINES_PER_ROW
        lines = self._lines(at, LINES_COMPARED)
        near = _change(lines[1:], lines[:-1])
        far = _change(lines[NATURE_LINES:], lines[:-NATURE_LINES])
        shifts = [shift for shift in range(-SHIFT_LINES, SHIFT_LINES + 1) if before + shift >= 0]
        changes = [_change(lines, self._lines(before + shift, LINES_COMPARED)) for shift in shifts]
        if min(changes) >= near + REPEATED_SHARE * (far - near):
            return None
        start = before + shifts[int(np.argmin(changes))]
        return (
            f"lines {at} to {at + LINES_COMPARED - 1} show lines {start} to {start + LINES_COMPARED - 1} again: they "
            f"differ by {min(changes):.1f}, neighbouring lines by {near:.1f}, lines {NATURE_LINES} apart by {far:.1f}"
        )

    def _lines(self, start: int, count: int) -> Pixels:
        """Lines of the turn that may lie in two blocks."""
        length = len(self._blocks[0])
        block, line = divmod(start, length)
        piece = self._blocks[block][line : line + count]
        return piece if len(piece) == count else np.concatenate([piece, self._blocks[block + 1][: count - len(piece)]])


def _normalised(rows: Plane) -> Plane:
    """Rows without what the block has in common, each of length 1."""
    fine = rows[:, ::EVERY_PAIR] - rows[:, ::EVERY_PAIR].mean(axis=0)
    fine -= fine.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", fine, fine))
    return np.asarray(fine / np.maximum(lengths, 1e-6)[:, np.newaxis], np.float32)


def _change(one: Pixels, other: Pixels) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size
