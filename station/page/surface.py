"""The surface of an inspected part as a picture: its archived scan, cut to the part, with the turn from left to right.

So the first line of the turn is the left edge and the part's left edge is the top; strips stand side by side, and the
patches of a strip below each other. Everything here blocks.
"""

import hashlib
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


def read_surface(record: JsonObject, folder: Path) -> Pixels:
    """The picture (columns of the part, lines) uint8; all columns where the part was not found.

    Args:
        record: All that is recorded of the inspection.
        folder: The data folder.

    Raises:
        PageError: `page.refused`: there is no scan of it, or not the one that was archived.
    """
    if record["scan_file"] is None:
        raise PageError("page.refused", f"the archive has no scan of it: {record['scan_state'] or 'none was kept'}")
    content = read_scan(folder, record["scan_file"], record["scan_sha256"])
    scan = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if scan is None:
        raise PageError("page.refused", f"{record['scan_file']} is no picture")
    return _cut(np.asarray(scan, np.uint8), record).T


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


def _cut(scan: Pixels, record: JsonObject) -> Pixels:
    roi, left = record["roi"], record["scan_left"] or 0
    return scan if roi is None else scan[:, max(0, roi["left"] - left) : roi["right"] - left]
