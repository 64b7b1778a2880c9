"""The RUN folder: one training at a time, and room on its disk, before any time is spent."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import TrainingError

LOCK = ".lock"


@contextmanager
def occupy(folder: Path) -> Iterator[None]:
    """Make the folder and keep other trainings out of it.

    Raises:
        TrainingError: It cannot be made or written to, or another training is at work in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise TrainingError("training.disk_failed", f"{folder}: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingError("training.in_use", str(folder)) from error
        yield


def check_room(folder: Path, needed: int) -> None:
    """Refuse a disk with fewer than `needed` bytes left.

    Raises:
        TrainingError: There are fewer.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        detail = f"{folder}: {free / 1e6:.0f} MB are free, the checkpoints take {needed / 1e6:.0f} MB"
        raise TrainingError("training.disk_failed", detail)
