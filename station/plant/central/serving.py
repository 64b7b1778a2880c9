"""The replication as a process: it reads the records, and keeps the plant's database and store up with them.

It only reads what the station writes, so that it can hold nothing: whatever breaks, the cell goes on, and what ended
meanwhile lies in the records until the plant is back.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO, TypeVar

import psycopg
import structlog

from station.core.clock import Clock
from station.core.errors import RecordError, StationError
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
from station.plant.central.schema import require_newest
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
        retry_s: Until what failed is tried again.
        answer_s: For the answers to one batch; then the connection counts as broken.
        book_s: Between two entries in the book, where nothing else than time has changed.
    """

    look_s: float = 1.0
    retry_s: float = 5.0
    answer_s: float = 60.0
    book_s: float = 10.0


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
        take_over: Whether the cell's name is taken over from another data folder.

    Raises:
        PlantError: The plant's database cannot be reached, refuses, or is of another version.
    """

    def __init__(self, settings: Settings, folder: Path, feed: RecordFeed, page: Page, *, take_over: bool) -> None:
        self._settings = settings.central
        self._feed = feed
        self._connection = connect(self._settings)
        try:
            self.sending = Sending(self._connection, cell_name(settings), feed, folder)
            with told(self._settings):
                require_newest(self._connection)
                self.sending.begin(page.station_id, take_over=take_over)
            store = self._settings.store
            self._copying = Copying(ScanStore(store), cell_name(settings), folder) if store.bucket else None
        except BaseException:
            self.close()
            raise

    def send(self) -> int:
        """Tell the next of everything but scans; how many.

        Raises:
            PlantError: The plant's database cannot be reached, refuses, or is full.
            StationError: Records or labels cannot be read.
        """
        with told(self._settings):
            try:
                return self.sending.send_parts() + self.sending.send_events() + self.sending.send_labels()
            except RecordError as error:
                if error.code == NO_RECORDS:
                    return 0
                raise

    def copy(self) -> int:
        """Copy the next scans; how many.

        Raises:
            PlantError: The plant's store cannot be reached, or refuses; or its database, as above.
            RecordError: The records cannot be read.
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
            for scan, row in self._copying.copy(scans):
                rows.append(row)
                last = scan.told
        finally:
            if last is not None:
                with told(self._settings):
                    self.sending.write_scans(rows, last)
        return len(rows)

    def cut(self) -> None:
        """End what is waited for; from any thread."""
        cut(self._connection)

    def close(self) -> None:
        """End the connection; harmless when it is broken."""
        with suppress(psycopg.Error):
            self._connection.close()


@dataclass(slots=True)
class _Said:
    """What was told to go wrong, so that it is told once: with the database, with the store, with the disk."""

    fault: str = ""
    store: str = ""
    room: bool = False


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
    _said: _Said = field(default_factory=_Said)
    _store_again: float = 0.0
    _written: float = 0.0

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
                    await self._wait(self.pace.look_s if self._link else self.pace.retry_s)
        finally:
            self._drop()

    async def catch_up(self) -> int:
        """Replicate what waits now, and no more; how many inspections, events, labels and scans.

        Raises:
            StationError: It cannot.
        """
        book, count = Book(self.folder), 0
        self._page = await asyncio.to_thread(book.open)
        try:
            link = await self._connected()
            while sent := await self._within(link.send) + await self._within(link.copy):
                count += sent
            await self._remember(book)
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
        """Copy what scans wait; a store that fails does not hold up the records."""
        now = asyncio.get_running_loop().time()
        if now < self._store_again:
            return 0
        try:
            copied = await self._within(link.copy)
        except StationError as error:
            if error.code != "plant.no_store":
                self._drop()
            if str(error) != self._said.store and not self.ended.is_set():
                log.warning("scans_not_copied", fault=error.code, detail=error.detail)
                self.say(f"{error}")
            self._said.store, self._store_again = str(error), now + self.pace.retry_s
            return 0
        self._said.store = ""
        return copied

    async def _connected(self) -> Link:
        feed = feed_records(self.settings, self.folder)

        def begin() -> Link:
            return Link(self.settings, self.folder, feed, self._page, take_over=self.take_over)

        self._link = await asyncio.to_thread(begin)
        self.take_over = False
        told_to = self.settings.central
        log.info("plant_connected", host=told_to.host, port=told_to.port, cell=cell_name(self.settings))
        self.say(f"replicating {cell_name(self.settings)} to {told_to.host}:{told_to.port}/{told_to.database}")
        return self._link

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
        if error is not None and str(error) != self._said.fault:
            log.warning("plant_not_told", fault=error.code, detail=error.detail)
            self.say(str(error))
        self._said.fault = str(error) if error is not None else ""
        code, detail = (error.code, error.detail) if error is not None else ("", "")
        if (code, detail) != (self._page.fault, self._page.detail):
            self._page, self._written = replace(self._page, fault=code, detail=detail), 0.0

    async def _remember(self, book: Book) -> None:
        """Write the book, where it is time to; and say when the disk fills."""
        now = asyncio.get_running_loop().time()
        if self._written and now - self._written < self.pace.book_s:
            return
        page = self._page
        if self._link is not None:
            page = replace(page, part=self._link.sending.told.part, heard_at=stamp(self.clock.now()))
        at_s = self.clock.now().timestamp()
        free = await asyncio.to_thread(free_bytes, self.folder)
        room = room_of(free, self.settings.records.low_mb * MB, at_s, page.disk)
        if not room.is_well and not self._said.room:
            log.warning("disk_fills", said=str(room))
            self.say(str(room))
        self._said.room = not room.is_well
        self._page = page.looked(at_s, free)
        await asyncio.to_thread(book.write, self._page)
        self._written = now

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
    """Replicate what waits now; how many inspections, events, labels and scans.

    Raises:
        StationError: It cannot, or another process replicates the data folder.
    """
    folder = data_dir(settings, data)
    with ended_from_outside() as ended, alone(folder, "central"):
        return await Replication(settings, folder, clock, say, ended, take_over).catch_up()
