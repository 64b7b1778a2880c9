"""The data folder: who may write in it, and who may read it.

What lies in it is its owner's and its group's business: folders have the mode 0750, files 0640. The lock is the owner's
alone, because whoever may open a file may lock it.
"""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from station.core.errors import RecordError
from station.core.locks import holders
from station.core.place import displaced

LOCK = "station.lock"
OWNERS_ONLY = 0o600
FOLDER_MODE, FILE_MODE = 0o750, 0o640


def claim(folder: Path) -> int:
    """Take a folder for this process; returns the descriptor that holds it.

    The kernel gives the folder free when the descriptor is closed, however the process ends. A folder that was taken
    away is not made anew: then nobody could put the old one back in its place.

    Raises:
        RecordError: Another process has it.
        OSError: It is not there, or cannot be written to.
    """
    while True:
        descriptor = _lock(folder)
        if displaced(folder / LOCK, os.fstat(descriptor)) is None:  # not deleted before it was locked
            break
        os.close(descriptor)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    with suppress(PermissionError):  # another's file that may be written to
        os.fchmod(descriptor, OWNERS_ONLY)
    _shut_out_strangers(folder)
    return descriptor


def _shut_out_strangers(folder: Path) -> None:
    """Take from those who are not of the group what an older version has given them.

    The folder itself stays as it is, for it may hold more than the station's.
    """
    for path in filter(_own, folder.iterdir()):
        with suppress(PermissionError, FileNotFoundError):  # another's, or gone meanwhile
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & stat.S_IRWXO:
                path.chmod(mode & ~stat.S_IRWXO)


def _own(path: Path) -> bool:
    ours = path.name.startswith("records") or path.name in {"archive", "logs", "models", "model-cache"}
    return ours and not path.is_symlink()


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNERS_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RecordError(
            "record.in_use", f"{folder / LOCK} is locked by {holders(folder / LOCK) or 'this process'}"
        ) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
