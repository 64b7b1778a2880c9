"""The page's own database in the data folder: `page.db`, with people, sessions and the audit trail.

It is its owner's alone, for it holds what passwords are proven by. A transaction is on the disk when it returns, or did
not happen. Everything here blocks.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from station.core.durable import make_folder, sync
from station.core.errors import PageError, RecordError
from station.core.room import MB, require_room
from station.page.schema import bring_up_to_date, require_newest
from station.records.folder import FOLDER_MODE, OWNERS_ONLY
from station.records.opening import connect, connect_to_read, prepare
from station.records.trouble import translated

DATABASE = "page.db"
ROOM_BYTES = MB
"""So much must be free beside the records' reserve."""

TOLD_AS = {
    "record.disk_failed": "page.disk_failed",
    "record.database_damaged": "page.database_damaged",
    "record.locked": "page.locked",
}


class PageDatabase:
    """The database of one data folder.

    Args:
        folder: The data folder.
        reserve_bytes: So much of its disk is the records' alone.
    """

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        self._path = folder / DATABASE
        self._reserve_bytes = reserve_bytes

    def make(self) -> None:
        """Make it, if need be, and bring it up to date.

        Raises:
            PageError: The disk failed or is full, or the file is damaged, another program's or of a newer version.
        """
        with _told(self._path):
            make_folder(self._path.parent, FOLDER_MODE)
            if not self._path.exists():
                require_room(self._path.parent, ROOM_BYTES, self._reserve_bytes)
                with suppress(FileExistsError):
                    os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNERS_ONLY))
                sync(self._path.parent)
            with closing(connect(self._path)) as connection:
                prepare(connection)
                bring_up_to_date(connection, self._path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all on the disk when the block ends, or none of them if it raised.

        Raises:
            PageError: The disk failed, or another program has the database locked.
        """
        with _told(self._path), closing(connect(self._path)) as connection:
            require_newest(connection, self._path)
            prepare(connection)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the database as it is at its first question.

        Raises:
            PageError: It is not there, damaged, of a newer version, or the disk failed.
        """
        with _told(self._path), closing(connect_to_read(self._path)) as connection:
            require_newest(connection, self._path)
            connection.execute("BEGIN")
            yield connection


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what the records would call theirs as a fault of the page."""
    try:
        with translated(path):
            yield
    except RecordError as error:
        raise PageError(TOLD_AS[error.code], error.detail) from error
