"""What simulated cells that were killed leave behind, and clearing it away at the start of the next, whichever it is.

A cell has a scene, 20 MB of shared memory, and a link to its jig's terminal. The scene is locked while its cell lives,
and says where the link is, so that both are found and told from those of a cell at work.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from sim.scene_memory import FOLDER, HEADER, MAGIC, is_file


def clear_leavings(folder: Path = FOLDER) -> None:
    """Remove the scenes of this user's cells that are dead, and the links to their jigs; never fails.

    Args:
        folder: Where shared memory lies.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                _clear(path)


def _clear(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size < HEADER.itemsize:
        return
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        header = np.frombuffer(os.pread(file, HEADER.itemsize, 0), HEADER, count=1)
        if header["magic"][0] != MAGIC:
            return
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held by a cell that lives
        if is_file(path, file):
            for link in _links(header):
                link.unlink()
            path.unlink()
    finally:
        os.close(file)


def _links(header: np.ndarray) -> Iterator[Path]:
    """The link to the jig's terminal, unless another cell's is there by now."""
    link, terminal = (os.fsdecode(bytes(header[name][0])) for name in ("jig_link", "jig_terminal"))
    if link and (path := Path(link)).is_symlink() and str(path.readlink()) == terminal:
        yield path
