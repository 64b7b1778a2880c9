"""One part's passage under the camera: measured block by block, proven when its turn is over."""

from collections.abc import Iterator

import numpy as np

from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.part import Pixels, Roi
from station.core.settings import TurnSettings
from station.flow.pixels.lines import Lines, Turn
from station.flow.pixels.proofs import Proofs
from station.flow.turn import copies, lines, repeats, seam, stillness, texture
from station.flow.turn.rows import Rows


class Passage:
    """Measures the blocks of one turn, in order, and tells what they do not prove.

    Args:
        geometry: Lines of a turn and of a block.
        columns: The part's, without its edges.

    Raises:
        ValueError: The part is too narrow, or a block too short, to be measured at all.
    """

    def __init__(self, geometry: Geometry, columns: int) -> None:
        turn = Turn(geometry.lines_per_block, columns, geometry.blocks_per_turn)
        self._rows = Rows.of(geometry)
        marks = texture.measured(turn, self._rows)
        self._measured = Proofs(
            turn, lines.measured(turn), copies.measured(turn), marks,
            stillness.measured(marks), repeats.measured(marks), seam.measured(turn, self._rows),
        )  # fmt: skip
        self._suspicions = repeats.Suspicions(self._rows)
        self._last: Pixels = np.zeros((0, columns), np.uint8)

    def over(self) -> bool:
        """Whether the turn has no more blocks."""
        return self._measured.turn.taken == self._measured.turn.blocks

    def take(self, pixels: Pixels, roi: Roi, first: int) -> Lines:
        """What the lines of the next block are; they are read again while later ones are taken.

        Args:
            pixels: (lines, sensor width) uint8.
            roi: The part's columns.
            first: The first of them that is measured.

        Raises:
            ValueError: A block of another shape.
        """
        measured = self._measured
        measured.take(pixels, roi, first)
        self._last = pixels[:, first : first + measured.turn.columns]
        self._suspicions.take(self._last, measured.repeats)
        return measured.lines

    def doubts(self, settings: TurnSettings) -> Iterator[PartError]:
        """What speaks against the whole turn; to be asked when it is over."""
        measured = self._measured
        if "moving" in settings.proofs and (still := stillness.finding(measured.stillness, self._rows)):
            yield PartError("scan.not_turned", still)
        if "once" in settings.proofs and (again := self._suspicions.finding):
            yield PartError("scan.repeated", again)
        if settings.one_surface and (copied := copies.finding(measured.turn, measured.copies)):
            yield PartError("scan.incomplete", copied)
        if "closed" in settings.proofs and (ends := seam.closing(measured.joints, self._rows, self._last)).open:
            yield PartError("scan.not_closed", str(ends))
