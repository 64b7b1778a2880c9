"""A copy of a database that may be at work: as it is at one moment, whole, in one file without a log.

Everything here blocks.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from station.core.durable import staged_file
from station.records.folder import FILE_MODE

PAGES_AT_A_TIME = 1024
PAUSE_S = 0.005
"""Between two pieces of a copy, each of which is on the disk before the next: whoever writes the database waits for one
piece at the most, not for all that the system has put off writing."""


def copy_database(connection: sqlite3.Connection, target: Path, mode: int = FILE_MODE) -> None:
    """Copy a database into a file, which appears under its name when all of it is on the disk.

    Args:
        connection: To the database. What it sees now is copied, whatever is written meanwhile; nobody who writes waits.
        target: The file; replaced if it is there.
        mode: Its rights.

    Raises:
        sqlite3.Error: The database cannot be read, or the disk failed.
        OSError: The disk failed.
    """
    part = target.with_suffix(".part")
    with (
        staged_file(target, part, mode) as file,
        held_still(connection),
        closing(sqlite3.connect(part)) as copy,
    ):
        connection.backup(
            copy, pages=PAGES_AT_A_TIME, progress=lambda *_counts: os.fdatasync(file.fileno()), sleep=PAUSE_S
        )
        copy.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def held_still(connection: sqlite3.Connection) -> Iterator[None]:
    """The database as it is now, however long that takes: a copy in pieces begins anew when what it reads changes."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
        yield
    finally:
        connection.execute("ROLLBACK")
