"""A cell on fakes whose records are in a real database, and which whoever watches over its socket is told of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from station.core.clock import SystemClock
from station.core.settings import RecordSettings
from station.host.watch import Watch
from station.records.ledger import SqliteLedger
from tests.cell.bench import Bench, listening, running, settings

WITHIN_S = 200.0


@asynccontextmanager
async def cell_at_work(folder: Path) -> AsyncIterator[Bench]:
    """The cell of a data folder, while in this context."""
    configuration, clock = settings(), SystemClock()
    told = Watch(configuration.station.name, configuration.table.places, clock)
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(folder, RecordSettings(), clock, books, configuration.table)
    try:
        async with (
            running(configuration, ledger=ledger, watch=told.take, clock=clock, within_s=WITHIN_S) as cell,
            listening(cell.desk, folder, watch=told),
        ):
            yield cell
    finally:
        await ledger.close()
