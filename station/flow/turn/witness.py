"""What the lines of one turn say of the turn; each block is looked at when it is there, while the part still turns."""

from collections.abc import Iterable, Iterator

from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.part import Block, Pixels, Roi
from station.core.settings import TurnSettings
from station.flow.pixels import proofs
from station.flow.turn.copies import Copies
from station.flow.turn.lines import Flaws, measure, missing
from station.flow.turn.repeats import Repeats
from station.flow.turn.rows import Rows
from station.flow.turn.seam import Seam
from station.flow.turn.stillness import Stillness
from station.flow.turn.texture import texture

INSET_PX = 8
"""Columns at each edge of the part that are left out: edges wander, and chamfers glint."""
LINES_BESIDE = 8
"""Of a block, of which the background beside the part is taken."""
FLAWS_NAMED = 3


class TurnWitness:
    """Watches the blocks of one turn, in order; blocking, for the compute thread.

    Args:
        settings: What is to be proven.
        geometry: Lines of a turn and of a block.

    Attributes:
        doubt: The first thing that speaks against one whole turn, or None. Of a turn that is not over, only that lines
            hold no picture.
    """

    def __init__(self, settings: TurnSettings, geometry: Geometry) -> None:
        self._proofs = frozenset(settings.proofs)
        self._one_surface = settings.one_surface
        self._blocks_per_turn = geometry.blocks_per_turn
        self._rows = Rows.of(geometry)
        self._blocks = 0
        self._lines = Flaws()
        self._copies = Copies(geometry)
        self._last: Pixels | None = None
        self._flaws: list[str] = []
        self._stillness = Stillness(self._rows)
        self._repeats = Repeats(self._rows, geometry)
        self._seam = Seam(self._rows, geometry)
        self._refused = False
        self.doubt: PartError | None = None

    def take_unseen(self, block: Block) -> None:
        """Enter a block in which no part was found; lines of it may be missing."""
        self._tell(block, missing(block.pixels))

    def take(self, block: Block, roi: Roi) -> None:
        """Enter the next block; its pixels are read again while later ones are entered.

        Args:
            block: Lines of a block.
            roi: The part's columns.
        """
        if self._blocks == self._blocks_per_turn:
            return  # a turn has no more
        inset = min(INSET_PX, roi.width // 8)
        lines = block.pixels[:, roi.left + inset : roi.right - inset]
        series = measure(lines, self._last)
        self._tell(block, self._lines.of(series, _background(block.pixels, roi)))
        self._blocks += 1
        self._copies.take(series.step)
        self._last = lines[-1:]
        marks = texture(lines, self._rows)
        self._stillness.take(marks)
        self._repeats.take(lines, marks)
        self._seam.take(lines)
        if self.doubt is None and self._blocks == self._blocks_per_turn and not self._refused:
            self.doubt = next(self._doubts(), None)

    def refuse(self) -> None:
        """The part itself cannot be judged, which says more than its turn; lines that hold no picture say most."""
        self._refused = True
        if not self._flaws:
            self.doubt = None

    def _tell(self, block: Block, words: Iterable[str]) -> None:
        """Take down what is wrong with lines of a block, the first blocks by name."""
        self._flaws += [f"block {block.index}: {each}" for each in words]
        if self._flaws:
            rest = len(self._flaws) - FLAWS_NAMED
            more = f"; {rest} more" if rest > 0 else ""
            self.doubt = PartError("scan.incomplete", "; ".join(self._flaws[:FLAWS_NAMED]) + more)

    def _doubts(self) -> Iterator[PartError]:
        if "moving" in self._proofs and (still := self._stillness.finding()):
            yield PartError("scan.not_turned", still)
        if "once" in self._proofs and (again := self._repeats.finding):
            yield PartError("scan.repeated", again)
        if self._one_surface and (copied := self._copies.finding()):
            yield PartError("scan.incomplete", copied)
        if "closed" in self._proofs and (closing := self._seam.closing()).open:
            yield PartError("scan.not_closed", str(closing))


def _background(pixels: Pixels, roi: Roi) -> float:
    """Mean grey value beside the part, on the darker side, of some of the lines."""
    some = pixels[:: max(1, len(pixels) // LINES_BESIDE)]
    beside = [side for side in (some[:, : roi.left], some[:, roi.right :]) if side.size]
    return min((proofs.mean(side) for side in beside), default=0.0)
