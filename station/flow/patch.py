"""Step 3, patch: a cropped block becomes one strip, two patches as the network sees them.

448 lines are resized to 256 rows, so eight blocks give exactly the 2048 rows of the whole resized image: cutting before
or after resizing gives the same pixels, bit for bit. A whole image is therefore cut into blocks and judged like a turn.

One copy is left between camera and network. The camera's process moves each line once, from the producer's buffer into
the memory that it shares with the station: the producer needs its buffer back, while the station keeps the block until
it is archived. The crop is a view into that memory, and resizing reads it where it lies and writes the two patches,
each with its 256 rows one behind the other as a network wants them. (A part that is narrower than a strip is enlarged
by OpenCV and cut by a copy; cutting first would move the border between the halves where the width is odd.) The network
reads these bytes as they are: scaling is folded into the model.
Source: resized to 2048 lines of 512 and cut into 16 patches: Mustafaev et al., section IV B.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.geometry import BLOCKS_PER_TURN, LINES_PER_BLOCK, PATCH_PX, PATCHES_PER_STRIP, STRIP_SHAPE
from station.core.part import Block, Crop, Pixels, Strip
from station.flow.pixels import passes


class StripRoom:
    """The memory that strips are made in, taken for a part's first block and kept for the others."""

    def __init__(self) -> None:
        self.patches = np.zeros((PATCHES_PER_STRIP, PATCH_PX, PATCH_PX), np.uint8)
        self._tile = np.zeros((0, passes.LANES), np.float32)

    def tile(self, columns: int) -> NDArray[np.float32]:
        """Memory for a block of so many columns."""
        if len(self._tile) != columns:
            self._tile = np.zeros((columns, passes.LANES), np.float32)
        return self._tile


def make_strip(crop: Crop, room: StripRoom | None = None) -> Strip:
    """The strip of one cropped block; the interpolation is INTER_AREA, as the model's manifest names it.

    Args:
        crop: The block's columns.
        room: Where to make it; the strip then holds until the next one is made there. None for memory of its own.
    """
    room = room or StripRoom()
    rows, columns = STRIP_SHAPE
    if (width := crop.pixels.shape[1]) >= columns:
        passes.strip(crop.pixels, room.tile(width), room.patches)
        return Strip(crop.index, room.patches)
    resized = cv2.resize(crop.pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    for half, patch in enumerate(room.patches):
        np.copyto(patch, resized[:, half * PATCH_PX : (half + 1) * PATCH_PX])
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
