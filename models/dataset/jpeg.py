"""The container of a JPEG, walked from its first marker to its last before it is decoded.

A decoder fills what a cut JPEG lacks with grey, without a word. A whole one ends with its end marker, so every segment
and all coded data up to there are walked. JPEG has no checksum: a byte that flipped inside the coded data is not seen.
Source: ITU-T T.81, annex B; Exif 2.3, orientation; CIPA DC-007, multi-picture files.
"""

import struct

from station.core.scan_file import PictureSize, ScanFileError, cut_off, require_upright, several_pages

SIGNATURE = b"\xff\xd8"
END, SCAN = 0xD9, 0xDA
RESTARTS = range(0xD0, 0xD8)
STUFFED, FILL = 0x00, 0xFF
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame's header: not the tables of Huffman and arithmetic coding, and not the reserved one."""
DECODED = frozenset({0xC0, 0xC1, 0xC2})
"""Of these the ones that are decoded: baseline, extended and progressive, coded by Huffman."""
EXIF, EXIF_HEAD = 0xE1, b"Exif\0\0"


def jpeg_size(content: bytes) -> PictureSize:
    """The size of the complete 8-bit picture, of one channel or three, in a JPEG's content.

    Raises:
        ScanFileError: It is not complete, of another kind, turned round, or holds more than one picture.
    """
    size, scans, position = None, 0, len(SIGNATURE)
    try:
        while (marker := content[position := _marker_at(content, position)]) != END:
            (length,) = struct.unpack_from(">H", content, position + 1)
            body, position = content[position + 3 : position + 1 + length], position + 1 + length
            if position > len(content):
                raise cut_off()
            if marker in FRAMES:
                size = _frame(marker, body)
            elif marker == EXIF and body.startswith(EXIF_HEAD):
                require_upright(body.removeprefix(EXIF_HEAD))
            elif marker == SCAN:
                scans, position = scans + 1, _after_coded(content, position)
    except (struct.error, IndexError):
        raise cut_off() from None
    if size is None or not scans:
        raise cut_off()
    if content[position + 1 :].lstrip(b"\0").startswith(SIGNATURE):
        raise several_pages()
    return size


def _marker_at(content: bytes, position: int) -> int:
    """Where the code of the next marker stands, behind its fill bytes."""
    if content[position] != FILL:
        raise ScanFileError(f"the file is damaged: no marker at byte {position}")
    while content[position] == FILL:
        position += 1
    return position


def _frame(marker: int, body: bytes) -> PictureSize:
    depth, lines, columns, channels = struct.unpack_from(">BHHB", body)
    if marker not in DECODED:
        raise ScanFileError(f"it is coded by JPEG process {marker - 0xC0}, allowed are 0, 1 and 2")
    if depth != 8:
        raise ScanFileError(f"it has {depth} bits a pixel, allowed are 8")
    if channels not in {1, 3}:
        raise ScanFileError(f"it has {channels} channels, allowed are 1, or 3 that are all grey")
    return PictureSize(lines, columns, channels)


def _after_coded(content: bytes, position: int) -> int:
    """Where the marker stands that follows a scan's coded data; restarts have to come in their order."""
    restarts = 0
    while True:
        position = content.find(FILL, position)
        if position < 0 or position + 1 >= len(content):
            raise cut_off()
        following = content[position + 1]
        if following == STUFFED:
            position += 2
        elif following in RESTARTS:
            if following != RESTARTS[restarts % len(RESTARTS)]:
                raise ScanFileError(f"the file is damaged: a restart is missing before byte {position}")
            restarts, position = restarts + 1, position + 2
        elif following == FILL:
            position += 1
        else:
            return position
