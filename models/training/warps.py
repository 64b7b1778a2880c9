"""Changes of where an image's pixels lie, and what is laid over them; drawn while training. Free of torch.

    rotate        by up to 30 degrees either way
    shift         by up to 30 % of its size, along and across
    zoom          0.6 to 1.4 times as large
    crop          a window of 7/8 of its size, as 224 of 256 px are, brought back to it
    perspective   each corner moved by up to 10 % of its size
    noise         of up to 10 grey values of deviation
    erase         in every second image a window of 2 to 20 % of it becomes one grey value

What comes in from outside is the nearest pixel of the image. All that move pixels are one look-up, so that an image is
interpolated once.

Source: ranges of the first three, and the nearest pixel, Kamel, Hassan and Saeid, section 3.2; the kinds of the others
are those of the study of aluminium parts behind a product detector, which tells of ranges the crop's alone; erasing is
after Zhong et al. 2020.
"""

from collections.abc import Collection

import cv2
import numpy as np
from numpy.typing import NDArray

CHANCES = 24
"""Numbers of 0 to 1 that one image's changes of this kind are drawn from."""
ANGLE_DEGREES, SHIFT, ZOOM, CROP, CORNER = 30.0, 0.3, 0.4, 7 / 8, 0.1
NOISE = 10 / 255
ERASED = 0.02, 0.2
MOVING = frozenset({"rotate", "shift", "zoom", "crop", "perspective"})
LAID_OVER = frozenset({"noise", "erase"})

Pixels = NDArray[np.uint8]
Chances = NDArray[np.float64]


def moved(image: Pixels, changes: Collection[str], chances: Chances) -> Pixels:
    """An image (height, width) with its pixels moved, by its `CHANCES` numbers of 0 to 1."""
    height, width = image.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    size = np.array([width, height])
    placed = corners - size / 2
    spread = 2 * chances - 1
    if "zoom" in changes:
        placed = placed * (1 + ZOOM * spread[0])
    if "rotate" in changes:
        turn = np.deg2rad(ANGLE_DEGREES * spread[1])
        placed = placed @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if "perspective" in changes:
        placed = placed + CORNER * size * spread[2:10].reshape(4, 2)
    if "shift" in changes:
        placed = placed + SHIFT * size * spread[10:12]
    if "crop" in changes:
        placed = placed / CROP + (1 / CROP - 1) / 2 * size * spread[12:14]
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), (placed + size / 2).astype(np.float32))
    looked_up = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(looked_up, np.uint8)


def laid_over(image: NDArray[np.float32], changes: Collection[str], chances: Chances) -> NDArray[np.float32]:
    """An image (height, width) of 0 to 1 with noise on it and a window erased, by the same numbers."""
    if "noise" in changes:
        rng = np.random.default_rng(int(chances[14] * 2**53))
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(NOISE * chances[15])
    if "erase" in changes and chances[16] < 0.5:
        image = _erased(image.copy(), chances[17:22])
    return np.clip(image, 0, 1)


def _erased(image: NDArray[np.float32], chances: Chances) -> NDArray[np.float32]:
    height, width = image.shape
    share = ERASED[0] + (ERASED[1] - ERASED[0]) * chances[0]
    ratio = 3.0 ** (2 * chances[1] - 1)
    high, wide = (
        min(side, max(1, round(side * np.sqrt(part))))
        for side, part in ((height, share * ratio), (width, share / ratio))
    )
    top, left = int(chances[2] * (height - high + 1)), int(chances[3] * (width - wide + 1))
    image[top : top + high, left : left + wide] = chances[4]
    return image
