"""Who has a file locked, as the kernel tells it."""

import os
from contextlib import suppress
from pathlib import Path

LOCKS = Path("/proc/locks")


def holders(*files: Path) -> str:
    """The other processes that have one of these files locked, in words; empty where the kernel tells of none."""
    inodes = set()
    for file in files:
        with suppress(OSError):
            inodes.add(str(file.stat().st_ino))
    own = str(os.getpid())
    found = sorted({process for process, inode in _locks() if inode in inodes and process != own}, key=int)
    return ", ".join(f"process {process}{_name_of(process)}" for process in found)


def _locks() -> list[tuple[str, str]]:
    """Process and inode of every lock that is held. Source: Linux, Documentation/filesystems/proc.rst, /proc/locks."""
    try:
        rows = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines()]
    except OSError:
        return []
    return [(row[4], row[5].rpartition(":")[2]) for row in rows if "->" not in row]


def _name_of(process: str) -> str:
    try:
        return f" ({Path(f'/proc/{process}/comm').read_text(encoding='utf-8', errors='replace').strip()})"
    except OSError:
        return ""
