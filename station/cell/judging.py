"""Steps 2 to 4 of one part: its blocks in, scores out. The same code judges a turning part and an image from disk."""

from dataclasses import replace

from station.core.errors import PartError
from station.core.part import Block, LineAccount, PartType, Roi, Scores, Strip
from station.core.ports.network import PatchClassifier
from station.core.settings import CropSettings, TurnSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import StripRoom, make_strip
from station.flow.score import score_strip
from station.flow.turn.witness import TurnWitness

EVERY_PROOF = TurnSettings()


class SurfaceJudge:
    """Judges the blocks of one part, in order; blocking, for the compute thread.

    The first block fixes the part's columns; the later ones only verify them.

    Args:
        part_type: The announced type.
        settings: How the part is told from the background.
        classifier: The network, which says the geometry of blocks and strips.
        turn: What the lines must prove of the turn.
    """

    def __init__(
        self,
        part_type: PartType,
        settings: CropSettings,
        classifier: PatchClassifier,
        turn: TurnSettings = EVERY_PROOF,
    ) -> None:
        self._part_type = part_type
        self._settings = settings
        self._classifier = classifier
        self._roi: Roi | None = None
        self._room = StripRoom(classifier.geometry)
        self._witness = TurnWitness(turn, classifier.geometry)

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

    def witnessed(self, account: LineAccount) -> LineAccount:
        """The account of the lines and, where it is good, what the lines themselves say against it."""
        doubt = self._witness.doubt
        if doubt is None or not account.valid:
            return account
        return replace(account, fault=doubt.fault, detail=doubt.detail)

    def _cut(self, block: Block) -> Strip:
        roi = self._roi = self._roi or self._find(block)
        try:
            crop = crop_block(block, roi, self._part_type, self._settings)
        except PartError:
            self._witness.refuse()
            raise
        finally:
            self._witness.take(block, roi)  # it reads a few lines here and there, which the crop has brought near
        return make_strip(crop, self._room)

    def _find(self, block: Block) -> Roi:
        try:
            roi = find_part(block.pixels, self._settings)
        except PartError:
            self._witness.take_unseen(block)
            self._witness.refuse()
            raise
        check_width(roi, self._part_type)
        return roi
