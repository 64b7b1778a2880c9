"""Files and folders that are there whole after a loss of power, or not at all: the one place that syncs and renames.

what is new ─▶ filled beside its place ─▶ on the disk ─▶ renamed ─▶ the names in its folder on the disk

A reader finds what was there before or all of what is new, also while it is written. Everything here blocks until the
disk has it, some milliseconds on flash and tens on a disk that turns: once a file, and once more a folder.

Source: rename(2) and fsync(2); a name is on the disk only when its folder was synced, too.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO


def sync(path: Path) -> None:
    """Return when a file's content, or the names in a folder, are on the disk.

    Raises:
        OSError: The disk failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------------- files


def write_whole(place: Path, content: bytes | memoryview) -> None:
    """Write a file, or replace one and keep its owner and rights; of a link what it leads to.

    What is no file, as a pipe or /dev/null, is written to and stays what it is.

    Raises:
        OSError: The disk does not take it; what lay there still does.
    """
    place = place.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    with staged_file(place) as file:
        if place.exists():
            _take_over(place, file.fileno())
        file.write(content)


@contextmanager
def staged_file(place: Path, staged: Path | None = None, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to fill, which replaces what lies in its place when all of it is on the disk, and is gone otherwise.

    Args:
        place: Its place, in a folder that is there.
        staged: Where it is filled, on the same file system; None for a name beside its place that no other process
            takes. Who alone writes there gives one, so that what a loss of power has left is written over.
        mode: Its rights, of which the process's mask takes some.

    Raises:
        OSError: The disk does not take it; what lay there still does. Only a folder that cannot be synced is found too
            late for that.
    """
    staged = staged or _beside(place)
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the descriptor that was there from the first byte is told of every failed write
        _put_in_place(staged, place)
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def _take_over(place: Path, descriptor: int) -> None:
    """Have a new file belong to whom the old one does: what root writes must not lock the station out."""
    old = place.stat()
    with suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o7777)


# ---------------------------------------------------------------------- folders


@contextmanager
def staged_folder(place: Path, staged: Path | None = None, mode: int = 0o777) -> Iterator[Path]:
    """A folder to fill, which takes its place when all in it is on the disk, and is gone otherwise.

    Args:
        place: Its place, in a folder that is there; nothing may lie there.
        staged: As for `staged_file`; what lies there is thrown away.
        mode: As for `staged_file`.

    Raises:
        FileExistsError: Something lies there.
        OSError: The disk does not take it.
    """
    staged = staged or _beside(place)
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(mode)
        yield staged
        put(staged, place)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, if need be.

    Args:
        folder: The folder.
        mode: Rights of those that are made, of which the process's mask takes some.

    Raises:
        OSError: It cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode, exist_ok=True)
        sync(path.parent)


def make_folder_in(home: Path, inner: PurePath, mode: int = 0o777) -> None:
    """Make a folder, and those above it, in one that is there.

    A home that was taken away is not made anew: then nobody could put the old one back in its place.

    Args:
        home: The folder that is there.
        inner: The way from there.
        mode: As for `make_folder`.

    Raises:
        OSError: It cannot be made, or its home is gone.
    """
    folder = home
    for name in inner.parts:
        folder /= name
        if not folder.exists():
            folder.mkdir(mode, exist_ok=True)
            sync(folder.parent)


# ---------------------------------------------------------------------- either


def put(staged: Path, place: Path) -> None:
    """Have a file or folder that was filled beside its place take it.

    Args:
        staged: What was filled.
        place: Its place; a file that lies there is replaced.

    Raises:
        FileExistsError: Something lies where a folder shall.
        OSError: The disk failed.
    """
    for path in (*staged.rglob("*"), staged):
        sync(path)
    if staged.is_dir() and place.exists():  # rename would take the place of an empty folder
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    _put_in_place(staged, place)


def move(source: Path, place: Path) -> None:
    """Move a file or folder, whose content is on the disk, within a file system; what lies there is replaced.

    Raises:
        OSError: The disk failed.
    """
    _put_in_place(source, place)
    sync(source.parent)


def _put_in_place(staged: Path, place: Path) -> None:
    staged.replace(place)
    sync(place.parent)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.{os.getpid()}.part")
