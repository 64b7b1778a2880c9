"""The data folder: who may write in it, and making what is in it survive a loss of power."""

import fcntl
import os
from pathlib import Path

from station.core.errors import RecordError
from station.core.place import displaced

LOCK = "station.lock"


def claim(folder: Path) -> int:
    """Make the folder if need be and take it for this process; returns the descriptor that holds it.

    The kernel gives the folder free when the descriptor is closed, however the process ends.

    Raises:
        RecordError: Another process has it.
        OSError: It cannot be made or written to.
    """
    make_durable_folder(folder)
    while True:
        descriptor = _lock(folder)
        if displaced(folder / LOCK, os.fstat(descriptor)) is None:  # not deleted before it was locked
            break
        os.close(descriptor)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise RecordError("record.in_use", f"{folder} is in use by process {holder}") from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def make_durable_folder(folder: Path) -> None:
    """Make a folder and its parents so that they are there after a loss of power.

    Raises:
        OSError: It cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk.

    Raises:
        OSError: The disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
