"""A whole scan through steps 2 and 2 b as the cell takes it: the part found, followed from block to block, proven."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from station.core.part import Crop, PartType, Pixels
from station.core.settings import CropSettings, TurnSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import blocks_of
from station.flow.turn.witness import TurnWitness


class Taken(Protocol):
    """What a recording says of one scan."""

    @property
    def closed(self) -> bool:
        """Whether it is a whole turn."""

    @property
    def composed(self) -> bool:
        """Whether it was put together from pictures."""


def proofs_of(scan: Taken, turn: TurnSettings) -> TurnSettings:
    """What the lines of a scan must prove, of what the configuration demands."""
    if scan.composed:
        return turn.of_composed_scans()
    return turn if scan.closed else turn.of_open_turns()


def crop_scan(image: Pixels, kinds: Sequence[PartType], crop: CropSettings, turn: TurnSettings) -> list[Crop]:
    """The part's columns of every block.

    Args:
        image: (lines of a turn, width) uint8, with the background on both sides.
        kinds: The types that the part may be of, all of one geometry; the one of the nearest width is taken.
        crop: How the part is told from the background.
        turn: What the lines must prove.

    Raises:
        PartError: The station would refuse the scan.
    """
    blocks = blocks_of(np.ascontiguousarray(image), kinds[0].geometry)
    roi = find_part(blocks[0].pixels, crop)
    part_type = min(kinds, key=lambda kind: abs(kind.width_px - roi.width))
    check_width(roi, part_type)
    witness = TurnWitness(turn, part_type.geometry)
    crops = []
    for block in blocks:
        witness.take(block, roi)
        crops.append(crop_block(block, roi, part_type, crop))
    if witness.doubt is not None:
        raise witness.doubt
    return crops
