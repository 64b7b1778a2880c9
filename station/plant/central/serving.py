"""The replication as a process: it reads the records, and keeps the plant's database and store up with them.

It only reads what the station writes, so that it can hold nothing: whatever breaks, the cell goes on, and what ended
meanwhile lies in the records until the plant is back.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TextIO, TypeVar
from zlib import crc32

import psycopg
import structlog

from station.core.clock import Clock
from station.core.errors import PlantError, RecordError, StationError
from station.core.moments import stamp
from station.core.ports.feed import RecordFeed
from station.core.room import MB, free_bytes
from station.core.settings import Settings, data_dir
from station.host.records import feed_records
from station.plant.central.book import Book, Page
from station.plant.central.connection import connect, cut, told
from station.plant.central.room import room_of
from station.plant.central.scans import AT_ONCE as SCANS_AT_ONCE
from station.plant.central.scans import Copying, ScanStore
from station.plant.central.schema import require_usable
from station.plant.central.sending import Sending
from station.plant.running import Say, alone, ended_from_outside

T = TypeVar("T")

FOR_GOOD = frozenset({"plant.cell_taken", "plant.bad_secret", "plant.book_unusable", "plant.runs_already"})
"""What no waiting mends."""
NO_RECORDS = "record.unknown"
"""No station was here yet."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited.

    Attributes:
        look_s: Until the records are looked at again, where nothing was waiting.
        retry_s: Until what failed is tried again the first time; then twice as long each time.
        answer_s: For the answers to one batch; then the connection counts as broken.
        book_s: Between two entries in the book, where nothing else than time has changed.
        longest_retry_s: At most until what failed is tried again.
    """

    look_s: float = 1.0
    retry_s: float = 5.0
    answer_s: float = 60.0
    book_s: float = 10.0
    longest_retry_s: float = 60.0

    def pause_s(self, failures: int, station_id: str) -> float:
        """For how long is waited after so many failures behind each other; each cell a little longer or shorter.

        So not all of them come at once when the plant is back.

        Args:
            failures: 1 or more.
            station_id: Whose share of the time it is.
        """
        share = 0.75 + crc32(station_id.encode()) % 1000 / 2000
        return share * min(self.longest_retry_s, self.retry_s * 2.0 ** min(failures - 1, MOST_DOUBLED))


MOST_DOUBLED = 30
USUAL = Pace()


def cell_name(settings: Settings) -> str:
    """Under which name the cell is told."""
    return settings.central.cell or settings.station.name


class Link:
    """One connection's work for a cell: everything that waits, batch by batch. Every method blocks, but for `cut`.

    Args:
        settings: The station's configuration.
        folder: The data folder.
        feed: Its records.
        page: Whose records these are.

    Raises:
        PlantError: The plant's database cannot be reached or refuses, or the store's key cannot be read.
    """

    def __init__(self, settings: Settings, folder: Path, feed: RecordFeed, page: Page) -> None:
        self._settings = settings.central
        self._feed = feed
        self._is_cut = Event()
        store, cell = self._settings.store, cell_name(settings)
        self._copying = Copying(ScanStore(store), cell, folder) if store.bucket else None
        self._connection = connect(self._settings)
        self.sending = Sending(self._connection, cell, feed, folder, page.station_id)

    def begin(self, *, take_over: bool) -> None:
        """Find out how far the cell is told.

        Args:
            take_over: Whether the cell's name is taken over from another data folder.

        Raises:
            PlantError: The plant's database is of another version, or does not answer; `plant.cell_taken`.
        """
        with told(self._settings):
            require_usable(self._connection)
            self.sending.begin(take_over=take_over)

    def send(self) -> int:
        """Tell the next of everything but scans; how many.

        Raises:
            PlantError: The plant's database cannot be reached, refuses, or is full; `plant.cell_taken`.
            StationError: Records or labels cannot be read.
        """
        sending = self.sending
        with told(self._settings):
            try:
                return sending.send_parts() + sending.send_events() + sending.send_alarms() + sending.send_labels()
            except RecordError as error:
                if error.code == NO_RECORDS:
                    return 0
                raise

    def copy(self) -> int:
        """Copy the next scans; how many.

        Raises:
            PlantError: The plant's store cannot be reached, or refuses; or its database, as above.
            RecordError: The records or the archive cannot be read.
        """
        if self._copying is None:
            return 0
        try:
            scans = self._feed.scans(self.sending.told.scan, SCANS_AT_ONCE)
        except RecordError as error:
            if error.code == NO_RECORDS:
                return 0
            raise
        rows, last = [], None
        try:
            for scan, row in self._copying.copy(scans, lambda: not self._is_cut.is_set()):
                rows.append(row)
                last = scan.told
        finally:
            if last is not None:
                with told(self._settings):
                    self.sending.write_scans(rows, last)
        return len(rows)

    @property
    def doubts(self) -> bool:
        """Whether a scan was not found, and is to be looked for once more."""
        return self._copying is not None and self._copying.doubts

    def cut(self) -> None:
        """End what is waited for; from any thread."""
        self._is_cut.set()
        cut(self._connection)

    def close(self) -> None:
        """End the connection; harmless when it is broken."""
        with suppress(psycopg.Error):
            self._connection.close()


@dataclass(slots=True)
class _Course:
    """How it went so far, so that each trouble is told once and tried again ever more seldom.

    Attributes:
        fault: What is wrong with the database, as it was told.
        failures: So often it was behind each other.
        store: What is wrong with the scans or their store.
        store_failures: So often it was behind each other.
        store_again: When the scans are tried again, by the event loop's clock.
        room: Whether it was told that the disk fills.
        book: What is wrong with the book.
        written: When the book was written last, by the event loop's clock; 0 where it is to be written at once.
    """

    fault: str = ""
    failures: int = 0
    store: str = ""
    store_failures: int = 0
    store_again: float = 0.0
    room: bool = False
    book: str = ""
    written: float = 0.0


@dataclass(slots=True)
class Replication:
    """The replication of one data folder, from connection to connection.

    Attributes:
        settings: The station's configuration.
        folder: The data folder.
        clock: The date.
        say: Told what becomes of it.
        ended: Set when it is to end.
        take_over: Whether the cell's name is taken over from another data folder.
        pace: How long is waited.
    """

    settings: Settings
    folder: Path
    clock: Clock
    say: Say
    ended: asyncio.Event
    take_over: bool = False
    pace: Pace = USUAL
    _link: Link | None = None
    _page: Page = field(default_factory=lambda: Page(""))
    _course: _Course = field(default_factory=_Course)

    async def run(self) -> None:
        """Replicate until it is to end.

        Raises:
            PlantError: What no waiting mends.
        """
        book = Book(self.folder)
        self._page = await asyncio.to_thread(book.open)
        try:
            while not self.ended.is_set():
                sent = await self._round()
                await self._remember(book)
                if not sent:
                    await self._wait(self.pace.look_s if self._link else self._pause_s(max(1, self._course.failures)))
        finally:
            self._drop()

    async def catch_up(self) -> int:
        """Replicate what waits now, and no more; how many inspections, events, alarms, labels and scans.

        Raises:
            StationError: It cannot.
        """
        book, count = Book(self.folder), 0
        self._page = await asyncio.to_thread(book.open)
        try:
            link = await self._connected()
            while not self.ended.is_set():
                sent = await self._within(link.send) + await self._within(link.copy)
                if not sent and not link.doubts:
                    break
                count += sent
            self._tell(None)
            await self._remember(book)
        except StationError:
            if not self.ended.is_set():
                raise
        finally:
            self._drop()
        return count

    async def _round(self) -> int:
        """Send what waits, a batch of each; how many, 0 where something failed."""
        try:
            link = self._link or await self._connected()
            sent = await self._within(link.send)
        except StationError as error:
            if error.code in FOR_GOOD:
                raise
            if not self.ended.is_set():
                self._tell(error)
            self._drop()
            return 0
        self._tell(None)
        return sent + await self._copy(link)

    async def _copy(self, link: Link) -> int:
        """Copy what scans wait; a store or an archive that fails does not hold up the records."""
        now, course = asyncio.get_running_loop().time(), self._course
        if now < course.store_again:
            return 0
        try:
            copied = await self._within(link.copy)
        except StationError as error:
            if isinstance(error, PlantError) and error.code != "plant.no_store":
                self._drop()
            if str(error) != course.store and not self.ended.is_set():
                log.warning("scans_not_copied", fault=error.code, detail=error.detail)
                self.say(f"{error}")
            course.store, course.store_failures = str(error), course.store_failures + 1
            course.store_again = now + self._pause_s(course.store_failures)
            return 0
        course.store, course.store_failures = "", 0
        return copied

    async def _connected(self) -> Link:
        feed = feed_records(self.settings, self.folder)
        link = self._link = await asyncio.to_thread(Link, self.settings, self.folder, feed, self._page)
        await self._within(partial(link.begin, take_over=self.take_over))
        self.take_over = False
        told_to = self.settings.central
        log.info("plant_connected", host=told_to.host, port=told_to.port, cell=cell_name(self.settings))
        self.say(f"replicating {cell_name(self.settings)} to {told_to.host}:{told_to.port}/{told_to.database}")
        return link

    async def _within(self, job: Callable[[], T]) -> T:
        """What a job comes to, for which the connection is cut when it takes too long, or all is to end."""
        working = asyncio.create_task(asyncio.to_thread(job))
        ending = asyncio.create_task(self.ended.wait())
        try:
            await asyncio.wait({working, ending}, timeout=self.pace.answer_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            if not working.done() and self._link is not None:
                self._link.cut()
        return await working

    def _tell(self, error: StationError | None) -> None:
        """Say what goes wrong when it is another than before."""
        course = self._course
        if error is not None and str(error) != course.fault:
            log.warning("plant_not_told", fault=error.code, detail=error.detail)
            self.say(str(error))
        course.fault, course.failures = ("", 0) if error is None else (str(error), course.failures + 1)
        code, detail = (error.code, error.detail) if error is not None else ("", "")
        if (code, detail) != (self._page.fault, self._page.detail):
            self._page, course.written = replace(self._page, fault=code, detail=detail), 0.0

    async def _remember(self, book: Book) -> None:
        """Write the book, where it is time to; and say when the disk fills.

        A disk that is full takes no book: what it says is for people, and is not worth an end.
        """
        now, course = asyncio.get_running_loop().time(), self._course
        if course.written and now - course.written < self.pace.book_s:
            return
        course.written = now
        try:
            await self._look_and_write(book)
        except (PlantError, OSError) as error:
            if str(error) != course.book:
                log.warning("book_not_written", detail=str(error))
                self.say(str(error))
            course.book = str(error)
        else:
            course.book = ""

    async def _look_and_write(self, book: Book) -> None:
        """Look at the disk, and write the book.

        Raises:
            PlantError: `plant.book_unusable`.
            OSError: The disk does not tell how full it is.
        """
        page = self._page
        if self._link is not None:
            page = replace(page, part=self._link.sending.told.part, heard_at=stamp(self.clock.now()))
        at_s = self.clock.now().timestamp()
        free = await asyncio.to_thread(free_bytes, self.folder)
        room = room_of(free, self.settings.records.low_mb * MB, at_s, page.disk)
        if not room.is_well and not self._course.room:
            log.warning("disk_fills", said=str(room))
            self.say(str(room))
        self._course.room = not room.is_well
        self._page = page.looked(at_s, free)
        await asyncio.to_thread(book.write, self._page)

    def _pause_s(self, failures: int) -> float:
        return self.pace.pause_s(failures, self._page.station_id)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


async def replicate(
    settings: Settings, data: Path | None, clock: Clock, say: Say, *, take_over: bool = False,
    parent: TextIO | None = None, pace: Pace = USUAL,
) -> None:  # fmt: skip
    """Replicate until a signal ends it, or its parent is gone; whatever becomes of station, database and store.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told what becomes of it.
        take_over: Whether the cell's name is taken over from another data folder.
        parent: What ends when the parent does, or None where there is none to wait for.
        pace: How long is waited.

    Raises:
        PlantError: `plant.runs_already`, `plant.cell_taken`, `plant.bad_secret`, `plant.book_unusable`.
    """
    folder = data_dir(settings, data)
    with ended_from_outside(parent) as ended, alone(folder, "central"):
        await Replication(settings, folder, clock, say, ended, take_over, pace).run()


async def replicate_once(settings: Settings, data: Path | None, clock: Clock, say: Say, *, take_over: bool) -> int:
    """Replicate what waits now; how many inspections, events, alarms, labels and scans.

    Raises:
        StationError: It cannot, or another process replicates the data folder.
    """
    folder = data_dir(settings, data)
    with ended_from_outside() as ended, alone(folder, "central"):
        return await Replication(settings, folder, clock, say, ended, take_over).catch_up()
