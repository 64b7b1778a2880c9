"""One learning at a time in a folder, also where its command was killed and a step that it began is still at work."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import TrainingError
from station.core.durable import make_folder
from station.core.locks import holders

LOCK = ".lock"


@contextmanager
def occupied(folder: Path) -> Iterator[int]:
    """Make a folder and keep other learnings out of it.

    It gives the descriptor of the lock, which holds as long as any process has it open.

    Raises:
        TrainingError: `training.in_use`: another one is at work in it; `training.disk_failed`: it cannot be made.
    """
    try:
        make_folder(folder)
        lock = (folder / LOCK).open("wb")
    except OSError as error:
        raise TrainingError("training.disk_failed", f"{folder}: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            by = holders(folder / LOCK)
            raise TrainingError("training.in_use", f"{folder}{f': {by}' if by else ''}") from error
        yield lock.fileno()
