"""The surface of an inspected part as a picture: its archived scan, cut to the part, with the turn from left to right.

So the first line of the turn is the left edge and the part's left edge is the top; strips stand side by side, and the
patches of a strip below each other. Everything here blocks.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from station.core.errors import PageError
from station.core.part import Pixels
from station.core.records import JsonObject

SCAN_KIND = "image/png"
"""As what scans are archived."""
LEAST_WORK = 1
"""Of PNG: quick rather than small."""
PICTURE_KEPT = {"cache-control": "private, max-age=86400, immutable"}
"""A scan does not change; it is the asker's alone."""
TILE_PX = 512
"""Height and width of a tile of the whole scan; those at the ends are smaller."""
DECODED = 2
"""So many scans are kept in memory, at most 20 MB each."""


def read_surface(record: JsonObject, folder: Path) -> Pixels:
    """The picture (columns of the part, lines) uint8; all columns where the part was not found.

    Args:
        record: All that is recorded of the inspection.
        folder: The data folder.

    Raises:
        PageError: As for `read_whole`.
    """
    return read_part(record, folder).T


def read_part(record: JsonObject, folder: Path) -> Pixels:
    """The part (lines, its columns) uint8 of the archived scan; all columns where the part was not found.

    Raises:
        PageError: As for `read_whole`.
    """
    scan, roi, left = read_whole(record, folder), record["roi"], record["scan_left"] or 0
    return scan if roi is None else scan[:, max(0, roi["left"] - left) : roi["right"] - left]


def read_whole(record: JsonObject, folder: Path) -> Pixels:
    """The archived scan (lines, columns) uint8, as the camera gave it.

    Args:
        record: All that is recorded of the inspection.
        folder: The data folder.

    Raises:
        PageError: `page.refused`: there is no scan of it, or not the one that was archived.
    """
    if record["scan_file"] is None:
        raise PageError("page.refused", f"the archive has no scan of it: {record['scan_state'] or 'none was kept'}")
    scan = _decoded(read_scan(folder, record["scan_file"], record["scan_sha256"]))
    if scan is None:
        raise PageError("page.refused", f"{record['scan_file']} is no picture")
    return scan


def tile_of(scan: Pixels, row: int, column: int) -> Pixels:
    """A tile of a whole scan (lines, columns), with the turn from left to right.

    Args:
        scan: The scan, as the camera gave it.
        row: Of the tile, from 0, counted along the scan's columns.
        column: Of the tile, from 0, counted along its lines.

    Raises:
        PageError: `page.refused`: there is none.
    """
    turned = scan.T
    top, left = row * TILE_PX, column * TILE_PX
    if not (0 <= top < turned.shape[0] and 0 <= left < turned.shape[1]):
        raise PageError("page.refused", f"the scan has no tile {row}, {column}")
    return np.ascontiguousarray(turned[top : top + TILE_PX, left : left + TILE_PX])


def read_scan(folder: Path, file: str, sha256: str) -> bytes:
    """The file of an archived scan, as it was archived.

    Args:
        folder: The data folder.
        file: Where in it, as the records have it.
        sha256: Of its content.

    Raises:
        PageError: `page.refused`: it cannot be read, or is another.
    """
    try:
        content = (folder / file).read_bytes()
    except OSError as error:
        raise PageError("page.refused", f"{file} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PageError("page.refused", f"{file} is not the scan that was archived")
    return content


def as_png(picture: Pixels) -> bytes:
    """The picture as a browser shows it."""
    _written, encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, LEAST_WORK])
    return encoded.tobytes()


@lru_cache(maxsize=DECODED)
def _decoded(content: bytes) -> Pixels | None:
    """A scan that may be asked for again soon, for its tiles are asked for one by one; None where it is no picture."""
    scan = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if scan is None:
        return None
    pixels = np.asarray(scan, np.uint8)
    pixels.setflags(write=False)
    return pixels
