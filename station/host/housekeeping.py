"""What the station does beside its work: it looks after its files and the room for them, and removes old scans."""

import asyncio
from contextlib import suppress

import structlog

from station.cell.alarms import Alarms
from station.core.errors import FAULTS, StationError
from station.core.ports.records import LedgerRoom, PartLedger
from station.core.room import MB
from station.core.settings import RecordSettings

log = structlog.get_logger()

LOOK_S = 5.0
"""How often it is seen whether the files lie in their places while nothing is written; every order sees it, too."""

PRUNE_S = 3_600.0
"""How often it is seen whether scans may be removed; it is done once a day."""


JOURNAL_BYTES = 64 * MB
"""A database's journal is brought in long before it is so large, unless somebody reads it without an end."""

WELL_AGAIN = 1.1
"""By so much there must be more room than the least before an alarm is over."""


async def keep_house(ledger: PartLedger, alarms: Alarms, settings: RecordSettings) -> None:
    """Keep the data folder in order until cancelled; a disk that fails is told by the next record.

    Args:
        ledger: Whose files these are.
        alarms: Told of a disk that fills, and of a journal that grows.
        settings: How much room there must be.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_look(ledger), name="files")
        group.create_task(_prune(ledger), name="pruning")
        group.create_task(_watch_room(ledger, alarms, settings), name="room")


async def _look(ledger: PartLedger) -> None:
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


async def _watch_room(ledger: PartLedger, alarms: Alarms, settings: RecordSettings) -> None:
    while True:
        with suppress(StationError):  # told by the records
            room = await ledger.room()
            tell(alarms, room, await ledger.readers() if room.journal > JOURNAL_BYTES else "", settings)
        await asyncio.sleep(LOOK_S)


def tell(alarms: Alarms, room: LedgerRoom, readers: str, settings: RecordSettings) -> None:
    """Warn of a disk that fills and of a journal that grows, or that this is over.

    Args:
        alarms: Told.
        room: What the ledger has of its disk.
        readers: Who else reads the ledger, in words; needed only where its journal grows.
        settings: How much room there must be.
    """
    low, grows = FAULTS["record.disk_low"], FAULTS["record.journal_grows"]
    if room.free < settings.low_mb * MB:
        alarms.warn(low, f"{room.free / MB:.0f} MB are free where the records lie, records.low_mb is {settings.low_mb}")
    elif room.free >= WELL_AGAIN * settings.low_mb * MB:
        alarms.warned(low)
    if room.journal > JOURNAL_BYTES:
        alarms.warn(grows, f"it has {room.journal / MB:.0f} MB; {readers or 'the kernel does not tell whose it is'}")
    elif room.journal < JOURNAL_BYTES / 2:
        alarms.warned(grows)


async def _prune(ledger: PartLedger) -> None:
    while True:
        try:
            await ledger.prune()
        except StationError as error:
            log.warning("scans_not_pruned", fault=error.code, detail=error.detail)
        await asyncio.sleep(PRUNE_S)
