"""A whole scan through steps 2 and 3 as the cell takes it: the part found, followed, proven and cut into patches."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from station.cell.judging import SurfaceCutter
from station.core.errors import BugError
from station.core.fitting import nearest_type
from station.core.light import AS_SEEN, Lighting
from station.core.part import PartType, Pixels, Roi
from station.core.settings import CropSettings, TurnSettings
from station.flow.find import find_in_any_light
from station.flow.patch import blocks_of


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


def kind_of(image: Pixels, kinds: Sequence[PartType], crop: CropSettings) -> PartType:
    """The type of the part on a scan: the one of the nearest width.

    Args:
        image: (lines of a turn, width) uint8, with the background on both sides.
        kinds: The types that the part may be of, all of one geometry; at least one.
        crop: How the part is told from the background.

    Raises:
        PartError: No part is found, or its width is that of no type.
    """
    first = _first_block(image, kinds[0])

    def fitting(roi: Roi) -> PartType:
        return nearest_type(kinds, roi.width)

    return fitting(find_in_any_light(first, crop, fitting).roi)


def cut_scan(
    image: Pixels, kind: PartType, crop: CropSettings, turn: TurnSettings, lighting: Lighting = AS_SEEN
) -> Pixels:
    """The patches (patches of a part, height, width) uint8.

    Args:
        image: (lines of a turn, width) uint8, with the background on both sides.
        kind: The part's type.
        crop: How the part is told from the background.
        turn: What the lines must prove.
        lighting: What light the part is to be judged in; by default it is taken as it was seen.

    Raises:
        PartError: The station would refuse the scan.
    """
    return _cut(image, SurfaceCutter(kind, kind.geometry, crop, turn, lighting), kind)


def columns_of(image: Pixels, kind: PartType, crop: CropSettings, turn: TurnSettings) -> Roi:
    """The part's columns on a scan, as the cell finds them; see `cut_scan`.

    Raises:
        PartError: The station would refuse the scan.
    """
    cutter = SurfaceCutter(kind, kind.geometry, crop, turn)
    _cut(image, cutter, kind)
    if cutter.roi is None:
        raise BugError("station.bug", "a scan was cut, but its part not found")
    return cutter.roi


def _cut(image: Pixels, cutter: SurfaceCutter, kind: PartType) -> Pixels:
    blocks = blocks_of(np.ascontiguousarray(image), kind.geometry)
    patches = np.concatenate([cutter.take(block).patches.copy() for block in blocks])
    if cutter.doubt is not None:
        raise cutter.doubt
    return patches


def _first_block(image: Pixels, kind: PartType) -> Pixels:
    """The lines in which the cell finds the part."""
    return np.ascontiguousarray(image[: kind.geometry.lines_per_block])
