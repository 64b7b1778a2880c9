"""Room on a disk: how much is left, and how much of that is the records' alone."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile

from station.core.durable import make_folder

MB = 1_000_000


def free_bytes(folder: Path) -> int:
    """What may still be written where this folder is, or is to be made.

    Raises:
        OSError: The file system does not tell.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize


def require_room(folder: Path, needed: int, reserve: int) -> None:
    """Make sure that so many bytes can be written and the reserve is still there.

    Raises:
        OSError: ENOSPC: they would be taken from the reserve; or the file system does not tell.
    """
    if (lacking := reserve + needed - free_bytes(folder)) > 0:
        said = f"{lacking / MB:.0f} MB are lacking, {reserve / MB:.0f} MB of them for the records' reserve"
        raise OSError(errno.ENOSPC, said, str(folder))


def require_writable(folder: Path) -> None:
    """Make a folder, if need be, and make sure that a file can be written in it; nothing is left there.

    Raises:
        OSError: It cannot.
    """
    make_folder(folder)
    with TemporaryFile(dir=folder) as probe:
        probe.write(b"station")
