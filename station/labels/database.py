"""The labels' database in a data folder: one file of its own, which whoever labels opens for as long as that takes.

A transaction is on the disk when it returns, or did not happen. The file appears whole, with its table, or not at all,
also where two processes say the first label at once. Everything here blocks.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from models.errors import LabelError
from station.core.durable import make_folder, sync
from station.core.errors import RecordError
from station.core.room import MB, require_room
from station.labels.schema import create, migrate, read_version
from station.records.folder import FILE_MODE, FOLDER_MODE
from station.records.opening import connect, connect_to_read, prepare
from station.records.trouble import translated

DATABASE = "labels.db"
ROOM_BYTES = MB
"""So much must be free beside the records' reserve, for a few labels and the journal."""

TOLD_AS = {
    "record.disk_failed": "label.disk_failed",
    "record.database_damaged": "label.database_damaged",
    "record.locked": "label.locked",
}


@contextmanager
def writing(folder: Path, reserve_bytes: int) -> Iterator[sqlite3.Connection]:
    """A connection whose changes are all on the disk when the block ends, or none of them if it raised.

    Args:
        folder: The data folder; made, as the database is, if need be.
        reserve_bytes: So much of the disk is the records' alone.

    Raises:
        LabelError: The disk failed or is full, the folder may not be written, or another program has the labels locked.
    """
    path = folder / DATABASE
    with _told(path):
        make_folder(folder, FOLDER_MODE)
        require_room(folder, ROOM_BYTES, reserve_bytes)
        if not path.exists():
            _begin(path)
        with closing(connect(path)) as connection:
            read_version(connection, path)
            prepare(connection)
            connection.execute("BEGIN IMMEDIATE")
            migrate(connection, read_version(connection, path))
            yield connection
            connection.execute("COMMIT")


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that sees the labels as they are at its first question; None where nobody has said any yet.

    Raises:
        LabelError: Damaged, of a newer version, or the disk failed.
    """
    path = folder / DATABASE
    with _told(path):
        if not path.is_file():
            yield None
            return
        with closing(connect_to_read(path)) as connection:
            read_version(connection, path)
            yield connection


def _begin(path: Path) -> None:
    """Make the database beside its place and put it there, unless another process has put one there meanwhile."""
    with TemporaryDirectory(prefix=".labels-", dir=path.parent) as home:
        staged = Path(home) / DATABASE
        os.close(os.open(staged, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
        with closing(connect(staged)) as connection:
            prepare(connection)
            create(connection)
        _belong(staged, path.parent)
        sync(staged)
        with suppress(FileExistsError):
            os.link(staged, path)
        sync(path.parent)


def _belong(file: Path, folder: Path) -> None:
    """Have the file belong to whom its folder does: where root labels first, the station's user can label too."""
    owner = folder.stat()
    with suppress(PermissionError):
        os.chown(file, owner.st_uid, owner.st_gid)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what the records would call theirs as a fault of the labels."""
    try:
        with translated(path):
            yield
    except RecordError as error:
        raise LabelError(TOLD_AS[error.code], error.detail) from error
