"""Steps 2 to 4 of one part: its blocks in, scores out. The same code judges a turning part and an image from disk."""

from station.core.part import Block, PartType, Roi, Scores, Strip
from station.core.ports import PatchClassifier
from station.core.settings import CropSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import StripRoom, make_strip
from station.flow.score import score_strip


class SurfaceJudge:
    """Judges the blocks of one part, in order; blocking, for the compute thread.

    The first block fixes the part's columns; the later ones only verify them.

    Args:
        part_type: The announced type.
        settings: How the part is told from the background.
        classifier: The network.
    """

    def __init__(self, part_type: PartType, settings: CropSettings, classifier: PatchClassifier) -> None:
        self._part_type = part_type
        self._settings = settings
        self._classifier = classifier
        self._roi: Roi | None = None
        self._room = StripRoom()

    @property
    def roi(self) -> Roi | None:
        """The part's columns, once the first block was taken."""
        return self._roi

    def take(self, block: Block) -> Scores:
        """The scores of this block's strip.

        Raises:
            PartError: The jig is empty, or the part is not where or what it should be.
            ModelError: The network fails.
        """
        return score_strip(self._cut(block), self._classifier)

    def _cut(self, block: Block) -> Strip:
        if self._roi is None:
            roi = find_part(block.pixels, self._settings)
            check_width(roi, self._part_type)
            self._roi = roi
        return make_strip(crop_block(block, self._roi, self._part_type, self._settings), self._room)
