"""Which files this process holds open."""

from pathlib import Path


def held_open(file: Path) -> bool:
    """Whether one of this process's descriptors is of this file."""
    return file in [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
