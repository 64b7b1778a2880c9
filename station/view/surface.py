"""The surface of the part in work as a page shows it while it turns: of every strip that was scored a small picture.

The turn goes from left to right, as everywhere on the page: the first line of a strip is the left edge of its picture,
and the part's left edge is the top. Patches are squares, as the network sees them.
"""

import base64

import cv2
import numpy as np

from station.core.events import StripSeen
from station.core.geometry import Geometry
from station.core.part import Pixels

MOST_PX = 1024, 256
"""Width and height of a whole surface at most: 100 kB, however many strips it comes in."""
PATCH_PX = 128
"""Height and width of a patch at most."""
QUALITY = 70
"""Of JPEG, of 100."""

Picture = dict[str, str]
"""`inspection`: of which; `jpeg`: the picture, base64."""


def picture_of(event: StripSeen) -> Picture:
    """The picture of a strip; blocks for a millisecond or less."""
    small = shrunk(event.pixels, event.inspection.part_type.geometry)
    _written, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return {"inspection": event.inspection.inspection_id, "jpeg": base64.b64encode(encoded.tobytes()).decode()}


def shrunk(pixels: Pixels, geometry: Geometry) -> Pixels:
    """A strip's columns (lines, columns) uint8 as they are shown: (patches of a strip times their side, side) uint8."""
    side = patch_side_px(geometry)
    size = side * geometry.patches_per_strip, side
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).T, np.uint8)


def patch_side_px(geometry: Geometry) -> int:
    """Height and width of a patch as it is shown."""
    width, height = MOST_PX
    return min(PATCH_PX, width // geometry.blocks_per_turn, max(1, height // geometry.patches_per_strip))
