"""The containers that an image may come in: 8-bit PNG, TIFF and BMP, checked before they are decoded.

Decoders give what they could read of a damaged or cut file, often without a word, and turn every format into the one
that was asked for. So the container's own numbers are read first: size, depth, colour, and whether everything that
they promise is in the file. A scan is plain grey; a picture to train on may also hold its grey in three equal channels.
Source: PNG specification (third edition); TIFF 6.0; Exif 2.3, orientation; the BITMAPFILEHEADER and BITMAPINFOHEADER
of Windows.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BMP_SIGNATURE = b"BM"
PNG_COLOURS = {
    2: "a colour image",
    3: "an image with a palette",
    4: "grey with transparency",
    6: "colour with transparency",
}
TIFF_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
TIFF_KINDS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG
TIFF_CHUNKS = ((273, 279), (324, 325))  # strips: offsets and lengths; tiles: offsets and lengths
TIFF_UNCOMPRESSED = 1
TIFF_LOSSLESS = frozenset({TIFF_UNCOMPRESSED, 5, 8, 32773, 32946})  # none, LZW, Deflate, PackBits, older Deflate


PNG_CHANNELS = {0: 1, 2: 3}
"""Channels by colour type: grey; red, green and blue."""
TIFF_CHANNELS = {(1, 1): 1, (2, 3): 3}
"""Channels by photometric interpretation and samples a pixel: black is zero; red, green and blue."""
UPRIGHT = (1,)
"""Orientation of an image whose first pixel is at the top left."""


class GreySize(NamedTuple):
    """Size of an 8-bit grey image."""

    lines: int
    columns: int


class PictureSize(NamedTuple):
    """Size of an 8-bit image of one channel, or of three."""

    lines: int
    columns: int
    channels: int


class ScanFileError(ValueError):
    """Says what is wrong with a file's content; the caller adds which file it is."""


class _Terms(NamedTuple):
    """What is allowed, and how that is told."""

    channels: frozenset[int]
    told: str


_SCAN = _Terms(frozenset({1}), "plain grey, also where the colours are all grey")
_PICTURE = _Terms(frozenset({1, 3}), "plain grey, or red, green and blue that are all grey")


def grey_size(content: bytes) -> GreySize:
    """The size of the complete 8-bit grey image in a file's content.

    Raises:
        ScanFileError: It is no PNG, TIFF or BMP, not 8-bit grey, or not complete.
    """
    size = _size(content, _SCAN)
    return GreySize(size.lines, size.columns)


def picture_size(content: bytes) -> PictureSize:
    """The size of the complete 8-bit image, of one channel or three, in a file's content.

    Raises:
        ScanFileError: It is no PNG, TIFF or BMP, of another depth or kind of colour, or not complete.
    """
    return _size(content, _PICTURE)


def unpacked(content: bytes, size: PictureSize) -> NDArray[np.uint8]:
    """The pixels of an image whose container was checked: (lines, columns), or (lines, columns, 3).

    Args:
        content: The file's.
        size: What the container promises.

    Raises:
        ScanFileError: The data are damaged.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ScanFileError(f"the file is damaged: {error}") from error
    shape = (size.lines, size.columns) if size.channels == 1 else tuple(size)
    if pixels is None or pixels.shape != shape or pixels.dtype != np.uint8:
        raise ScanFileError("the file is damaged: its data do not unpack to the image that its header promises")
    return np.asarray(pixels, np.uint8)


def _size(content: bytes, terms: _Terms) -> PictureSize:
    try:
        if content.startswith(PNG_SIGNATURE):
            return _png(content, terms)
        if content[:4] in TIFF_ORDERS:
            return _tiff(content, TIFF_ORDERS[content[:4]], terms)
        if content.startswith(BMP_SIGNATURE):
            return _bmp(content, terms)
    except struct.error:
        raise cut_off() from None
    if not content:
        raise ScanFileError("the file is empty")
    raise ScanFileError("it is no PNG, TIFF or BMP image")


def _png(content: bytes, terms: _Terms) -> PictureSize:
    chunks = dict[bytes, list[bytes]]()
    position = len(PNG_SIGNATURE)
    while b"IEND" not in chunks:
        length, kind = struct.unpack_from(">I4s", content, position)
        body = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        if zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise ScanFileError(f"the file is damaged: wrong checksum in its part {kind.decode('latin-1')}")
        chunks.setdefault(kind, []).append(body)
        position += 12 + length
    header = chunks.get(b"IHDR", [b""])[0]
    columns, lines, depth, colour, _compression, _filter, interlace = struct.unpack(">IIBBBBB", header)
    channels = PNG_CHANNELS.get(colour, 0)
    if channels not in terms.channels:
        raise _colour(PNG_COLOURS.get(colour, f"of colour type {colour}"), terms)
    if b"tRNS" in chunks:
        raise _colour("grey with transparency" if channels == 1 else "colour with transparency", terms)
    _require_8_bit(depth)
    if interlace:
        raise ScanFileError("it is interlaced, allowed is only a PNG without")
    if b"acTL" in chunks:
        raise several_pages()
    for block in chunks.get(b"eXIf", []):
        require_upright(block)
    _require_pixels(chunks.get(b"IDAT", []), lines * (channels * columns + 1))
    return PictureSize(lines, columns, channels)


def _require_pixels(data: list[bytes], expected: int) -> None:
    """Refuse a PNG whose compressed data end early: unpack them without keeping them."""
    unpacker, unpacked = zlib.decompressobj(), 0
    try:
        for body in data:
            rest = body
            while rest and unpacked <= expected:
                unpacked += len(unpacker.decompress(rest, 1 << 20))
                rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ScanFileError(f"the file is damaged: {error}") from error
    if unpacked != expected or not unpacker.eof:
        raise ScanFileError(f"the file is damaged: its data are {unpacked} bytes, its header promises {expected}")


def _bmp(content: bytes, terms: _Terms) -> PictureSize:
    offset, header, columns, height, _planes, depth, compression = struct.unpack_from("<IIiiHHI", content, 10)
    (colours,) = struct.unpack_from("<I", content, 46)
    lines = abs(height)  # below zero the lines go from top to bottom
    channels = 3 if depth == 24 else 1
    if depth == 32 or channels not in terms.channels:
        raise _colour("a colour image", terms)
    if channels == 1:
        _require_8_bit(depth)
    if compression:
        raise ScanFileError("it is a compressed BMP, allowed is an uncompressed one")
    palette = content[14 + header :][: 4 * (colours or 256)]
    if channels == 1 and any(len(set(palette[start : start + 3])) > 1 for start in range(0, len(palette), 4)):
        raise _colour("an image with a palette of colours", terms)
    if len(content) < offset + lines * ((channels * columns + 3) // 4 * 4):
        raise cut_off()
    return PictureSize(lines, columns, channels)


def _tiff(content: bytes, order: str, terms: _Terms) -> PictureSize:
    tags, more = _tiff_tags(content, order)
    columns, lines = tags.get(256, (0,))[0], tags.get(257, (0,))[0]
    samples = tags.get(277, (1,))[0]
    if samples not in terms.channels:
        raise _colour("a colour image", terms)
    for depth in tags.get(258, (1,)):
        _require_8_bit(depth)
    meaning = tags.get(262, (0,))[0]
    if meaning == 3:
        raise _colour("an image with a palette", terms)
    if TIFF_CHANNELS.get((meaning, samples)) is None:
        raise ScanFileError(
            "its greys do not go from black to white, allowed is only PhotometricInterpretation 1"
            if samples == 1
            else f"its colours are of PhotometricInterpretation {meaning}, allowed is only 2"
        )
    if set(tags.get(339, (1,))) != {1}:
        raise ScanFileError("it is signed, or has fractions, allowed are unsigned grey values")
    _require_top_left(tags)
    if (compression := tags.get(259, (TIFF_UNCOMPRESSED,))[0]) not in TIFF_LOSSLESS:
        raise ScanFileError(f"it has TIFF compression {compression}, allowed are none, LZW, Deflate and PackBits")
    if more:
        raise several_pages()
    _require_chunks(content, tags, lines * columns * samples)
    return PictureSize(lines, columns, samples)


def require_upright(exif: bytes) -> None:
    """Refuse what its Exif block calls turned round: nobody turns it back here, and masks would not fit it.

    Raises:
        ScanFileError: It is turned, or the block is cut off.
    """
    if exif[:4] not in TIFF_ORDERS:
        return
    try:
        tags, _more = _tiff_tags(exif, TIFF_ORDERS[exif[:4]])
    except struct.error:
        raise cut_off() from None
    _require_top_left(tags)


def _require_top_left(tags: Mapping[int, tuple[int, ...]]) -> None:
    if tags.get(274, UPRIGHT) != UPRIGHT:
        raise ScanFileError("it is turned round (Orientation), allowed are pixels from top left; save it upright")


def _tiff_tags(content: bytes, order: str) -> tuple[Mapping[int, tuple[int, ...]], bool]:
    (position,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, position)
    tags = dict[int, tuple[int, ...]]()
    for entry in range(position + 2, position + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", content, entry)
        if kind not in TIFF_KINDS or not values:
            continue
        layout = f"{order}{values}{TIFF_KINDS[kind]}"
        where = entry + 8 if struct.calcsize(layout) <= 4 else struct.unpack_from(f"{order}I", content, entry + 8)[0]
        tags[tag] = struct.unpack_from(layout, content, where)
    (following,) = struct.unpack_from(f"{order}I", content, position + 2 + 12 * count)
    return tags, following != 0


def _require_chunks(content: bytes, tags: Mapping[int, tuple[int, ...]], pixels: int) -> None:
    chunks = [chunk for at, size in TIFF_CHUNKS for chunk in zip(tags.get(at, ()), tags.get(size, ()), strict=False)]
    plain = tags.get(259, (TIFF_UNCOMPRESSED,)) == (TIFF_UNCOMPRESSED,)
    complete = not plain or sum(size for _offset, size in chunks) >= pixels
    if not chunks or not complete or any(offset + size > len(content) for offset, size in chunks):
        raise cut_off()


def _require_8_bit(depth: int) -> None:
    if depth != 8:
        raise ScanFileError(f"it has {depth} bits a pixel, allowed are 8")


def _colour(what: str, terms: _Terms) -> ScanFileError:
    return ScanFileError(f"it is {what}, allowed is {terms.told}")


def several_pages() -> ScanFileError:
    """The refusal of a file with more images than the one that would be read."""
    return ScanFileError("it has more than one page")


def cut_off() -> ScanFileError:
    """The refusal of a file that ends early."""
    return ScanFileError("the file is cut off: not all that its header promises is in it")
