"""Step 2 a, find: the part's columns in the first block of a scan, in usual light and in less.

What `crop.background_max` says of the background holds in usual light. In half of it the background is half as bright,
and so may a good part be as dark as a background otherwise is. So what is not found in usual light, or only a piece of
it, is looked for once more against a darker background, and counts only where it is accepted as the whole part.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from station.core.errors import PartError
from station.core.part import Pixels, Roi
from station.core.settings import CropSettings
from station.flow.crop import find_part

Accept = Callable[[Roi], object]
"""Raises PartError where columns cannot be the part's."""

DIM_SHARES = (0.6, 0.4)
"""Of `crop.background_max`, in turn."""
TOO_DIM = frozenset({"part.jig_empty", "part.too_dark", "part.wrong_width", "part.two_objects"})
"""What is said of a part that is, wholly or in places, as dark as the background usually may be."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a part lies.

    Attributes:
        roi: Its columns.
        share: Of the usual background, against which it is told from it.
        too_dim: What is wrong with it in usual light, or None.
    """

    roi: Roi
    share: float = 1.0
    too_dim: PartError | None = None


def find_in_usual_light(pixels: Pixels, settings: CropSettings, accept: Accept) -> Found:
    """Where the part lies, if it is lit as usual.

    Args:
        pixels: (lines, sensor width) uint8.
        settings: How the part is told from the background.
        accept: Refuses columns that cannot be the part's.

    Raises:
        PartError: No part is found, or it is not accepted.
    """
    roi = find_part(pixels, settings)
    accept(roi)
    return Found(roi)


def find_in_any_light(pixels: Pixels, settings: CropSettings, accept: Accept) -> Found:
    """Where the part lies, also where all is dim.

    Args:
        pixels: (lines, sensor width) uint8.
        settings: How the part is told from the background in usual light.
        accept: Refuses columns that cannot be the part's.

    Raises:
        PartError: What is wrong in usual light.
    """
    try:
        return find_in_usual_light(pixels, settings, accept)
    except PartError as error:
        if error.code in TOO_DIM:
            for share in DIM_SHARES:
                with suppress(PartError):
                    found = find_in_usual_light(pixels, settings.dimmed(share), accept)
                    return Found(found.roi, share, error)
        raise
