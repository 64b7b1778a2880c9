"""Steps 2 to 4 of one part: its blocks in, scores out. The same code judges a turning part and an image from disk."""

from dataclasses import replace

from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.part import Block, LineAccount, PartType, Roi, Scores, Strip
from station.core.ports.network import PatchClassifier
from station.core.settings import CropSettings, TurnSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import StripRoom, make_strip
from station.flow.score import score_strip
from station.flow.turn.witness import TurnWitness

EVERY_PROOF = TurnSettings()


class SurfaceCutter:
    """Cuts the blocks of one part, in order, into strips: steps 2 and 3; blocking.

    The first block fixes the part's columns; the later ones only verify them.

    Args:
        part_type: The announced type.
        geometry: Of blocks and strips.
        settings: How the part is told from the background.
        turn: What the lines must prove of the turn.
    """

    def __init__(self, part_type: PartType, geometry: Geometry, settings: CropSettings, turn: TurnSettings) -> None:
        self._part_type = part_type
        self._settings = settings
        self._roi: Roi | None = None
        self._room = StripRoom(geometry)
        self._witness = TurnWitness(turn, geometry)

    @property
    def roi(self) -> Roi | None:
        """The part's columns, once the first block was taken."""
        return self._roi

    @property
    def doubt(self) -> PartError | None:
        """What the lines themselves say against one whole turn, or None."""
        return self._witness.doubt

    def take(self, block: Block) -> Strip:
        """This block's strip, which holds until the next one is cut.

        Raises:
            PartError: The jig is empty, or the part is not where or what it should be.
        """
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


class SurfaceJudge:
    """Judges the blocks of one part, in order; blocking, for the compute thread.

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
        self._cutter = SurfaceCutter(part_type, classifier.geometry, settings, turn)
        self._classifier = classifier

    @property
    def roi(self) -> Roi | None:
        """The part's columns, once the first block was taken."""
        return self._cutter.roi

    def take(self, block: Block) -> Scores:
        """The scores of this block's strip.

        Raises:
            PartError: The jig is empty, or the part is not where or what it should be.
            ModelError: The network fails.
        """
        return score_strip(self._cutter.take(block), self._classifier)

    def witnessed(self, account: LineAccount) -> LineAccount:
        """The account of the lines and, where it is good, what the lines themselves say against it."""
        doubt = self._cutter.doubt
        if doubt is None or not account.valid:
            return account
        return replace(account, fault=doubt.fault, detail=doubt.detail)
