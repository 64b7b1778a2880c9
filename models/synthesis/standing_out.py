"""Where a patch shows what good surface does not: a mask of a defect that nobody has drawn.

What stands out is measured against the patch's own ground, a wide median, so that light and its slope do not count, and
in units of how far half of the patch stands out, so that a rough patch may show more than a smooth one. How far good
surface does is taken from good patches; a defect begins beyond what nearly all of them reach anywhere, and takes in
what lies beyond half of it and is joined to that.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels

SMOOTH_SIGMA_PX = 1.5
"""Finer than this is the grain of metal and sensor."""
GROUND_SHARE = 0.4
"""The median's window, as a share of the patch: wider than most defects, narrower than the light's slope."""
LARGEST_GROUND_PX = 101
GOOD_QUANTILE = 0.95
"""So many of the good patches lie wholly within the limit."""
JOINED_PX = 5
"""Pieces so near to each other are one defect."""
MARGIN_PX = 4
"""The mask reaches so far over the defect's edge, on to good surface, on which the blending begins."""
LEAST_UNIT = 0.5
"""Grey values; a patch smoother than the steps of its values is taken for as rough as these."""
LARGEST_SHARE = 0.6
"""More of a patch is no defect on a ground, but another ground."""


@dataclass(frozen=True, slots=True)
class GoodSurface:
    """How far good patches stand out of their own ground at most, in units of what half of each does."""

    limit: float

    @classmethod
    def of(cls, patches: NDArray[np.uint8]) -> Self:
        """What good patches (n, height, width) show; at least one."""
        return cls(float(np.quantile([_in_units(patch).max() for patch in patches], GOOD_QUANTILE)))

    def defect_on(self, patch: Pixels) -> NDArray[np.bool_] | None:
        """The mask (height, width) of what stands out of a patch; None where nothing does, or nearly all of it."""
        height = _in_units(patch)
        count, pieces = cv2.connectedComponents((height > self.limit / 2).astype(np.uint8), connectivity=8)
        seeds = np.unique(pieces[height > self.limit])
        if count < 2 or not len(seeds):
            return None
        found = np.isin(pieces, seeds).astype(np.uint8)
        joined = cv2.morphologyEx(found, cv2.MORPH_CLOSE, _disc(JOINED_PX))
        mask = with_margin(np.asarray(joined, np.uint8))
        return mask if mask.mean() <= LARGEST_SHARE else None


def with_margin(mask: Pixels) -> NDArray[np.bool_]:
    """A mask (height, width) with its edge on good surface; a defect cut at its own edge would lose its darkness."""
    return np.asarray(cv2.dilate((mask > 0).astype(np.uint8), _disc(2 * MARGIN_PX + 1)), np.bool_)


def prominence(patch: Pixels) -> NDArray[np.float32]:
    """How far each pixel (height, width) lies from the patch's own ground, in grey values."""
    smooth = cv2.GaussianBlur(patch, (0, 0), SMOOTH_SIGMA_PX)
    window = min(LARGEST_GROUND_PX, int(GROUND_SHARE * min(patch.shape))) | 1
    ground = cv2.medianBlur(smooth, max(3, window))
    return np.asarray(np.abs(smooth.astype(np.float32) - ground), np.float32)


def _in_units(patch: Pixels) -> NDArray[np.float32]:
    height = prominence(patch)
    return np.asarray(height / max(float(np.median(height)), LEAST_UNIT), np.float32)


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
