"""Step 7, record: the durable book of inspections, and the archive of their scans.

Two lanes, each a thread, stand behind the ledger. The writer owns the database: every change is one transaction, on
the disk before the call returns. The archivist encodes and writes scans, which takes up to a second, and never makes an
order wait.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Full
from typing import Concatenate, ParamSpec, Self, TypeVar

from station.core.alarms import Alarm
from station.core.clock import Clock
from station.core.drift.course import Watched
from station.core.errors import BugError, Fault, RecordError
from station.core.judgement import Journal, Judgement, Published, Written
from station.core.locks import holders
from station.core.part import Announcement, Device, Inspection, ModelIdentity, Order, PartType, Receipt
from station.core.ports.records import LedgerRoom
from station.core.room import free_bytes
from station.core.settings import RecordSettings
from station.core.spent import Spent
from station.core.timeline import SettleTimes
from station.core.verdicts import Classes, Place
from station.records import alarms, archive, drifts, journal, judgements, orders, spent, store, tellings
from station.records.archivist import Archivist
from station.records.database import Database, log_files
from station.records.lane import OpenLane, ThreadLane
from station.records.references import SqliteReferences
from station.records.trouble import translated
from station.records.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

WRITE_DEADLINE_S = 10.0
REMOVED_AT_A_TIME = 20
"""Scans that are removed while a new one waits, at the most; some tenths of a second."""


class SqliteLedger:
    """The ledger in a data folder, made by `open` and used from one event loop.

    A call that is cancelled is no longer waited for, but what it was to write is written.

    Attributes:
        references: Its book of golden parts and studies.

    Raises:
        RecordError: From every method: the disk failed or is too slow, or the database is damaged. The next call
            tries again.
        BugError: From a method that changes an inspection or ends an order: it does not stand where that is possible.
    """

    def __init__(
        self, folder: Path, settings: RecordSettings, clock: Clock, table: Classes, open_lane: OpenLane = ThreadLane
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._table = table
        self._writer = Writer(folder, clock, open_lane)
        self._archivist = Archivist(folder, settings, clock, self._writer, open_lane)
        self._closing = False
        self.references = SqliteReferences(self._commit, clock)

    @classmethod
    async def open(
        cls,
        folder: Path,
        settings: RecordSettings,
        clock: Clock,
        configuration: tuple[str, str],
        table: Classes,
        open_lane: OpenLane = ThreadLane,
    ) -> Self:
        """Take the data folder, check its database and bring it up to date.

        Args:
            folder: The data folder; made if it is not there.
            settings: Which scans are archived, and for how long.
            clock: Both clocks.
            configuration: SHA-256 and JSON of the effective configuration; judgements name the hash.
            table: The configured verdicts and places; what is read back is looked up there.
            open_lane: Opens each of the two lanes on which the disk is worked with.

        Raises:
            RecordError: In use, damaged, of a newer version, or the disk failed.
        """
        ledger = cls(folder, settings, clock, table, open_lane)
        try:
            await asyncio.wrap_future(ledger._writer.submit(partial(ledger._begin, *configuration)))
        except BaseException:
            await ledger.close()
            raise
        return ledger

    async def enter(self, part: Announcement, part_type: PartType) -> Inspection:
        """Open an inspection."""
        return await self._commit(store.enter, part, part_type, self._clock.now())

    async def order(self, device: Device, verb: str, argument: int, inspection: Inspection | None) -> Order:
        """Give out the device's next order number and write down the intent, before the order goes out."""
        moment = self._clock.now(), self._clock.monotonic_ns()
        return await self._commit(orders.give_order, device, verb, argument, inspection, *moment)

    async def adopt_order_number(self, device: Device, last: int) -> None:
        """Go on after the number that the device took last, unless the ledger is ahead of it; 0 tells nothing."""
        await self._commit(orders.adopt_order_number, device, last)

    async def receipt(self, receipt: Receipt) -> None:
        """Write down how an order ended."""
        place = self._table.place_of(receipt.confirmed)
        moment = self._clock.now(), self._clock.monotonic_ns()
        await self._commit(orders.end_order, receipt, place.name if place else None, *moment)

    async def judged(self, inspection: Inspection, judgement: Judgement) -> None:
        """Write down the decision and all it rests on, and hand a copy of the scan to the archive.

        The blocks are not needed any more when this returns. A scan that cannot be archived leaves a note and says so
        in its record; the judgement stands.
        """
        await self._write(partial(self._judge, inspection, judgement, self._clock.now()))

    async def interrupted(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Turn the verdict of an inspection that is not closed into REVIEW; what was judged stays recorded."""
        destination = self._table.review.place.name
        await self._commit(store.interrupt, inspection, fault, detail, destination, self._clock.now())

    async def sorted(self, inspection: Inspection, confirmed: Place, settled: SettleTimes | None = None) -> None:
        """Close an inspection with the place that the robot confirmed, and what is known of the times since then."""
        await self._commit(store.close_sorted, inspection, confirmed, settled, self._clock.now())

    async def told(self, inspection: Inspection) -> None:
        """The line has acknowledged where the part of a closed inspection lies; harmless where that is written."""
        await self._commit(tellings.tell, inspection, self._clock.now())

    async def untold(self) -> Sequence[Published]:
        """What the line has not acknowledged of parts that lie in their places, oldest first."""
        return await self._commit(tellings.untold, self._table)

    async def lost(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part could not be brought to a confirmed place; its verdict becomes REVIEW."""
        await self._commit(store.close_lost, inspection, fault, detail, self._clock.now())

    async def withdrawn(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part the PLC took back before it was loaded: without a verdict."""
        await self._commit(store.close_withdrawn, inspection, fault, detail, self._clock.now())

    async def open_inspections(self) -> Sequence[Inspection]:
        """Inspections that are not closed, oldest first."""
        return await self._commit(store.unfinished)

    async def journal(self, inspection: Inspection) -> Journal:
        """What is written of an inspection."""
        return await self._commit(journal.journal, inspection, self._table)

    async def last_order(self, device: Device) -> Written | None:
        """The order that was given to the device last."""
        return await self._commit(journal.last_order, device)

    async def drift_history(self, part_type: str) -> tuple[Watched, ...]:
        """What the parts of a type showed, oldest first."""
        return await self._commit(drifts.history, part_type)

    async def spent(self, since: datetime) -> Spent:
        """What was spent of budgets."""
        return await self._commit(spent.spent, since)

    async def keep_alarm(self, alarm: Alarm) -> None:
        """Write down an alarm as it stands now."""
        await self._commit(alarms.keep, alarm)

    async def listed_alarms(self) -> Sequence[Alarm]:
        """The alarms that stand on the list, the one raised last at the end."""
        return await self._commit(alarms.listed)

    async def answers(self) -> None:
        """Return when the writer's thread has done what waits for it; touches no disk itself.

        Raises:
            RecordError: It did not within its deadline.
        """
        await self._write(_nothing)

    async def look(self) -> None:
        """Make sure that what is written lies in its place, also while nothing is to be written.

        Raises:
            RecordError: The database was deleted, moved or replaced, or the folder is another station's now.
        """
        await self._write(Database.look)

    async def last_taken_on(self) -> Announcement | None:
        """The announcement that was taken on last and not withdrawn, or None."""
        return await self._commit(journal.last_taken_on)

    async def last_model(self) -> ModelIdentity | None:
        """The network that judged the last part, or None before the first."""
        return await self._commit(journal.last_model)

    async def note(self, event: str, detail: str) -> None:
        """Write down an event of the cell."""
        await self._commit(store.note, event, detail, self._clock.now())

    async def prune(self) -> int:
        """Remove archived scans whose time is over, as many as may go today, and return how many; records stay.

        Called every hour or more often. Nothing is removed while the date may be wrong; events tell of both.

        Raises:
            RecordError: Also when too many scans wait for the disk; what is left is removed another day.
        """
        self._require_open()
        removed = 0
        files = await self._by_archivist(self._archivist.begin_pruning)
        if not files:
            return 0
        try:
            for first in range(0, len(files), REMOVED_AT_A_TIME):
                some = files[first : first + REMOVED_AT_A_TIME]
                removed += await self._by_archivist(partial(self._archivist.remove, some))
        finally:
            await self._by_archivist(partial(self._archivist.end_pruning, removed))
        return removed

    async def room(self) -> LedgerRoom:
        """How much room there is on the data folder's disk, and how much of it the database's log has."""
        return await asyncio.to_thread(self._room)

    async def readers(self) -> str:
        """Who else has the database open to read, in words; empty where the kernel does not tell."""
        _log, index = log_files(self._folder)
        return await asyncio.to_thread(holders, index)

    async def close(self) -> None:
        """Finish writing, archive what is waiting, and give the folder free; harmless when it is closed."""
        if not self._closing:
            self._closing = True
            await asyncio.to_thread(self._end)

    def _room(self) -> LedgerRoom:
        log, _index = log_files(self._folder)
        with translated(self._folder):
            return LedgerRoom(free_bytes(self._folder), log.stat().st_size if log.exists() else 0)

    def _begin(self, sha256: str, settings: str, database: Database) -> None:
        now = self._clock.now()
        database.commit(store.remember_configuration, sha256, settings, now)
        self._archivist.settle(database, now)

    def _judge(self, inspection: Inspection, judgement: Judgement, now: datetime, database: Database) -> None:
        """Runs on the writer's thread, which also copies the pixels, so that the event loop does not stand still."""
        file = archive.scan_file(inspection.inspection_id, inspection.entered_at)
        image = (
            archive.cut_out(judgement, file)
            if self._archivist.wants(judgement.decision.verdict, judgement.by.archive)
            else None
        )
        with database.transaction() as connection:
            judgements.judge(connection, inspection, judgement, now)
            if image is not None:
                store.intend_scan(connection, inspection, str(file), image.left)
        if image is not None:
            self._archivist.take(image)

    def _end(self) -> None:
        self._writer.wait()  # the last judgement has reached the archivist
        self._archivist.close()
        self._writer.close()

    async def _by_archivist(self, begin: "Callable[[], Future[T]]") -> T:
        try:
            return await asyncio.wrap_future(begin())
        except Full as error:
            raise RecordError("record.disk_failed", f"{self._folder}: too many scans wait for the disk") from error

    async def _commit(
        self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._write(lambda database: database.commit(change, *args, **kwargs))

    async def _write(self, job: Callable[[Database], T]) -> T:
        """Have the writer do a job, and wait until it is on the disk."""
        self._require_open()
        done = asyncio.wrap_future(self._writer.submit(job))
        done.add_done_callback(_seen)
        try:
            async with asyncio.timeout(WRITE_DEADLINE_S):
                return await asyncio.shield(done)
        except TimeoutError as error:
            detail = f"{self._folder}: not on the disk after {WRITE_DEADLINE_S:g} s"
            raise RecordError("record.disk_failed", detail) from error

    def _require_open(self) -> None:
        if self._closing:
            raise BugError("station.bug", f"{self._folder}: the ledger is closed")


def _nothing(_database: Database) -> None:
    """What is asked of a thread that only has to show that it is there."""


def _seen(done: "asyncio.Future[T]") -> None:
    """What failed after its caller was gone has nobody left to tell; the next write fails, too."""
    if not done.cancelled():
        done.exception()
