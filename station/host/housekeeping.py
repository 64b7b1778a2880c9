"""What the station does beside its work: it looks after its files and the room for them, and removes old scans."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from station.cell.alarms import Alarms
from station.core.errors import FAULTS, StationError
from station.core.locks import holders
from station.core.room import MB, free_bytes
from station.core.settings import RecordSettings
from station.records.database import DATABASE
from station.records.ledger import SqliteLedger

log = structlog.get_logger()

LOOK_S = 5.0
"""How often it is seen whether the files lie in their places while nothing is written; every order sees it, too."""

PRUNE_S = 3_600.0
"""How often it is seen whether scans may be removed; it is done once a day."""


JOURNAL_BYTES = 64 * MB
"""A database's journal is brought in long before it is so large, unless somebody reads it without an end."""

WELL_AGAIN = 1.1
"""By so much there must be more room than the least before an alarm is over."""


async def keep_house(ledger: SqliteLedger, alarms: Alarms, folder: Path, settings: RecordSettings) -> None:
    """Keep the data folder in order until cancelled; a disk that fails is told by the next record.

    Args:
        ledger: Whose files these are.
        alarms: Told of a disk that fills, and of a journal that grows.
        folder: The data folder.
        settings: How much room there must be.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_look(ledger), name="files")
        group.create_task(_prune(ledger), name="pruning")
        group.create_task(_watch_room(alarms, folder, settings), name="room")


async def _look(ledger: SqliteLedger) -> None:
    well = True
    while True:
        before = well
        try:
            await ledger.look()
            well = True
        except StationError as error:
            well = False
            if before:
                log.error("files_not_in_place", fault=error.code, detail=error.detail)
        await asyncio.sleep(LOOK_S)


@dataclass(frozen=True, slots=True)
class Room:
    """What the data folder has of its disk.

    Attributes:
        free: Bytes that may still be written.
        journal: Bytes of the database's journal.
        readers: Who else has the database open to read, in words; looked for only where the journal grows.
    """

    free: int
    journal: int
    readers: str = ""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """As it is now; blocks.

        Raises:
            OSError: The file system does not tell.
        """
        journal = folder / f"{DATABASE}-wal"
        size = journal.stat().st_size if journal.exists() else 0
        readers = holders(folder / f"{DATABASE}-shm") if size > JOURNAL_BYTES else ""
        return cls(free_bytes(folder), size, readers)


async def _watch_room(alarms: Alarms, folder: Path, settings: RecordSettings) -> None:
    while True:
        with suppress(OSError):  # told by the records
            tell(alarms, await asyncio.to_thread(Room.of, folder), settings)
        await asyncio.sleep(LOOK_S)


def tell(alarms: Alarms, room: Room, settings: RecordSettings) -> None:
    """Warn of a disk that fills and of a journal that grows, or that this is over."""
    low, grows = FAULTS["record.disk_low"], FAULTS["record.journal_grows"]
    if room.free < settings.low_mb * MB:
        alarms.warn(low, f"{room.free / MB:.0f} MB are free where the records lie, records.low_mb is {settings.low_mb}")
    elif room.free >= WELL_AGAIN * settings.low_mb * MB:
        alarms.warned(low)
    if room.journal > JOURNAL_BYTES:
        alarms.warn(
            grows, f"it has {room.journal / MB:.0f} MB; {room.readers or 'the kernel does not tell whose it is'}"
        )
    elif room.journal < JOURNAL_BYTES / 2:
        alarms.warned(grows)


async def _prune(ledger: SqliteLedger) -> None:
    while True:
        try:
            await ledger.prune()
        except StationError as error:
            log.warning("scans_not_pruned", fault=error.code, detail=error.detail)
        await asyncio.sleep(PRUNE_S)
