"""The operator page's database in a backup: who may use the page, which programs, and who did what.

It is copied and put back by SQLite itself, in one transaction, so that the page may run meanwhile. What the database
means is the page's to know, which makes what is put back ready for use.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from station.core.durable import make_folder, move, staged_file, sync
from station.core.errors import PageError, RecordError
from station.records.copying import copy_database
from station.records.folder import OWNERS_ONLY
from station.records.opening import connect, connect_to_read, prepare
from station.records.trouble import translated

PAGE = "page.db"
ENDINGS = ("", "-wal", "-shm")

Ready = Callable[[Path], None]
"""Makes a database of a backup one that may be used."""


def save_page(data: Path, staged: Path) -> None:
    """Save the database as it is now, where there is one.

    Args:
        data: The data folder.
        staged: The backup.

    Raises:
        PageError: It is damaged or cannot be read.
    """
    path = data / PAGE
    if path.is_file():
        with _told(path), closing(connect_to_read(path)) as connection:
            copy_database(connection, staged / PAGE, OWNERS_ONLY)


def demand_page(folder: Path) -> None:
    """Make sure that the database in a backup is whole, where there is one.

    Raises:
        PageError: It is not.
    """
    path = folder / PAGE
    if path.is_file():
        with _told(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as one:
            problems = [row[0] for row in one.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise PageError("page.database_damaged", f"{path}: {'; '.join(problems)}")


def restore_page(saved: Path, data: Path, aside: Path, ready: Ready, belong: Callable[[Path, Path], None]) -> None:
    """Put a saved database in place of what lies there, which is kept.

    Args:
        saved: The backup.
        data: The data folder.
        aside: Where what lies there is kept.
        ready: Makes it one that may be used.
        belong: Gives a file to whom a folder belongs.

    Raises:
        PageError: It is of a newer version, or cannot be written.
        OSError: The disk failed.
    """
    path, staged = data / PAGE, data / f".{PAGE}.restored"
    with staged_file(path.with_name(staged.name), staged.with_suffix(".part"), OWNERS_ONLY) as file:
        file.write((saved / PAGE).read_bytes())
    try:
        ready(staged)
        _keep(path, aside)
        _begin(path, belong)
        _replace(path, staged)
    finally:
        for ending in ENDINGS:
            staged.with_name(f"{staged.name}{ending}").unlink(missing_ok=True)


def _keep(path: Path, aside: Path) -> None:
    """Keep a copy of what lies there; what no longer is a database goes away itself."""
    if not path.exists():
        return
    make_folder(aside)
    try:
        with _told(path), closing(connect_to_read(path)) as connection:
            copy_database(connection, aside / PAGE, OWNERS_ONLY)
    except PageError as error:
        if error.code != "page.database_damaged":
            raise
        for file in (path.with_name(f"{PAGE}{ending}") for ending in ENDINGS):
            if file.exists():
                move(file, aside / file.name)


def _begin(path: Path, belong: Callable[[Path, Path], None]) -> None:
    """See to it that there is a file, its owner's alone."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNERS_ONLY))
        belong(path, path.parent)
        sync(path.parent)


def _replace(path: Path, staged: Path) -> None:
    """Make the database what the other is, in one transaction, whoever reads it."""
    with _told(path), closing(connect_to_read(staged)) as source, closing(connect(path)) as target:
        prepare(target)
        source.backup(target)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what the records would call theirs as a fault of the page."""
    try:
        with translated(path):
            yield
    except RecordError as error:
        raise PageError(error.code.replace("record.", "page."), error.detail) from error
