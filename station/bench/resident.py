"""Resident memory of a process and of its children, as Linux tells it: private and shared pages that are in use."""

import os
from pathlib import Path

PROC = Path("/proc")
KB_PER_MB = 1024


def resident_mb(pid: int) -> float | None:
    """Resident memory of a process in MiB; None when it is gone."""
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / KB_PER_MB for line in lines if line.startswith("VmRSS:")), None)


def child_running(module: str) -> int | None:
    """Number of the child process of this one that runs `python -m MODULE`, or None."""
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and _is_child(folder, module):
            return int(folder.name)
    return None


def _is_child(folder: Path, module: str) -> bool:
    try:
        parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        words = (folder / "cmdline").read_bytes().split(b"\0")
    except (OSError, UnicodeDecodeError):
        return False
    return parent == os.getpid() and module.encode() in words
