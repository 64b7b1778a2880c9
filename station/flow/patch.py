"""Step 3, patch: a cropped block becomes one strip, two patches as the network sees them.

448 lines are resized to 256 rows, so eight blocks give exactly the 2048 rows of the whole resized image: cutting before
or after resizing gives the same pixels, bit for bit. A whole image is therefore cut into blocks and judged like a turn.
Source: resized to 2048 lines of 512 and cut into 16 patches: Mustafaev et al., section III.
"""

import cv2
import numpy as np

from station.core.part import (
    BLOCKS_PER_TURN,
    LINES_PER_BLOCK,
    PATCH_PX,
    PATCHES_PER_STRIP,
    STRIP_SHAPE,
    Block,
    Crop,
    Pixels,
    Strip,
)


def make_strip(crop: Crop) -> Strip:
    """The strip of one cropped block; the interpolation is INTER_AREA, as the model's manifest names it."""
    rows, columns = STRIP_SHAPE
    resized = cv2.resize(crop.pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    halves = resized.reshape(PATCH_PX, PATCHES_PER_STRIP, PATCH_PX).swapaxes(0, 1)
    return Strip(crop.index, np.ascontiguousarray(halves, dtype=np.uint8))


def blocks_of(image: Pixels) -> tuple[Block, ...]:
    """The eight blocks that a camera would have delivered of this whole image.

    Args:
        image: (3584, width) uint8.

    Returns:
        Read-only views into the image, numbered 0 to 7, complete, with all times 0.
    """
    cuts = image.reshape(BLOCKS_PER_TURN, LINES_PER_BLOCK, image.shape[1])
    cuts.flags.writeable = False
    return tuple(Block(number, number, pixels, LINES_PER_BLOCK, 0, 0) for number, pixels in enumerate(cuts))
