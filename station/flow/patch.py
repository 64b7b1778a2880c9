"""Step 3, patch: a cropped block becomes one strip of patches as the network sees them.

Of housings 448 lines are resized to 256 rows, so eight blocks give exactly the 2048 rows of the whole resized image:
cutting before or after resizing gives the same pixels, bit for bit (`station.core.geometry` takes nothing else). A
whole image is therefore cut into blocks and judged like a turn.

One copy is left between camera and network. The camera's process moves each line once, from the producer's buffer into
the memory that it shares with the station: the producer needs its buffer back, while the station keeps the block until
it is archived. The crop is a view into that memory, and resizing reads it where it lies and writes the patches, each
with its rows one behind the other as a network wants them. (What the compiled pass does not resize, as a part that is
narrower than a strip and is enlarged, OpenCV resizes, and a copy cuts it; cutting first would move the border between
the patches where the width is odd.) The network reads these bytes as they are: scaling is folded into the model.
Source: resized to 2048 lines of 512 and cut into 16 patches: Mustafaev et al., section IV B.
"""

import cv2
import numpy as np

from station.core.geometry import Geometry
from station.core.part import Block, Crop, Pixels, Strip
from station.flow.pixels.resizing import Resizing, compiled


class StripRoom:
    """The memory that strips are made in, taken for a part's first block and kept for the others.

    Args:
        geometry: Of blocks and strips.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._patches = np.zeros(geometry.patches_shape, np.uint8)
        self._columns = 0
        self._resizing: Resizing | None = None

    def make(self, pixels: Pixels) -> Pixels:
        """The patches (patches, rows, columns) uint8 of a block's columns (lines, columns) uint8; OpenCV's INTER_AREA.

        They hold until the next ones are made.
        """
        if self._columns != pixels.shape[1]:
            self._columns = pixels.shape[1]
            self._resizing = Resizing(self._geometry, self._columns) if self._compiled else None
        if self._resizing is not None:
            self._resizing.make(pixels, self._patches)
        else:
            self._enlarge(pixels)
        return self._patches

    @property
    def _compiled(self) -> bool:
        return compiled(self._geometry, self._columns)

    def _enlarge(self, pixels: Pixels) -> None:
        (rows, columns), patch = self._geometry.strip_shape, self._geometry.patch_px
        resized = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
        for number, place in enumerate(self._patches):
            np.copyto(place, resized[:, number * patch : (number + 1) * patch])


def make_strip(crop: Crop, room: StripRoom) -> Strip:
    """The strip of one cropped block; the interpolation is INTER_AREA, as the model's manifest names it.

    Args:
        crop: The block's columns.
        room: Where to make it; the strip holds until the next one is made there.
    """
    return Strip(crop.index, room.make(crop.pixels))


def blocks_of(image: Pixels, geometry: Geometry) -> tuple[Block, ...]:
    """The blocks that a camera would have delivered of this whole image.

    Args:
        image: (lines of a turn, width) uint8.
        geometry: Lines of a turn and of a block.

    Returns:
        Read-only views into the image, numbered from 0, complete, with all times 0.
    """
    lines = geometry.lines_per_block
    cuts = image.reshape(geometry.blocks_per_turn, lines, image.shape[1])
    cuts.flags.writeable = False
    return tuple(Block(number, number, pixels, lines, 0, 0) for number, pixels in enumerate(cuts))
