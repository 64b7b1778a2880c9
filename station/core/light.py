"""Light: how a part was lit, what light its network knows, and grey values times a gain.

A network knows parts as bright as those that it was trained on. What is lit otherwise is brought to that level before
it is judged, by a gain that follows from the part's first block alone. Training draws other light and takes it back by
the very same arithmetic.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels

Gain = float | NDArray[np.float32]
"""One factor for all pixels, or one for each, in their shape."""


@dataclass(frozen=True, slots=True)
class Lighting:
    """What light a part is to be judged in.

    Attributes:
        reference: Median grey value of the parts that the network knows; None: every part is judged as it was seen.
        tolerance: A part that is no more than 1 + tolerance times as bright, or as dark, is judged as it was seen.
        min_gain: Least factor; what needs less goes to REVIEW.
        max_gain: Greatest factor; what needs more goes to REVIEW.
    """

    reference: float | None
    tolerance: float = 0.1
    min_gain: float = 0.5
    max_gain: float = 2.0


AS_SEEN = Lighting(None)
"""Nothing is known of the light: every part is judged as it was seen."""


@dataclass(frozen=True, slots=True)
class Light:
    """How a part was lit, and by how much its grey values were multiplied before they were judged.

    Attributes:
        level: Median grey value of the part in its first block, 0 to 255, as the camera gave it.
        gain: The factor; 1 changes nothing. Where it differs along the axis, that of the part as a whole.
        gains: Factors along the part's axis, at the middles of as many equal stretches; empty where `gain` holds
            everywhere.
    """

    level: float
    gain: float
    gains: tuple[float, ...] = ()


def multiplied(pixels: Pixels, gain: Gain, out: Pixels | None = None) -> Pixels:
    """Grey values times a gain, rounded to the nearest (a half to the even one), at most 255.

    Args:
        pixels: (h, w) uint8, contiguous.
        gain: One factor, or (h, w) float32.
        out: Where to; the same array will do.
    """
    if isinstance(gain, float):
        return np.asarray(cv2.LUT(pixels, table(gain), dst=out), np.uint8)
    return np.asarray(cv2.multiply(pixels, gain, dst=out, dtype=cv2.CV_8U), np.uint8)


def table(gain: float) -> Pixels:
    """(256,) uint8: what each grey value becomes by a gain."""
    products = np.rint(np.arange(256, dtype=np.float32) * np.float32(gain))
    return np.asarray(np.minimum(products, 255), np.uint8)


def along(gains: tuple[float, ...], columns: int) -> NDArray[np.float32]:
    """(columns,) float32: gains at the middles of equal stretches, in straight lines from each to the next."""
    middles = (np.arange(len(gains)) + 0.5) * (columns / len(gains)) - 0.5
    return np.interp(np.arange(columns), middles, gains).astype(np.float32)
