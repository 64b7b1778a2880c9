"""A station and its simulated cell in one process, over real sockets, terminal and producer, for one recording."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sim.faults import wishes
from sim.ledger import Happening
from sim.running import Plan, RunningCell, running_cell
from station.cell.packml import Command, State
from station.core.choices import Speed
from station.core.events import CellEvent, PartSorted, Watcher
from station.core.records import RecordFilter
from station.core.settings import Settings, load_settings
from station.host.build import Station, open_station
from station.host.shutdown import stop
from station.records.query import export_records
from tests.cell.fault_bench import Truth, addressed, overheard
from tests.told_at_once import ToldAtOnce

PATIENCE_S = 60.0


class ProductCell:
    """A running station, all parts of a recording before it.

    Attributes:
        settings: Part types, classes and geometry of the product.
        station: The station.
        words: What the line PLC has heard.
        broken: What is broken in its cell.
        sorted: What the station says of each part, by its id.
    """

    def __init__(self, settings: Settings, folder: Path, truth: Truth, station: Station, running: RunningCell) -> None:
        self.settings, self.station, self.words = settings, station, overheard(running)
        self.broken = running.broken
        self.sorted: dict[str, PartSorted] = {}
        self._folder, self._truth = folder, truth

    def watch(self, event: CellEvent) -> None:
        if isinstance(event, PartSorted):
            self.sorted[event.inspection.part.part_id] = event

    async def take_all(self, parts: int) -> None:
        """Take so many parts through, until the cell is complete."""
        desk = self.station.desk
        desk.limit_parts(parts)
        async with asyncio.timeout(PATIENCE_S):
            desk.command(Command.RESET, "an operator")
            assert await desk.reached(State.IDLE, State.STOPPED) is State.IDLE, desk.view.reason
            desk.command(Command.START, "an operator")
            ended = await desk.reached(State.COMPLETE, State.HELD, State.ABORTED, State.STOPPED)
        assert ended is State.COMPLETE, desk.view.reason

    @property
    def places(self) -> dict[str | None, str]:
        """Where each part truly lies that the robot has laid away."""
        laid = [entry for entry in self._truth.entries if entry.event is Happening.PLACED]
        return {entry.part_id: str(entry.place) for entry in laid}

    def records(self) -> dict[str, dict[str, Any]]:
        """All records, by part id."""
        pieces = export_records(self._folder / "data", RecordFilter(), "json")
        return {row["part_id"]: row for row in json.loads("".join(pieces))}


@asynccontextmanager
async def product_cell(
    config: Path,
    recording: Path,
    folder: Path,
    watch: Watcher = lambda _event: None,
    truth: Truth | None = None,
    faults: tuple[str, ...] = (),
) -> AsyncIterator[ProductCell]:
    """The cell of a configuration, not yet reset.

    Args:
        config: The configuration's file.
        recording: What comes at the infeed, once.
        folder: The records are in its `data`.
        watch: Told of everything that happens.
        truth: What truly happens, for whoever looks at it where no station starts.
        faults: What is to break, as `NAME@PART`.
    """
    settings, truth, cells = load_settings(config), truth or Truth(), list[ProductCell]()

    def told(event: CellEvent) -> None:
        for cell in cells:
            cell.watch(event)
        watch(event)

    async with (
        running_cell(settings, Plan(recording, None, Speed.MAX, None, wishes(list(faults))), truth) as running,
        open_station(addressed(settings, running), folder / "data", ToldAtOnce(told)) as station,
    ):
        cells.append(ProductCell(settings, folder, truth, station, running))
        task = asyncio.create_task(station.operation.run())
        try:
            yield cells[0]
            await stop(station.desk, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
