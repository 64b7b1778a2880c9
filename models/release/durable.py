"""Files that are there, whole, after a power failure, or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from station.core.errors import ModelError


def sync_file(path: Path) -> None:
    """Have a file's or a folder's content on the disk before going on.

    Raises:
        OSError: The disk fails.
    """
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or replace it with its owner and rights kept, so that it is there whole or as it was before.

    Raises:
        OSError: The disk does not take it; nothing changed.
    """
    place = path.resolve()
    staged = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            _take_over(place, staged)
        staged.replace(place)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    sync_file(place.parent)


def _take_over(place: Path, staged: Path) -> None:
    """Have the new file belong to whom the old one did: a promotion by root must not lock the station out."""
    shutil.copymode(place, staged)
    with suppress(PermissionError):
        os.chown(staged, place.stat().st_uid, place.stat().st_gid)


@contextmanager
def filled_folder(place: Path, mode: int = 0o777) -> Iterator[Path]:
    """A folder to fill, beside its place; moved there when all of it is on the disk, and nothing is left otherwise.

    Args:
        place: Where it shall lie, in a folder that is there.
        mode: Its rights, of which the process's mask takes some.

    Raises:
        FileExistsError: Something lies there.
        OSError: The disk fails.
    """
    staged = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        staged.mkdir(mode)
        yield staged
        for path in (*staged.rglob("*"), staged):
            sync_file(path)
        if place.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
        staged.rename(place)
        sync_file(place.parent)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A folder to fill, beside its place; moved to its place when it is full, removed when that fails.

    Args:
        place: Where it shall lie; nothing may be there.

    Raises:
        ModelError: `model.exists` when something is there, `config.file_failed` when the disk fails.
    """
    refuse_existing(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with filled_folder(place) as staged:
            yield staged
    except FileExistsError:
        refuse_existing(place)
        raise
    except OSError as error:
        raise ModelError("config.file_failed", f"{place}: {error}; nothing was left there") from error


def refuse_existing(place: Path) -> None:
    """Make sure that nothing lies at a place.

    Raises:
        ModelError: `model.exists`.
    """
    if place.exists():
        raise ModelError("model.exists", f"{place} is there already")
