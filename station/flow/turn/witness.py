"""What the lines of one turn say of the turn; each block is looked at when it is there, while the part still turns."""

from collections.abc import Iterable

from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.part import Block, Roi
from station.core.settings import TurnSettings
from station.flow.turn.lines import Flaws, missing
from station.flow.turn.passage import Passage

INSET_PX = 8
"""Columns at each edge of the part that are left out: edges wander, and chamfers glint."""
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
        self._settings = settings
        self._geometry = geometry
        self._passage: Passage | None = None
        self._lines = Flaws()
        self._flaws: list[str] = []
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
        inset = min(INSET_PX, roi.width // 8)
        passage = self._passage = self._passage or Passage(self._geometry, roi.width - 2 * inset)
        if passage.over():
            return  # a turn has no more
        self._tell(block, self._lines.of(passage.take(block.pixels, roi, roi.left + inset)))
        if self.doubt is None and passage.over() and not self._refused:
            self.doubt = next(passage.doubts(self._settings), None)

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
