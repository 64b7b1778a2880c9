"""Scans on disk: cut out of the blocks, written without loss, found again after a stop, and thrown away in time.

Everything here blocks. A file appears under its name only when all of it is on the disk.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from station.core.durable import make_folder_in, staged_file
from station.core.judgement import Judgement
from station.core.part import Block, Pixels, Roi
from station.records.folder import FILE_MODE, FOLDER_MODE

ARCHIVE = "archive"
INCOMING = f"{ARCHIVE}/incoming"
MARGIN_PX = 256  # the most background that crop.margin_px may ask for, so that the part is found in the file again
FASTEST = 1  # PNG compression: 3 % larger than the best, in half the time


@dataclass(frozen=True, slots=True)
class ScanImage:
    """What is archived of a scan.

    Attributes:
        file: Where in the data folder.
        left: The sensor's column that is the image's first.
        pixels: (lines of all blocks, columns) uint8, a copy.
    """

    file: PurePosixPath
    left: int
    pixels: Pixels


def scan_file(inspection_id: str, entered_at: datetime) -> PurePosixPath:
    """Where in the data folder the scan of an inspection lies."""
    return PurePosixPath(ARCHIVE) / f"{entered_at:%Y/%m/%d}" / f"{inspection_id}.png"


def cut_out(judgement: Judgement, file: PurePosixPath) -> ScanImage | None:
    """A copy of the scan as it is archived, or None without a block; under 1 ms for a part, 5 ms for a whole sensor.

    Around a part that was judged to the end, 256 columns of background are kept; otherwise the whole width, because
    what is wrong may lie anywhere.
    """
    if not judgement.blocks:
        return None
    left, right = _columns(judgement.blocks, judgement.roi if _judged_to_the_end(judgement) else None)
    return ScanImage(file, left, np.concatenate([block.pixels[:, left:right] for block in judgement.blocks]))


def encode_scan(image: ScanImage) -> bytes:
    """The scan as PNG."""
    _written, encoded = cv2.imencode(".png", image.pixels, [cv2.IMWRITE_PNG_COMPRESSION, FASTEST])
    return encoded.tobytes()


def write_scan(folder: Path, image: ScanImage) -> str:
    """Write a scan as PNG and return the file's SHA-256 when both the file and its name are on the disk.

    Two syncs a scan, the file's and its folder's. The folder of incoming scans is not synced: a name that comes back
    there after a loss of power is swept away at the start.

    Raises:
        OSError: The disk failed, or the data folder was taken away; nothing is left under the scan's name.
    """
    content = encode_scan(image)
    target = folder / image.file
    make_folder_in(folder, PurePosixPath(INCOMING), FOLDER_MODE)
    make_folder_in(folder, image.file.parent, FOLDER_MODE)
    with staged_file(target, folder / INCOMING / target.name, FILE_MODE) as file:
        file.write(content)
    return hashlib.sha256(content).hexdigest()


def find_scan(folder: Path, file: str) -> str | None:
    """The SHA-256 of a scan that a stop may have left without its entry in the record, or None if it is not there.

    Raises:
        OSError: It is there and cannot be read.
    """
    path = folder / file
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def sweep_incoming(folder: Path) -> None:
    """Throw away what a stop has left half written.

    Raises:
        OSError: The disk failed.
    """
    incoming = folder / INCOMING
    for path in incoming.iterdir() if incoming.is_dir() else ():
        path.unlink()


def remove_scan(folder: Path, file: str) -> None:
    """Remove a scan, and the folders of its day, month and year when they are empty; harmless if it is gone.

    Raises:
        OSError: The disk failed.
    """
    path = folder / file
    path.unlink(missing_ok=True)
    with suppress(OSError):  # a folder that is not empty stays
        for parent in list(path.relative_to(folder).parents)[:3]:
            (folder / parent).rmdir()


def _judged_to_the_end(judgement: Judgement) -> bool:
    return judgement.account.valid and judgement.decision.algorithm1 is not None


def _columns(blocks: Sequence[Block], roi: Roi | None) -> tuple[int, int]:
    sensor = blocks[0].pixels.shape[1]
    if roi is None:
        return 0, sensor
    return max(0, roi.left - MARGIN_PX), min(sensor, roi.right + MARGIN_PX)
