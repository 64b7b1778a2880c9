"""One filled GenTL buffer: what it claims to hold, and its lines as 8-bit grey, copied to where they are kept.

Cameras of more than 8 bits are scaled by one rule: a pixel's 8 highest bits count, the lower ones are cut off. So full
scale stays full scale, black stays black, and the station's grey values mean the same with every format:

    Mono8 as it is    Mono10 >> 2    Mono12 >> 4    Mono14 >> 6    Mono16 >> 8

Only whole-byte formats are read, with the pixel in the lower bits, as PFNC has them; packed ones are refused. The lower
byte comes first unless the buffer says that the higher one does. Producers need not know everything of a buffer; what
one does not tell counts as it was set. `buffer` is always a raw genicam buffer. Source: GenICam Pixel Format Naming
Convention 2.4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from genicam import gentl

from station.core.errors import CameraError
from station.core.part import Pixels


@dataclass(frozen=True, slots=True)
class GreyFormat:
    """A pixel format that the station reads.

    Attributes:
        name: Its name, the value of PixelFormat.
        code: Its PFNC value.
        bits: Bits that carry the grey value; more than 8 take two bytes.
    """

    name: str
    code: int
    bits: int

    @property
    def bytes_per_pixel(self) -> int:
        """1 or 2."""
        return 1 if self.bits == 8 else 2


MONO8 = GreyFormat("Mono8", 0x01080001, 8)
_READ = (
    MONO8,
    GreyFormat("Mono10", 0x01100003, 10),
    GreyFormat("Mono12", 0x01100005, 12),
    GreyFormat("Mono14", 0x01100025, 14),
    GreyFormat("Mono16", 0x01100007, 16),
)
UNKNOWN = 0
BYTE_ORDERS = {UNKNOWN: "<", 1: "<", 2: ">"}
"""By PIXELENDIANNESS of GenTL; one that is not known is PFNC's. Source: GenTL standard 1.5, section 6.4.2."""
GREY_FORMATS = {grey.name: grey for grey in _READ}
"""The formats that the station reads, by name."""


@dataclass(frozen=True, slots=True)
class BufferImage:
    """The image in a buffer.

    Attributes:
        frame_id: The producer's number.
        stamp_ns: Time stamp on the device's clock, or None.
        grey: The format of its pixels.
        width: Pixels of a line.
        height: Lines that the buffer has room for, delivered or not.
        line_bytes: Bytes from one line to the next: the pixels and the producer's padding.
        offset: Byte at which the first line begins.
        delivered_lines: Lines that hold image data, by the lower of delivered height and filled size.
        order: `<`, the lower byte of a pixel of two bytes comes first, or `>`.
    """

    frame_id: int
    stamp_ns: int | None
    grey: GreyFormat
    width: int
    height: int
    line_bytes: int
    offset: int
    delivered_lines: int
    order: str


def read_buffer(buffer: Any, width_px: int, lines: int, grey: GreyFormat = MONO8) -> BufferImage:
    """What the buffer says of itself, which is to hold a block of so many lines.

    Raises:
        CameraError: It holds no image of these lines, this width and this format, is smaller than it claims, or has its
            bytes in no known order.
    """
    width, height = _known(buffer, "width", width_px), _known(buffer, "height", lines)
    code = _known(buffer, "pixel_format", grey.code)
    if (width, height, code) != (width_px, lines, grey.code):
        found = f"{width} x {height} px of format 0x{code:08x}"
        wanted = f"{width_px} x {lines} px of format 0x{grey.code:08x} ({grey.name})"
        raise CameraError("camera.bad_image", f"a block is {found}, the station needs {wanted}")
    pixel_bytes = width * grey.bytes_per_pixel
    line_bytes = pixel_bytes + _known(buffer, "padding_x", 0)
    offset = _known(buffer, "image_offset", 0)
    filled = max(_known(buffer, "size_filled", offset + height * line_bytes) - offset, 0)
    delivered = min(_known(buffer, "delivered_image_height", height), -(-filled // line_bytes), height)
    if filled < (delivered - 1) * line_bytes + pixel_bytes:
        delivered -= 1  # the last line is cut short; padding behind it does not matter
    return BufferImage(
        frame_id=_known(buffer, "frame_id", 0),
        stamp_ns=_stamp_ns(buffer),
        grey=grey,
        width=width,
        height=height,
        line_bytes=line_bytes,
        offset=offset,
        delivered_lines=max(delivered, 0),
        order=_order(buffer, grey),
    )


def _order(buffer: Any, grey: GreyFormat) -> str:
    told = _known(buffer, "pixel_endianness", UNKNOWN)
    if told not in BYTE_ORDERS and grey.bytes_per_pixel > 1:
        raise CameraError("camera.bad_image", f"a block has its bytes in an order {told}, which GenTL does not know")
    return BYTE_ORDERS.get(told, "<")


def copy_lines(raw: bytes, image: BufferImage, target: Pixels) -> None:
    """Copy the delivered lines as 8-bit grey without padding into `target` (lines, width); the other lines become zero.

    Raises:
        CameraError: The buffer is smaller than the lines that it claims to hold.
    """
    lines, step = image.delivered_lines, image.grey.bytes_per_pixel
    if lines and image.offset + (lines - 1) * image.line_bytes + image.width * step > len(raw):
        raise CameraError("camera.bad_image", f"a block claims {lines} lines, its buffer has only {len(raw)} bytes")
    kind = np.dtype(np.uint8 if step == 1 else f"{image.order}u2")
    source = np.ndarray((lines, image.width), kind, raw, image.offset, (image.line_bytes, step))
    if step == 1:
        np.copyto(target[:lines], source)
    else:
        np.right_shift(source, image.grey.bits - 8, out=target[:lines], casting="unsafe")
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
