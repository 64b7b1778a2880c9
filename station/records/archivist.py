"""Keeps scans on a thread of its own, so that no order ever waits for one: archives, removes, and tells the records."""

import os
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Full

import structlog

from station.core.clock import Clock
from station.core.errors import RecordError, StationError
from station.core.place import displaced
from station.core.room import free_bytes, require_room
from station.core.settings import RecordSettings
from station.core.verdicts import Verdict
from station.records import archive, store
from station.records.archive import ScanImage
from station.records.database import Database
from station.records.lane import OpenLane, ThreadLane
from station.records.pruner import Pruner
from station.records.reading import reading
from station.records.retention import oldest
from station.records.trouble import translated
from station.records.writer import Writer

SCANS_WAITING = 4  # 80 MB at the most
MAKE_WAY = 2
"""So many of the oldest scans may make way for a new one."""

log = structlog.get_logger()


class Archivist:
    """The archive of a data folder.

    Args:
        folder: The data folder.
        settings: Which scans are archived, and for how long.
        clock: The date.
        writer: Where the records are told.
        open_lane: Opens the lane that scans are written on: a thread of its own.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordSettings,
        clock: Clock,
        writer: Writer,
        open_lane: OpenLane = ThreadLane,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._writer = writer
        self._kept = frozenset(settings.archive)
        self._settings = settings
        self._pruner = Pruner(folder, settings.keep_days, clock, writer)
        self._lane = open_lane("archive", SCANS_WAITING)
        self._home: os.stat_result | None = None
        self._place: os.stat_result | None = None

    def wants(self, verdict: Verdict, archive: frozenset[str] | None = None) -> bool:
        """Whether scans of parts with this verdict are archived.

        Args:
            verdict: The verdict.
            archive: Names of the verdicts whose scans of this type of part are; None for the configured ones of all.
        """
        return verdict.name in (self._kept if archive is None else archive)

    def take(self, image: ScanImage) -> None:
        """Archive a scan whose judgement is on the disk; never blocks, and what goes wrong is written down."""
        try:
            self._lane.submit(partial(self._archive, image)).add_done_callback(_tell_bug)
        except Full:
            self._report(str(image.file), f"{SCANS_WAITING} scans are waiting for the disk")

    def settle(self, database: Database, now: datetime) -> None:
        """Bring the records of scans whose archiving a stop has cut off in line with the disk; on the writer's thread.

        Raises:
            RecordError: The disk failed.
        """
        with translated(self._folder):
            self._home = self._folder.stat()
            self._find_archive(database, now)
            archive.sweep_incoming(self._folder)
            for file in database.commit(store.scans_pending):
                sha256 = archive.find_scan(self._folder, file)
                if sha256 is None:
                    database.commit(store.scan_failed, file, "the station stopped before the scan was archived", now)
                else:
                    database.commit(store.scan_archived, file, sha256)

    def begin_pruning(self) -> "Future[tuple[str, ...]]":
        """The scans whose removal is due today.

        Raises:
            queue.Full: Too many scans are waiting.
        """
        return self._lane.submit(self._pruner.begin)

    def remove(self, files: Sequence[str]) -> "Future[int]":
        """Remove some of these; the answer is how many are gone. Few at a time, so that new scans come in between.

        Raises:
            queue.Full: Too many scans are waiting.
        """
        return self._lane.submit(partial(self._pruner.remove, files))

    def end_pruning(self, removed: int) -> "Future[None]":
        """Write down how many were removed.

        Raises:
            queue.Full: Too many scans are waiting.
        """
        return self._lane.submit(partial(self._pruner.end, removed))

    def close(self) -> None:
        """Archive what is waiting; blocks so long."""
        self._lane.close()

    def _archive(self, image: ScanImage) -> None:
        file = str(image.file)
        try:
            with translated(self._folder):
                self._look_after_folders()
                self._make_room(image.pixels.nbytes)
                sha256 = archive.write_scan(self._folder, image)
                self._place = (self._folder / archive.ARCHIVE).stat()
            self._writer.commit(store.scan_archived, file, sha256).result()
        except StationError as error:
            self._report(file, error.detail)

    def _make_room(self, needed: int) -> None:
        """Let the oldest scans make way for one that needs so much, where the disk has only the reserve left.

        Never more than two, and none that is kept for ever: whatever else fills the disk empties no archive.

        Raises:
            OSError: There is no room.
        """
        reserve = self._settings.reserve_bytes
        if free_bytes(self._folder) < reserve + needed and self._settings.when_full == "oldest":
            with reading(self._folder) as connection:
                files = oldest(connection, self._settings.keep_days, MAKE_WAY)
            if gone := self._pruner.remove(files):
                log.warning("scans_made_way", scans=gone)
                self._writer.commit(store.note, "scans_made_way", ", ".join(files), self._clock.now()).result()
        require_room(self._folder, needed, reserve)

    def _find_archive(self, database: Database, now: datetime) -> None:
        place = self._folder / archive.ARCHIVE
        if place.is_dir():
            self._place = place.stat()
        elif scans := database.commit(store.scans_archived):
            detail = f"{place} is not there; scans that should be in it: {scans}"
            database.commit(store.note, "archive_gone", detail, now)

    def _look_after_folders(self) -> None:
        """Make sure that a scan goes where the others are; a folder of scans that was taken away is told, once.

        Raises:
            RecordError: The data folder was taken away, or the archive's file system.
        """
        place = self._folder / archive.ARCHIVE
        if self._home is not None and (lost := displaced(self._folder, self._home)):
            raise RecordError("record.disk_failed", lost)
        if self._place is None or not (lost := displaced(place, self._place)):
            return
        if place.is_dir() and place.stat().st_dev != self._place.st_dev:
            raise RecordError("record.disk_failed", lost)
        log.warning("archive_gone", detail=lost)
        self._writer.commit(store.note, "archive_gone", f"{lost}; it is begun anew", self._clock.now())

    def _report(self, file: str, detail: str) -> None:
        log.warning("scan_not_archived", file=file, detail=detail)
        try:
            self._writer.commit(store.scan_failed, file, detail, self._clock.now())
        except StationError as error:
            log.warning("event_not_recorded", code=error.code, detail=error.detail)


def _tell_bug(done: "Future[None]") -> None:
    """Nobody waits for the archive, so what it did not foresee is told here; the scan stays pending until a restart."""
    if error := done.exception():
        log.error("bug_met", where="archive", exc_info=error)
