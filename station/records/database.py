"""The one connection that writes: opened, checked, brought up to date; a transaction is on the disk or did not happen.

A transaction counts only while the database lies at its path. One that was deleted, moved or replaced is kept open, so
that it can be moved back, and nothing is written until it is. Its log and the folder's lock can be made anew without
losing anything, and are.

Everything here blocks and belongs to one thread.

Source: SQLite, "How To Corrupt An SQLite Database File": deleting a hot journal, unlinking or renaming a database file
while in use. A log that is deleted takes with it what was committed since the last checkpoint.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from station.core.clock import Clock
from station.core.durable import make_folder, sync
from station.core.errors import RecordError, StationError
from station.core.place import displaced
from station.records import store
from station.records.folder import FILE_MODE, FOLDER_MODE, LOCK, claim
from station.records.opening import bring_up_to_date, connect, prepare
from station.records.trouble import translated

P = ParamSpec("P")
T = TypeVar("T")

DATABASE = "records.sqlite"
PUT_BACK = (
    "Nothing is sorted without its record. Put it back where it was, then Unhold (from Stopped: Reset); or restart the "
    "station, which goes on with what lies there then, with a new database where none does"
)


class Database:
    """The database of a data folder, in the hands of this process.

    Args:
        folder: The data folder; made if it is not there.
        clock: The date; it names the copy that is made before a migration, and dates events.

    Raises:
        RecordError: In use, damaged, of a newer version, or the disk failed.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._path = folder / DATABASE
        self._clock = clock
        self._held: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._log: dict[Path, os.stat_result] = {}
        self._taken_away = False
        with translated(folder):
            make_folder(folder, FOLDER_MODE)
            self._claim = claim(folder)
        try:
            with translated(self._path):
                self._hold_open()
                self._open(lambda connection: bring_up_to_date(connection, self._path, clock.now()))
                sync(folder)
                self.look()
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
            RecordError: The disk failed, the database is damaged or does not lie at its path. Whether a change whose
                last write failed is there after a loss of power is then not known; the running station goes on
                without it.
            BugError: The database refused the change.
        """
        try:
            with translated(self._path):
                self.look()
                connection = self._ready()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                self.look()
        except RecordError:
            if not self._taken_away:
                self._let_go()
            raise

    def look(self) -> None:
        """Make sure that what is written lies in its place; what can be made anew is.

        Raises:
            RecordError: The database was taken away, or the folder is another station's now.
        """
        with translated(self._path):
            lost = displaced(self._path, self._own)
            self._taken_away = lost is not None
            if lost is not None:
                with suppress(sqlite3.Error):  # so that the file is whole, wherever it lies now
                    self._bring_log_in()
                raise RecordError("record.disk_failed", f"{lost}. {PUT_BACK}")
            self._look_after_lock()
            self._look_after_log()

    def close(self) -> None:
        """Close the file and give the folder free."""
        if self._held is not None:
            with suppress(StationError):
                self.look()
            self._let_go()
            os.close(self._held)  # only now: to close it ends every lock that this process has on the file
        os.close(self._claim)

    # ------------------------------------------------------------------ opened, and let go

    def _hold_open(self) -> None:
        """Open the file, apart from SQLite, for as long as this process has it: nobody else gets its inode."""
        self._held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        self._own = os.fstat(self._held)

    def _ready(self) -> sqlite3.Connection:
        return self._connection or self._open(_as_it_is)

    def _open(self, begin: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        connection = connect(self._path)
        try:
            begin(connection)
            prepare(connection)
            self._log = {path: path.stat() for path in log_files(self._folder)}
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # what mattered was committed or reported before
                connection.close()

    # ------------------------------------------------------------------ kept in place

    def _look_after_lock(self) -> None:
        if lost := displaced(self._folder / LOCK, os.fstat(self._claim)):
            before, self._claim = self._claim, self._claimed_anew(lost)
            os.close(before)
            self.commit(store.note, "lock_taken_anew", lost, self._clock.now())

    def _claimed_anew(self, lost: str) -> int:
        try:
            return claim(self._folder)
        except FileNotFoundError as error:  # the whole folder went, a moment after the database was looked at
            self._taken_away = True
            raise RecordError("record.disk_failed", f"{lost}. {PUT_BACK}") from error

    def _look_after_log(self) -> None:
        """Where the log or its index was taken away: bring what the log holds into the database, and begin both anew.

        Raises:
            RecordError: Another program reads, so that not everything can be brought in yet.
        """
        lost = [displaced(path, own) for path, own in self._log.items()] if self._connection else []
        if not any(lost):
            return
        detail = "; ".join(filter(None, lost))
        if not self._bring_log_in():
            self._taken_away = True
            detail = f"{detail}; another program reads {self._path}. End it, then Unhold"
            raise RecordError("record.disk_failed", detail)
        self._let_go()
        for path in log_files(self._folder):
            path.unlink(missing_ok=True)
        self.commit(store.note, "log_begun_anew", detail, self._clock.now())

    def _bring_log_in(self) -> bool:
        """Whether all that the log holds is in the database's own file now."""
        if self._connection is None:
            return True
        busy, _pages, _brought = self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        return not busy


def log_files(folder: Path) -> tuple[Path, Path]:
    """Where the database's log and the log's index lie while it is open."""
    return folder / f"{DATABASE}-wal", folder / f"{DATABASE}-shm"


def _as_it_is(_connection: sqlite3.Connection) -> None:
    """What is to be done with a database that was checked before."""
