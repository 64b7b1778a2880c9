"""The containers that a scan may come in: 8-bit grey PNG, TIFF and BMP, checked before they are decoded.

Decoders give what they could read of a damaged or cut file, often without a word, and turn every format into the one
that was asked for. So the container's own numbers are read first: size, depth, colour, and whether everything that
they promise is in the file.
Source: PNG specification (third edition); TIFF 6.0; the BITMAPFILEHEADER and BITMAPINFOHEADER of Windows.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
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


class GreySize(NamedTuple):
    """Size of an 8-bit grey image."""

    lines: int
    columns: int


class ScanFileError(ValueError):
    """Says what is wrong with a file's content; the caller adds which file it is."""


def grey_size(content: bytes) -> GreySize:
    """The size of the complete 8-bit grey image in a file's content.

    Raises:
        ScanFileError: It is no PNG, TIFF or BMP, not 8-bit grey, or not complete.
    """
    try:
        if content.startswith(PNG_SIGNATURE):
            return _png(content)
        if content[:4] in TIFF_ORDERS:
            return _tiff(content, TIFF_ORDERS[content[:4]])
        if content.startswith(b"BM"):
            return _bmp(content)
    except struct.error:
        raise _cut() from None
    if not content:
        raise ScanFileError("the file is empty")
    raise ScanFileError("it is no PNG, TIFF or BMP image")


def _png(content: bytes) -> GreySize:
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
    if colour != 0:
        raise _colour(PNG_COLOURS.get(colour, f"of colour type {colour}"))
    if b"tRNS" in chunks:
        raise _colour("grey with transparency")
    _require_8_bit(depth)
    if interlace:
        raise ScanFileError("it is interlaced, allowed is only a PNG without")
    _require_pixels(chunks.get(b"IDAT", []), lines * (columns + 1))
    return GreySize(lines, columns)


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


def _bmp(content: bytes) -> GreySize:
    offset, header, columns, height, _planes, depth, compression = struct.unpack_from("<IIiiHHI", content, 10)
    (colours,) = struct.unpack_from("<I", content, 46)
    lines = abs(height)  # below zero the lines go from top to bottom
    if depth in {24, 32}:
        raise _colour("a colour image")
    _require_8_bit(depth)
    if compression:
        raise ScanFileError("it is a compressed BMP, allowed is an uncompressed one")
    palette = content[14 + header :][: 4 * (colours or 256)]
    if any(len(set(palette[start : start + 3])) > 1 for start in range(0, len(palette), 4)):
        raise _colour("an image with a palette of colours")
    if len(content) < offset + lines * ((columns + 3) // 4 * 4):
        raise _cut()
    return GreySize(lines, columns)


def _tiff(content: bytes, order: str) -> GreySize:
    tags, more = _tiff_tags(content, order)
    columns, lines = tags.get(256, (0,))[0], tags.get(257, (0,))[0]
    if tags.get(277, (1,))[0] != 1:
        raise _colour("a colour image")
    _require_8_bit(tags.get(258, (1,))[0])
    if tags.get(262) == (3,):
        raise _colour("an image with a palette")
    if tags.get(262) != (1,):
        raise ScanFileError("its greys do not go from black to white, allowed is only PhotometricInterpretation 1")
    if tags.get(339, (1,)) != (1,) or tags.get(274, (1,)) != (1,):
        raise ScanFileError("it is signed, or turned round, allowed are unsigned grey values from top left")
    if (compression := tags.get(259, (TIFF_UNCOMPRESSED,))[0]) not in TIFF_LOSSLESS:
        raise ScanFileError(f"it has TIFF compression {compression}, allowed are none, LZW, Deflate and PackBits")
    if more:
        raise ScanFileError("it has more than one page")
    _require_chunks(content, tags, lines * columns)
    return GreySize(lines, columns)


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
        raise _cut()


def _require_8_bit(depth: int) -> None:
    if depth != 8:
        raise ScanFileError(f"it has {depth} bits a pixel, allowed are 8")


def _colour(what: str) -> ScanFileError:
    return ScanFileError(f"it is {what}, allowed is plain grey, also where the colours are all grey")


def _cut() -> ScanFileError:
    return ScanFileError("the file is cut off: not all that its header promises is in it")
