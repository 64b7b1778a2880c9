"""What the station does beside its work: it looks after its files, and removes archived scans whose time is over."""

import asyncio

import structlog

from station.core.errors import StationError
from station.flow.record import SqliteLedger

log = structlog.get_logger()

LOOK_S = 5.0
"""How often it is seen whether the files lie in their places while nothing is written; every order sees it, too."""

PRUNE_S = 3_600.0
"""How often it is seen whether scans may be removed; it is done once a day."""


async def keep_house(ledger: SqliteLedger) -> None:
    """Keep the data folder in order until cancelled; a disk that fails is told by the next record."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_look(ledger), name="files")
        group.create_task(_prune(ledger), name="pruning")


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


async def _prune(ledger: SqliteLedger) -> None:
    while True:
        try:
            await ledger.prune()
        except StationError as error:
            log.warning("scans_not_pruned", fault=error.code, detail=error.detail)
        await asyncio.sleep(PRUNE_S)
