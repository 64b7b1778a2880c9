"""Step 3, patch: a cropped block becomes one strip, two patches as the network sees them.

448 lines are resized to 256 rows, so eight blocks give exactly the 2048 rows of the whole resized image: cutting before
or after resizing gives the same pixels, bit for bit. A whole image is therefore cut into blocks and judged like a turn.

Two copies are left between camera and network. The camera's process moves each line once, from the producer's buffer
into the memory that it shares with the station: the producer needs its buffer back, while the station keeps the block
until it is archived. The crop is a view into that memory, and resizing reads it where it lies. Then the strip is cut
into its halves by one copy of 128 KiB, because a network wants the 256 rows of a patch one behind the other; cutting
before resizing would move the border between the halves where the width is odd. The network reads these bytes as they
are: scaling is folded into the model.
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


class StripRoom:
    """The memory that strips are made in, taken once for a part, before it turns."""

    def __init__(self) -> None:
        self.resized = np.zeros(STRIP_SHAPE, np.uint8)
        self.patches = np.zeros((PATCHES_PER_STRIP, PATCH_PX, PATCH_PX), np.uint8)


def make_strip(crop: Crop, room: StripRoom | None = None) -> Strip:
    """The strip of one cropped block; the interpolation is INTER_AREA, as the model's manifest names it.

    Args:
        crop: The block's columns.
        room: Where to make it; the strip then holds until the next one is made there. None for memory of its own.
    """
    room = room or StripRoom()
    rows, columns = STRIP_SHAPE
    cv2.resize(crop.pixels, (columns, rows), dst=room.resized, interpolation=cv2.INTER_AREA)
    for half, patch in enumerate(room.patches):
        np.copyto(patch, room.resized[:, half * PATCH_PX : (half + 1) * PATCH_PX])
    return Strip(crop.index, room.patches)


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
