"""Removes the archived scans whose time is over: on one day a share, and none while the date may be wrong.

Everything here blocks and belongs to the archive's thread.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import structlog

from station.core.clock import Clock
from station.records import archive, store
from station.records.dating import Dating
from station.records.reading import reading
from station.records.retention import BEGUN, DAY, Due, due
from station.records.writer import Writer

log = structlog.get_logger()


class Pruner:
    """What is removed from the archive of a data folder.

    Args:
        folder: The data folder.
        keep_days: For how long a scan is kept, by verdict.
        clock: Both clocks.
        writer: Where the records are told.
    """

    def __init__(self, folder: Path, keep_days: Mapping[str, int], clock: Clock, writer: Writer) -> None:
        self._folder = folder
        self._keep_days = dict(keep_days)
        self._clock = clock
        self._writer = writer
        self._dating = Dating(clock)
        self._begun_ns: int | None = None
        self._postponed_ns: int | None = None

    def begin(self) -> tuple[str, ...]:
        """The scans that are removed today, written down before the first of them is; mostly none.

        Raises:
            StationError: The disk failed.
        """
        doubt, now = self._dating.doubt(), self._clock.now()
        if not self._keep_days or self._passed_a_day_since(self._begun_ns) is False:
            return ()
        with reading(self._folder) as connection:
            found = due(connection, self._keep_days, now)
        if not found.files or (self._begun_ns is None and found.begun_today(now)):
            return ()
        if doubt:
            self._postpone(found, doubt, now)
            return ()
        return self._take(found, now)

    def remove(self, files: Sequence[str]) -> int:
        """Remove some of them; how many are gone. One that is not leaves a note and is tried again the next day.

        Raises:
            StationError: The disk failed.
        """
        now = self._clock.now()
        gone = [file for file in files if self._remove(file, now)]
        self._writer.commit(store.scans_expired, gone, now).result()
        return len(gone)

    def end(self, removed: int) -> None:
        """Write down how many were removed.

        Raises:
            StationError: The disk failed.
        """
        detail = f"{removed} archived scans, older than records.keep_days says"
        log.info("scans_removed", scans=removed)
        self._writer.commit(store.note, "scans_removed", detail, self._clock.now()).result()

    def _take(self, found: Due, now: datetime) -> tuple[str, ...]:
        files = found.files[: found.share + (found.came_in if self._clock.synchronised() else 0)]
        detail = f"{len(files)} of {found.archived} archived scans; {len(found.files) - len(files)} wait for other days"
        self._writer.commit(store.note, BEGUN, detail, now).result()
        self._begun_ns = self._clock.monotonic_ns()
        return files

    def _postpone(self, found: Due, doubt: str, now: datetime) -> None:
        """Tell it, once a day: a disk that fills for this must not come as a surprise."""
        if self._passed_a_day_since(self._postponed_ns) is False:
            return
        self._postponed_ns = self._clock.monotonic_ns()
        detail = f"{len(found.files)} of {found.archived} archived scans are older than records.keep_days says; {doubt}"
        log.warning("pruning_postponed", detail=detail)
        self._writer.commit(store.note, "pruning_postponed", detail, now).result()

    def _passed_a_day_since(self, moment_ns: int | None) -> bool | None:
        """Whether a day has passed on the clock that nobody sets; None since never."""
        return None if moment_ns is None else self._clock.monotonic_ns() - moment_ns >= DAY.total_seconds() * 1e9

    def _remove(self, file: str, now: datetime) -> bool:
        try:
            archive.remove_scan(self._folder, file)
        except OSError as error:
            detail = f"{file}: {error.strerror}"
            log.warning("scan_not_removed", file=file, detail=detail)
            self._writer.commit(store.note, "scan_not_removed", detail, now).result()
            return False
        return True
