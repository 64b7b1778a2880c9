"""What SQLite and the file system complain about, as faults of the station."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from station.core.errors import BugError, RecordError, StationError
from station.core.locks import holders

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
OWN_FAULT = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_SCHEMA,
        sqlite3.SQLITE_TOOBIG,
    }
)
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
PRIMARY_CODE = 0xFF


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of the database or the file system inside into one of the station's; `path` is named in it.

    Raises:
        RecordError: The disk failed, the database is damaged, or another program has it locked.
        BugError: The database refused what the station asked of it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(error, path) from error
    except OSError as error:
        raise RecordError("record.disk_failed", f"{error.filename or path}: {error.strerror or error}") from error


def _fault(error: sqlite3.Error, path: Path) -> StationError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code & PRIMARY_CODE in OWN_FAULT:
        return BugError("station.bug", f"{path}: {error}")
    name = getattr(error, "sqlite_errorname", "")
    if code & PRIMARY_CODE in DAMAGED:
        return RecordError("record.database_damaged", f"{path}: {error} ({name})")
    if code & PRIMARY_CODE in LOCKED:
        who = holders(path, path.with_name(f"{path.name}-shm"), path.with_name(f"{path.name}-wal"))
        return RecordError("record.locked", f"{path}: {error} ({name})" + (f"; {who} has it" if who else ""))
    return RecordError("record.disk_failed", f"{path}: {error} ({name})")
