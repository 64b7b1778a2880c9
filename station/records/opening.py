"""A connection to a database: one to write through, durable at every commit and of the newest version, or to read.

Everything here blocks.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

from station.core.errors import RecordError
from station.records.copying import copy_database
from station.records.schema import VERSIONS, migrate, read_version
from station.records.trouble import PRIMARY_CODE

JOURNAL_KEPT_BYTES = 16_000_000
"""So much of a journal that has grown stays on the disk when its content is in the database."""
BUSY_TIMEOUT_S = 9.0
"""So long a write waits for another program's lock: less than its deadline, so that it is told whose it was."""
PATIENCE_S = 2.0
"""So long a question waits for a lock."""
CANNOT_WRITE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
NO_ROOM_FOR_THE_LOGS_INDEX = frozenset({sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE})


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads a file that is there.

    Where nothing can be written beside it, as on a full disk, and no writer has left a log there, it is read as one
    that never changes.

    Raises:
        sqlite3.Error: It cannot be opened, or is no database.
    """
    uri = path.absolute().as_uri()
    connection = _reader(f"{uri}?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        connection.close()
        code = error.sqlite_errorcode
        nothing_beside = code & PRIMARY_CODE in CANNOT_WRITE or code in NO_ROOM_FOR_THE_LOGS_INDEX
        if not nothing_beside or _has_log(path):
            raise
        return _reader(f"{uri}?mode=ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _reader(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)


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
