"""One filled GenTL buffer: what it claims to hold, and its lines, copied to where they are kept.

Producers need not know everything; what one does not tell counts as it was set. `buffer` is always a raw genicam
buffer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from genicam import gentl

from station.core.errors import CameraError
from station.core.part import LINES_PER_BLOCK, Pixels

MONO8 = 0x01080001  # PFNC value


@dataclass(frozen=True, slots=True)
class BufferImage:
    """The image in a buffer.

    Attributes:
        frame_id: The producer's number.
        stamp_ns: Time stamp on the device's clock, or None.
        width: Pixels of a line.
        height: Lines that the buffer has room for, delivered or not.
        line_bytes: Bytes from one line to the next: the pixels and the producer's padding.
        offset: Byte at which the first line begins.
        delivered_lines: Lines that hold image data, by the lower of delivered height and filled size.
    """

    frame_id: int
    stamp_ns: int | None
    width: int
    height: int
    line_bytes: int
    offset: int
    delivered_lines: int


def read_buffer(buffer: Any, width_px: int) -> BufferImage:
    """What the buffer says of itself.

    Raises:
        CameraError: It holds no 8-bit grey image of 448 lines and this width.
    """
    width, height = _known(buffer, "width", width_px), _known(buffer, "height", LINES_PER_BLOCK)
    pixel_format = _known(buffer, "pixel_format", MONO8)
    if (width, height, pixel_format) != (width_px, LINES_PER_BLOCK, MONO8):
        found = f"{width} x {height} px of format 0x{pixel_format:08x}"
        wanted = f"{width_px} x {LINES_PER_BLOCK} px of format 0x{MONO8:08x} (Mono8)"
        raise CameraError("camera.bad_image", f"a block is {found}, the station needs {wanted}")
    line_bytes = width + _known(buffer, "padding_x", 0)
    offset = _known(buffer, "image_offset", 0)
    filled = max(_known(buffer, "size_filled", offset + height * line_bytes) - offset, 0)
    lines = min(_known(buffer, "delivered_image_height", height), -(-filled // line_bytes), height)
    if filled < (lines - 1) * line_bytes + width:
        lines -= 1  # the last line is cut short; padding behind it does not matter
    return BufferImage(
        frame_id=_known(buffer, "frame_id", 0),
        stamp_ns=_stamp_ns(buffer),
        width=width,
        height=height,
        line_bytes=line_bytes,
        offset=offset,
        delivered_lines=max(lines, 0),
    )


def copy_lines(raw: bytes, image: BufferImage, target: Pixels) -> None:
    """Copy the delivered lines without padding into `target` (448, width) uint8; the other lines become zero."""
    lines = image.delivered_lines
    source = np.ndarray((lines, image.width), np.uint8, raw, image.offset, (image.line_bytes, 1))
    np.copyto(target[:lines], source)
    target[lines:] = 0


def _known(buffer: Any, name: str, otherwise: int) -> int:
    try:
        return int(getattr(buffer, name))
    except gentl.GenericException:
        return otherwise


def _stamp_ns(buffer: Any) -> int | None:
    """Nanoseconds; else the producer's ticks by its tick frequency; else None."""
    try:
        return int(buffer.timestamp_ns)
    except gentl.GenericException:
        pass
    try:
        return int(buffer.timestamp) * 1_000_000_000 // int(buffer.parent.parent.timestamp_frequency)
    except (gentl.GenericException, ZeroDivisionError):
        return None
