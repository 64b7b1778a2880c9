"""One picture to train on, from a file: whole, plain grey, and what its container says it is.

The rules are the scan reader's (`station.core.scan_file`), and a whole JPEG is taken besides: a scan is what the
station's own camera saw, and nothing may have been lost of it; pictures come as people have them.
"""

import hashlib
from pathlib import Path

import numpy as np

from models.dataset.jpeg import SIGNATURE, jpeg_size
from models.errors import DatasetError
from station.core.part import Pixels
from station.core.scan_file import ScanFileError, picture_size, unpacked

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
"""Of the files that are pictures."""
LARGEST_PX = 16384
"""Height and width at most; a header that promises more would take the memory before the data prove it wrong."""


def read_picture(path: Path) -> Pixels:
    """An 8-bit grey picture (h, w) from a PNG, TIFF, BMP or JPEG of one channel, or of three equal ones.

    Raises:
        DatasetError: It cannot be read, is not whole, or is of another kind.
    """
    try:
        content = path.read_bytes()
        pixels = decoded_picture(content)
    except OSError as error:
        raise DatasetError("dataset.bad_source", f"{path}: it cannot be read: {error.strerror}") from error
    except ScanFileError as error:
        raise DatasetError("dataset.bad_source", f"{path}: {error}") from error
    return np.ascontiguousarray(pixels)


def pixels_sha256(image: Pixels) -> str:
    """SHA-256 of an image's values and shape, whatever its file."""
    return hashlib.sha256(image.tobytes() + str(image.shape).encode()).hexdigest()


def decoded_picture(content: bytes) -> Pixels:
    """The same from a file's content.

    Raises:
        ScanFileError: It is not whole, or of another kind.
    """
    size = jpeg_size(content) if content.startswith(SIGNATURE) else picture_size(content)
    if not (1 <= size.lines <= LARGEST_PX and 1 <= size.columns <= LARGEST_PX):
        raise ScanFileError(f"it is {size.lines} px high and {size.columns} wide, allowed are 1 to {LARGEST_PX}")
    pixels = unpacked(content, size)
    if size.channels == 1:
        return pixels
    if (pixels != pixels[:, :, :1]).any():
        raise ScanFileError("it is a colour picture, allowed is grey, also in three equal channels")
    return np.asarray(pixels[:, :, 0], np.uint8)
