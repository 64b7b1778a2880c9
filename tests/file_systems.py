"""File systems of a test's own, mounted and taken away."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A folder that is a file system of its own; the test is skipped where none can be mounted."""
    folder.mkdir()
    if not mount(folder, *options):
        pytest.skip("a file system cannot be mounted here: it needs root and the right to mount")
    try:
        yield folder
    finally:
        while os.path.ismount(folder):
            unmount(folder)


def mount(folder: Path, *options: str) -> bool:
    """Mount an empty file system; whether that is allowed."""
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Take a file system away, whoever uses it."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
