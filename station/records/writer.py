"""The one place that has the database; everything that is written goes through it, in order."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Full
from typing import Concatenate, ParamSpec, TypeVar

from station.core.clock import Clock
from station.core.errors import RecordError
from station.records.database import Database
from station.records.lane import OpenLane, ThreadLane

P = ParamSpec("P")
T = TypeVar("T")

WRITES_WAITING = 256


class Writer:
    """The database of a data folder on a lane of its own.

    Args:
        folder: The data folder.
        clock: The date.
        open_lane: Opens the lane: a thread of its own.
    """

    def __init__(self, folder: Path, clock: Clock, open_lane: OpenLane = ThreadLane) -> None:
        self._folder = folder
        self._lane = open_lane("records", WRITES_WAITING)
        self._database: Database
        self._opened = self._lane.submit(lambda: self._open(clock))

    def submit(self, job: Callable[[Database], T]) -> "Future[T]":
        """Have a job done on the database after those before it; from any thread, never blocks.

        The answer is a StationError when the disk failed, or when the database could not be opened.

        Raises:
            RecordError: The disk does not keep up; the job will not be done.
        """
        try:
            return self._lane.submit(lambda: job(self._ready()))
        except Full as error:
            detail = f"{self._folder}: {self._lane.capacity} writes are waiting for the disk"
            raise RecordError("record.disk_failed", detail) from error

    def commit(
        self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[T]":
        """Have one change done in a transaction of its own; as `submit`.

        Raises:
            RecordError: As for `submit`.
        """
        return self.submit(lambda database: database.commit(change, *args, **kwargs))

    def wait(self) -> None:
        """Return when everything that was submitted so far is done; blocks so long."""
        self._lane.wait()

    def close(self) -> None:
        """Do what is waiting and give the folder free; blocks so long."""
        if self._opened.exception() is None:
            self._lane.close(self._database.close)
        else:
            self._lane.close()

    def _open(self, clock: Clock) -> None:
        self._database = Database(self._folder, clock)

    def _ready(self) -> Database:
        self._opened.result()
        return self._database
