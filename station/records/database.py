"""The one connection that writes: opened, checked, brought up to date; a transaction is on the disk or did not happen.

Everything here blocks and belongs to one thread.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from station.core.errors import RecordError
from station.records.folder import claim, sync_folder
from station.records.moments import moment
from station.records.schema import VERSIONS, migrate, read_version
from station.records.trouble import translated

P = ParamSpec("P")
T = TypeVar("T")

DATABASE = "records.sqlite"
BUSY_TIMEOUT_S = 2.0


class Database:
    """The database of a data folder, in the hands of this process.

    Args:
        folder: The data folder; made if it is not there.
        now: The moment of opening, as `station.records.moments` writes it; names the copy made before a migration.

    Raises:
        RecordError: In use, damaged, of a newer version, or the disk failed.
    """

    def __init__(self, folder: Path, now: str) -> None:
        self._path = folder / DATABASE
        self._connection: sqlite3.Connection | None = None
        with translated(folder):
            self._claim = claim(folder)
        try:
            with translated(self._path):
                self._connection = _connect(self._path, "rwc")
                _bring_up_to_date(self._connection, self._path, now)
                _prepare(self._connection)
                sync_folder(folder)
        except BaseException:
            self.close()
            raise

    def commit(self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do one change in a transaction of its own and return its answer when it is on the disk.

        Raises:
            RecordError: As for `transaction`.
            BugError: As for `transaction`.
        """
        with self.transaction() as connection:
            return change(connection, *args, **kwargs)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all on the disk when the block ends, or none of them if it raised.

        After a failure of the disk the file is opened anew for the next transaction, so that work goes on when the
        disk is well again.

        Raises:
            RecordError: The disk failed or the database is damaged. Whether a change whose last write failed is
                there after a loss of power is then not known; the running station goes on without it.
            BugError: The database refused the change.
        """
        try:
            with translated(self._path):
                connection = self._ready()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except RecordError:
            self._let_go()
            raise

    def close(self) -> None:
        """Close the file and give the folder free."""
        self._let_go()
        os.close(self._claim)

    def _ready(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = _connect(self._path, "rw")
            try:
                _prepare(connection)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # what mattered was committed or reported before
                connection.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _prepare(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system cannot hold a database in WAL mode, only in mode {mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, now: str) -> None:
    version = read_version(connection, path)
    if version:
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        if problems != ["ok"]:
            raise RecordError("record.database_damaged", f"{path}: {'; '.join(problems)}")
    if version < len(VERSIONS):
        if version:
            _copy(connection, path.with_name(f"records-version-{version}-{moment(now):%Y%m%dT%H%M%S}.sqlite"))
        migrate(connection, version)


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """A copy of the database beside it, whole or not at all."""
    part = target.with_suffix(".part")
    copy = sqlite3.connect(part)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)
