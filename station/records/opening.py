"""A connection to the database, as the station writes through it: durable at every commit, of the newest version.

Everything here blocks.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

from station.core.errors import RecordError
from station.records.copying import copy_database
from station.records.schema import VERSIONS, migrate, read_version

JOURNAL_KEPT_BYTES = 16_000_000
"""So much of a journal that has grown stays on the disk when its content is in the database."""
BUSY_TIMEOUT_S = 9.0
"""So long a write waits for another program's lock: less than its deadline, so that it is told whose it was."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def prepare(connection: sqlite3.Connection) -> None:
    """Have every commit on the disk before it returns, and every reference whole; then the log is there.

    Raises:
        sqlite3.Error: The file or its file system does not allow it.
    """
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system cannot hold a database in WAL mode, only in mode {mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_KEPT_BYTES}")
    connection.execute("SELECT count(*) FROM sqlite_master")  # to read begins the log


def bring_up_to_date(connection: sqlite3.Connection, path: Path, now: datetime) -> None:
    """Check the database, and make it one of the newest version; one that is older is copied before.

    Args:
        connection: To the database; an empty file is one of no version.
        path: Where it lies; the copy lies beside it.
        now: The date, in the copy's name.

    Raises:
        RecordError: Damaged, another program's, or of a newer version.
        sqlite3.Error: The disk failed.
        OSError: The disk failed.
    """
    version = read_version(connection, path)
    if version:
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        if problems != ["ok"]:
            raise RecordError("record.database_damaged", f"{path}: {'; '.join(problems)}")
    if version < len(VERSIONS):
        if version:
            copy_database(connection, path.with_name(f"records-version-{version}-{now:%Y%m%dT%H%M%S}.sqlite"))
        migrate(connection, version)
