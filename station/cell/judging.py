"""Steps 2 to 4 of one part: its blocks in, scores out. The same code judges a turning part and an image from disk."""

from dataclasses import replace
from functools import partial

from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.light import AS_SEEN, Light, Lighting
from station.core.part import Block, LineAccount, PartType, Roi, Scores, Strip
from station.core.ports.network import PatchClassifier
from station.core.settings import CropSettings, TurnSettings
from station.flow.crop import check_width, crop_block
from station.flow.find import find_in_any_light, find_in_usual_light
from station.flow.light import Relighting
from station.flow.patch import StripRoom, make_strip
from station.flow.score import score_strip
from station.flow.surroundings import Beside, Surroundings
from station.flow.turn.witness import TurnWitness

EVERY_PROOF = TurnSettings()


class SurfaceCutter:
    """Cuts the blocks of one part, in order, into strips: steps 2 and 3; blocking.

    The first block fixes the part's columns, and by how much its light is made up for; the later ones only verify the
    columns.

    Args:
        part_type: The announced type.
        geometry: Of blocks and strips.
        settings: How the part is told from the background.
        turn: What the lines must prove of the turn.
        lighting: What light the part is to be judged in.
    """

    def __init__(
        self,
        part_type: PartType,
        geometry: Geometry,
        settings: CropSettings,
        turn: TurnSettings,
        lighting: Lighting = AS_SEEN,
    ) -> None:
        self._part_type = part_type
        self._usual = self._settings = settings
        self._roi: Roi | None = None
        self._share = 1.0
        self._too_dim: PartError | None = None
        self._room = StripRoom(geometry)
        self._relighting = Relighting(lighting)
        self._look = find_in_usual_light if lighting.reference is None else find_in_any_light
        self._witness = TurnWitness(turn, geometry)

    @property
    def roi(self) -> Roi | None:
        """The part's columns, once the first block was taken."""
        return self._roi

    @property
    def light(self) -> Light | None:
        """How the part is lit, once its first strip was cut."""
        return self._relighting.light

    @property
    def doubt(self) -> PartError | None:
        """What the lines themselves say against one whole turn, or None."""
        return self._witness.doubt

    def take(self, block: Block) -> Strip:
        """This block's strip, which holds until the next one is cut.

        Raises:
            PartError: The jig is empty, the part is not where or what it should be, or no gain makes up for its light.
        """
        roi = self._roi = self._roi or self._find(block)
        try:
            crop = crop_block(block, roi, self._part_type, self._settings)
        except PartError:
            self._witness.refuse()
            raise
        finally:
            self._witness.take(block, roi)  # it reads a few lines here and there, which the crop has brought near
        return self._relit(make_strip(crop, self._room))

    def _relit(self, strip: Strip) -> Strip:
        """The strip in the light that the network knows; where that is brighter, later blocks are told as dim, too."""
        try:
            strip = self._relighting.apply(strip)
        except PartError as error:
            self._witness.refuse()
            raise self._too_dim or error from error
        self._settings = self._usual.dimmed(min(self._share, self._relighting.share))
        return strip

    def _find(self, block: Block) -> Roi:
        try:
            found = self._look(block.pixels, self._settings, partial(check_width, part_type=self._part_type))
        except PartError as error:
            if error.code != "part.wrong_width":
                self._witness.take_unseen(block)
                self._witness.refuse()
            raise
        self._share, self._too_dim = found.share, found.too_dim
        self._settings = self._usual.dimmed(found.share)
        return found.roi


class SurfaceJudge:
    """Judges the blocks of one part, in order; blocking, for the compute thread.

    Args:
        part_type: The announced type.
        settings: How the part is told from the background.
        classifier: The network, which says the geometry of blocks and strips.
        turn: What the lines must prove of the turn.
        lighting: What light the network knows.
        surroundings: Looks beside the part; None where nobody asks.
    """

    def __init__(
        self,
        part_type: PartType,
        settings: CropSettings,
        classifier: PatchClassifier,
        turn: TurnSettings = EVERY_PROOF,
        lighting: Lighting = AS_SEEN,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._surroundings = surroundings
        self._cutter = SurfaceCutter(part_type, classifier.geometry, settings, turn, lighting)
        self._classifier = classifier

    @property
    def roi(self) -> Roi | None:
        """The part's columns, once the first block was taken."""
        return self._cutter.roi

    @property
    def light(self) -> Light | None:
        """How the part is lit, once its first strip was cut."""
        return self._cutter.light

    def look_beside(self) -> Beside | None:
        """What the scan shows beside the part; None where nobody looked."""
        return self._surroundings.seen(self.roi) if self._surroundings is not None else None

    def take(self, block: Block) -> Scores:
        """The scores of this block's strip.

        Raises:
            PartError: The jig is empty, or the part is not where or what it should be.
            ModelError: The network fails.
        """
        strip = self._cutter.take(block)
        if self._surroundings is not None and self.roi is not None:
            self._surroundings.take(block.pixels, self.roi)
        return score_strip(strip, self._classifier)

    def witnessed(self, account: LineAccount) -> LineAccount:
        """The account of the lines and, where it is good, what the lines themselves say against it."""
        doubt = self._cutter.doubt
        if doubt is None or not account.valid:
            return account
        return replace(account, fault=doubt.fault, detail=doubt.detail)
