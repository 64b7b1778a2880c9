"""`station --simulate`: the whole cell on a recording, with the simulated cell in place of the hardware."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from station.cell.desk import Desk
from station.cell.packml import Command, State
from station.core.choices import Speed
from station.core.clock import SystemClock
from station.core.errors import FAULTS
from station.core.events import AlarmsChanged, CellEvent, PartSorted, StateChanged
from station.core.reason import Reason
from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.build import Station, open_station
from station.host.control_socket import ControlSocket
from station.host.shutdown import stop, stopped_by_signals
from station.host.simulated_cell import Event, SimulatedCell
from station.host.watch import Watch
from station.view.report import PartRow, Summary, part_row, summarise

SUSPENDED_FOR_GOOD_S = 30.0
"""A cell that waits for so long, and nothing happens in it nor in the simulated one, waits for what does not come."""

Ends = Literal["when_stopped", "when_told"]
"""When a run ends whose parts are not through: with whatever stops the cell, for nobody is there to start it again; or
with a signal alone, while people look on and may start it again."""


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What the command line asks for; see `station --help`."""

    config: Path
    recordings: Path | None
    parts: int | None
    speed: Speed
    truth: Path | None
    data: Path
    faults: tuple[str, ...] = ()
    ends: Ends = "when_stopped"


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a run gave.

    Attributes:
        rows: A row a part.
        summary: What they come to.
        reason: Why it ended early; None when all parts went through, or it runs until it is told to end.
        told: Whether a signal ended it.
    """

    rows: tuple[PartRow, ...]
    summary: Summary
    reason: Reason | None
    told: bool


class Simulation:
    """One run of the simulated cell.

    Args:
        settings: The configuration.
        options: What the command line asks for.
        watchers: Told of everything that happens in the cell.
        say: Told, in words, of scans that were left out.
    """

    def __init__(
        self, settings: Settings, options: SimulationOptions, watchers: Watchers, say: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._options = options
        self._watchers = watchers
        self._say = say
        self._labels: dict[str, str | None] = {}
        self._rows: list[PartRow] = []
        self._station: Station | None = None
        self._desk: Desk | None = None
        self._fed: int | None = None
        self._told = self._fed_or_broken = 0
        self._asked = False

    async def run(self) -> SimulationResult:
        """Reset, start, take all parts through, stop.

        Raises:
            StationError: Something was refused before the cell could run.
        """
        options = self._options
        cell = SimulatedCell(
            options.config, options.recordings, options.parts, options.speed, options.truth, self._on_sim_event,
            options.faults,
        )  # fmt: skip
        watchers = self._watchers
        watch = Watch(self._settings.station.name, self._settings.table.places, SystemClock())
        control = ControlSocket(options.data, watch)
        watchers.add(self._watch)
        watch.join(watchers)
        addressed = cell.addressed
        async with (
            watchers,
            cell,
            open_station(addressed(self._settings), options.data, watchers, [control]) as station,
        ):
            self._station = station
            self._say(f"judged by {', '.join(str(model) for model in station.models)}")
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            with control.opened():
                reason = await self._take_all_through(station, cell)
            seconds = loop.time() - started_s
        rows = tuple(PartRow(**{**row, "label": self._labels.get(row["part_id"])}) for row in self._rows)
        return SimulationResult(rows, summarise(rows, seconds, self._settings.table), reason, self._asked)

    async def _take_all_through(self, station: Station, cell: SimulatedCell) -> Reason | None:
        """Until all parts are through, or cannot be any more: a fault has stopped the cell, or none will come."""
        self._desk = desk = station.desk
        if self._fed is not None:
            desk.limit_parts(self._fed)
        running = asyncio.create_task(station.operation.run(), name="operation")
        with stopped_by_signals(desk) as asked:
            try:
                await _first((*self._ended(desk, asked), cell.gone()), running)
                self._asked = asked.is_set()
                if desk.view.state is State.COMPLETE or (self._asked and self._until_told):
                    return None
                if cell.is_gone:
                    return Reason(FAULTS["config.simulator_gone"], await cell.gone())
                return desk.view.reason
            finally:
                await stop(desk, running)

    def _ended(self, desk: Desk, asked: asyncio.Event) -> tuple[Coroutine[object, object, object], ...]:
        """What the end of the run is waited for by: whichever returns first."""
        if self._until_told:
            return (_drive(desk, State.COMPLETE), asked.wait())
        return (_drive(desk, State.COMPLETE, State.HELD, State.ABORTED, State.STOPPED), self._stuck(desk))

    @property
    def _until_told(self) -> bool:
        return self._options.ends == "when_told"

    async def _stuck(self, desk: Desk) -> None:
        """Return when the cell waits, and has for so long that what it waits for does not come."""
        simulation = self._settings.simulation
        patience_s = SUSPENDED_FOR_GOOD_S + (simulation.infeed_s if simulation else 0.0)
        while True:
            before = self._happened
            await asyncio.sleep(patience_s)
            if self._happened == before and desk.view.reason is not None:
                return

    @property
    def _happened(self) -> tuple[int, int]:
        return self._told, self._fed_or_broken

    def _watch(self, event: CellEvent) -> None:
        if isinstance(event, PartSorted) and self._station is not None:
            # Not the event: it has all scores, and a run may have many parts.
            self._rows.append(part_row(event, None, self._station.model_of(event)))
        why_alone = isinstance(event, AlarmsChanged) or (
            isinstance(event, StateChanged) and event.before == event.after
        )
        self._told += not why_alone

    def _on_sim_event(self, event: Event) -> None:
        self._fed_or_broken += 1
        match event["event"]:
            case "fed" | "placed":
                self._labels[event["part_id"]] = event["label"]
            case "scan_left_out":
                self._say(f"left out {event['file']}: {event['message']} [{event['code']}]")
            case "fault":
                self._say(f"fault {event['name']} strikes {event['part_id'] or 'the cell'}")
            case "infeed_empty":
                self._fed = int(event["fed"])
                if self._desk is not None:
                    self._desk.limit_parts(self._fed)


async def _drive(desk: Desk, *ends: State) -> None:
    """Reset and start the cell, and return when it comes to one of these states."""
    desk.command(Command.RESET, "the simulation")
    if await desk.reached(State.IDLE, State.STOPPED, State.ABORTED) is State.IDLE:
        desk.command(Command.START, "the simulation")
    await desk.reached(*ends)


async def _first(works: Iterable[Coroutine[object, object, object]], running: asyncio.Task[None]) -> None:
    """Wait for the first of these, unless the controller fails before: then raise what it failed with."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait({*tasks, running}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, *tasks):
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
