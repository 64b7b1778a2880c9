"""What wears in the simulated cell, part by part: the lamp, the focus, the lens; the scans stay good ones for long."""

from collections.abc import Callable

import cv2
import numpy as np

from station.core.part import Pixels

DIMMER_BY, DIMMEST = 0.01, 0.3  # of the lamp's light, with each part; and what is left in the end
BLURRED_BY_PX, BLURRIEST_PX = 0.1, 4.0  # standard deviation
DIRTY = slice(8, 48)  # columns of the sensor
SCATTERED = 15  # grey values that dirt adds to darkness; it stays darker than any part

Wear = Callable[[Pixels, int], Pixels]
"""A turn's surface as it is seen after so many parts, from 1."""


def fading(image: Pixels, parts: int) -> Pixels:
    """The lamp gives a hundredth less light with every part."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=max(DIMMEST, 1 - DIMMER_BY * parts)), np.uint8)


def losing_focus(image: Pixels, parts: int) -> Pixels:
    """The lens moves out of focus, by a tenth of a pixel with every part, all round."""
    blur_px = min(BLURRIEST_PX, BLURRED_BY_PX * parts)
    reach = int(4 * blur_px) + 1
    round_about = np.concatenate([image[-reach:], image, image[:reach]])
    return np.asarray(cv2.GaussianBlur(round_about, (0, 0), blur_px)[reach:-reach], np.uint8)


def dirty(image: Pixels, parts: int) -> Pixels:  # noqa: ARG001  # it is all there with the first part
    """Dirt on the lens scatters light into some columns beside the part."""
    seen = image.copy()
    seen[:, DIRTY] = np.minimum(image[:, DIRTY], 255 - SCATTERED) + SCATTERED
    return seen


WEARS: dict[str, Wear] = {"lamp-fades": fading, "focus-drifts": losing_focus, "lens-dirty": dirty}
"""What each of these named faults does to a turn's surface, (lines a turn, sensor width) uint8."""
