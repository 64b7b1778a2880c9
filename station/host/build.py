"""The composition root: the only place that knows which device stands behind a port, and who knows whom in the cell.

Real and simulated cells are built alike; the configuration changes addresses, not classes. A further observer is one
line at the `Watchers` that are handed in, a further commander one entry of the list beside them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from station.cell.alarms import Alarms
from station.cell.cell import Cell, CellSettings, Equipment
from station.cell.challenge import Challenge
from station.cell.compute import ComputeThread
from station.cell.controller import Controller
from station.cell.counters import Counters
from station.cell.delivery import LineResults
from station.cell.desk import Commander, Desk
from station.cell.drift_watch import DriftWatch
from station.cell.hand import Hand
from station.cell.motion import Motion
from station.cell.notes import Notes
from station.cell.operation import Operation
from station.cell.packml import MAY_MOVE, Unit
from station.cell.plc_commander import PlcCommander
from station.cell.quota import Quota
from station.cell.reactions import Reactions
from station.cell.references import References
from station.cell.study import StudyDesk
from station.cell.supply import Supply
from station.cell.telling import Tellings
from station.core.alarms import Alarm
from station.core.broadcast import Broadcast
from station.core.clock import Clock, SystemClock
from station.core.events import AlarmsChanged, PartSorted, Watcher
from station.core.part import ModelIdentity
from station.core.ports.camera import LineCamera
from station.core.ports.devices import SortRobot, SpinJig
from station.core.ports.line import LineLink
from station.core.ports.records import PartLedger
from station.core.ports.references import NOTHING_REMEMBERED, Remembered
from station.core.priority import compute_in_time
from station.core.recipe import Recipes
from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.devices import make_camera, make_jig, make_line, make_robot
from station.host.housekeeping import keep_house
from station.host.networks import load_recipes, tell_change
from station.host.stalls import settled_memory
from station.host.watchdog import Watchdog
from station.records.ledger import SqliteLedger

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a cell is put together with; real or not, it cannot tell.

    Attributes:
        camera, jig, robot, line: The devices.
        recipes: What judges.
        ledger: The records.
        compute: Where the networks run.
        clock: Time.
        listed: The alarms that a stop has left on the list.
        remembered: Where challenges and studies stand.
    """

    camera: LineCamera
    jig: SpinJig
    robot: SortRobot
    line: LineLink
    recipes: Recipes
    ledger: PartLedger
    compute: ComputeThread
    clock: Clock
    listed: Sequence[Alarm] = ()
    remembered: Remembered = NOTHING_REMEMBERED


@dataclass(frozen=True, slots=True)
class Assembly:
    """A cell, put together and at rest.

    Attributes:
        desk: Where it is commanded and looked at.
        operation: Runs it.
        alarms: Its alarm list.
        cell, motion, counters: What it is made of, for whoever looks closer.
    """

    desk: Desk
    operation: Operation
    alarms: Alarms
    cell: Cell
    motion: Motion
    counters: Counters


def assemble(outside: Outside, settings: Settings, tell: Watcher, commanders: Sequence[Commander] = ()) -> Assembly:
    """Put a cell together.

    Args:
        outside: What it works with.
        settings: The configuration.
        tell: Told of everything that happens; it must not block, and what it fails at changes nothing.
        commanders: Who commands beside the line PLC.
    """
    feed, ledger = outside.line.feed, outside.ledger
    broadcast, unit, counters, notes = Broadcast(tell), Unit(), Counters(), Notes(ledger)
    alarms, quota = Alarms(outside.listed, ledger, outside.clock, settings.alarms, broadcast), Quota(counters)
    unit.subscribe(alarms.on_change)
    unit.subscribe(notes.on_change)
    motion = Motion(outside.jig, outside.robot, ledger, lambda: unit.state in MAY_MOVE, broadcast)
    tellings = Tellings(outside.line.results, feed, ledger)
    results = LineResults(outside.line.results, feed, unit, motion.still, tellings)
    references = _references(outside, settings)
    equipment = Equipment(
        outside.camera, motion, feed, outside.recipes, ledger, outside.compute, outside.clock, references
    )
    drift = DriftWatch(ledger, alarms, broadcast, settings.drift.limits, settings.drift.alpha)
    cell = Cell(equipment, results, counters, CellSettings.of(settings), broadcast, drift)
    supply = Supply(feed, unit, outside.recipes, references, settings.plc.starved_after_s)
    controller = Controller(unit, cell, supply, quota, Reactions(unit, alarms), broadcast)
    hand = Hand(notes, outside.clock, broadcast)
    desk = Desk(unit, alarms, counters, quota, notes, references, hand)
    line = PlcCommander(outside.line, settings.plc.link.reconnect_s, broadcast, tellings)
    operation = Operation(controller, cell, desk, line, commanders, notes, alarms, references)
    if outside.listed:
        broadcast.tell(AlarmsChanged(alarms.listed))
    return Assembly(desk, operation, alarms, cell, motion, counters)


def _references(outside: Outside, settings: Settings) -> References:
    book, remembered = outside.ledger.references, outside.remembered
    challenge = Challenge(
        settings.challenge.plan(settings.plant.calendar), outside.recipes, remembered, book, outside.clock
    )
    return References(challenge, StudyDesk(remembered.study, book))


@dataclass(frozen=True, slots=True)
class Station:
    """A built station: the desk to command it at, what runs it, what it judges with, and what watches over it."""

    desk: Desk
    operation: Operation
    recipes: Recipes
    watchdog: Watchdog

    @property
    def models(self) -> tuple[ModelIdentity, ...]:
        """The networks that judge, each once."""
        return tuple(classifier.model for classifier in self.recipes.classifiers)

    def model_of(self, event: PartSorted) -> ModelIdentity:
        """The network that judges parts of this part's type."""
        recipe = self.recipes.named(event.inspection.part_type.name)
        return recipe.classifier.model if recipe else self.models[0]


@asynccontextmanager
async def open_station(
    settings: Settings, folder: Path, watchers: Watchers, commanders: Sequence[Commander] = ()
) -> AsyncIterator[Station]:
    """Build a station, not yet connected to anything but its records; on leaving, everything is closed.

    Args:
        settings: The configuration.
        folder: Where database, archive and logs live.
        watchers: Told of everything that happens; what they do or fail at changes nothing.
        commanders: Who commands the cell, beside its line PLC, while it is in operation.

    Raises:
        StationError: The bundle or the database cannot be used.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        compute = ComputeThread(
            settings.watchdog.compute_timeout_s, compute_in_time if settings.model.realtime else _nothing
        )
        stack.callback(compute.close)
        recipes = await load_recipes(settings, folder, compute)
        configuration = settings.sha256, settings.model_dump_json()
        ledger = await SqliteLedger.open(folder, settings.records, clock, configuration, settings.table)
        stack.push_async_callback(ledger.close)
        await tell_change(ledger, [classifier.model for classifier in recipes.classifiers])
        outside = Outside(
            camera=make_camera(settings),
            jig=make_jig(settings),
            robot=make_robot(settings),
            line=make_line(settings, clock, await ledger.last_taken_on()),
            recipes=recipes,
            ledger=ledger,
            compute=compute,
            clock=clock,
            listed=await ledger.listed_alarms(),
            remembered=await ledger.references.remembered(),
        )
        built = assemble(outside, settings, watchers.tell, commanders)
        await stack.enter_async_context(_housekeeping(ledger, built.alarms, settings))
        stack.enter_context(settled_memory())
        probes = {"compute": lambda: compute.submit(_nothing), "records": ledger.answers}
        watchdog = Watchdog(probes, ledger, clock, settings.watchdog)
        yield Station(built.desk, built.operation, recipes, watchdog)


@asynccontextmanager
async def _housekeeping(ledger: PartLedger, alarms: Alarms, settings: Settings) -> AsyncIterator[None]:
    """While in this context, the house is kept; nobody waits for that, so its own bugs are told in the log."""
    house = asyncio.create_task(keep_house(ledger, alarms, settings.records), name="housekeeping")
    house.add_done_callback(_tell_bug)
    try:
        yield
    finally:
        house.cancel()
        await asyncio.wait([house])


def _tell_bug(done: asyncio.Task[None]) -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("bug_met", where="housekeeping", exc_info=error)


def _nothing() -> None:
    """What is asked of a thread that only has to show that it is there."""
