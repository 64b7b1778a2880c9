"""Reads a data folder's database without changing it: while the station runs, a read-only copy, an older version."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from station.core.errors import RecordError
from station.records.database import DATABASE
from station.records.opening import connect_to_read
from station.records.schema import VERSIONS, migrate, read_version
from station.records.trouble import translated


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees the database as it is at its first question, whatever the station writes meanwhile.

    A database of an older version is brought up to date in a copy that lives as long as the connection.

    Raises:
        RecordError: `record.unknown` without a database; damaged, of a newer version, or the disk failed.
    """
    with as_it_lies(folder) as (connection, version):
        if version == len(VERSIONS):
            yield _snapshot(connection)
            return
        with closing(sqlite3.connect("", isolation_level=None)) as copy:
            connection.backup(copy)
            migrate(copy, version)
            yield _snapshot(copy)


@contextmanager
def as_it_lies(folder: Path) -> Iterator[tuple[sqlite3.Connection, int]]:
    """A connection that only reads, and the version of the database.

    Raises:
        RecordError: As for `reading`.
    """
    path = folder / DATABASE
    with translated(path):
        if not path.is_file():
            raise RecordError("record.unknown", f"{folder} has no records: {DATABASE} is not there")
    with translated(path), closing(connect_to_read(path)) as connection:
        yield connection, read_version(connection, path)


def _snapshot(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    return connection
