"""Pictures of any size cut into square patches at full size: as few as cover the picture, spread evenly over it.

A picture's class is that of its part: of a good one every patch is good, of a defective one nobody says which patch
shows the defect. So what resizing a large picture would take from a small defect is kept.
"""

from math import ceil

import cv2
import numpy as np

from station.core.part import Pixels


def patch_count(shape: tuple[int, int], px: int) -> int:
    """How many patches a picture of (height, width) gives."""
    return len(_starts(shape[0], px)) * len(_starts(shape[1], px))


def patches_of(image: Pixels, px: int) -> Pixels:
    """The patches (n, px, px) of a picture (height, width), line by line; a side that is too short is mirrored on."""
    height, width = image.shape
    below, right = max(0, px - height), max(0, px - width)
    if below or right:
        image = np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REFLECT_101), np.uint8)
    starts = ((line, column) for line in _starts(height, px) for column in _starts(width, px))
    return np.stack([image[line : line + px, column : column + px] for line, column in starts])


def _starts(length: int, px: int) -> list[int]:
    """Where patches begin: the first at 0, the last ends with the picture."""
    count = max(1, ceil(length / px))
    return [round(number * (length - px) / (count - 1)) for number in range(count)] if count > 1 else [0]
