"""A whole cell above its ports: real controller, cell, motion and flow; fakes below, quick and able to break."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from config import bundled
from station.cell.alarms import Alarms
from station.cell.cell import Cell, CellSettings, Equipment
from station.cell.compute import ComputeThread
from station.cell.controller import Controller
from station.cell.counters import Counters
from station.cell.delivery import LineResults
from station.cell.line import Line
from station.cell.motion import Motion
from station.cell.packml import MAY_MOVE, Command, State, Unit
from station.core.alarms import Alarm
from station.core.broadcast import Broadcast
from station.core.clock import Clock, SystemClock
from station.core.events import CellEvent
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from station.core.ports.line import CellReport, LinePlc
from station.core.ports.records import PartLedger
from station.core.settings import Settings, parse_settings
from station.host.build import FeedOf
from station.host.recipes import assemble, bundle_names
from tests.contract.fake_camera import FakeLineCamera, Misfortune
from tests.contract.fake_devices import FakeJig, FakeLine, FakePlc, FakeRobot, Floor
from tests.contract.fake_ledger import FakeLedger
from tests.housings import CLASSES, GEOMETRY, Verdict, column
from tests.turned import turned

WIDTH_PX = 1024
"""A sensor narrower than the real one, for speed."""


def settings(**changes: dict[str, object]) -> Settings:
    """The shipped simulation's configuration, with some keys changed: `plc={"starved_after_s": 0.1}`."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["camera"]["width_px"] = WIDTH_PX * 2
    for table, keys in changes.items():
        document[table].update(keys)
    return parse_settings(document, "test")


def surface(width: int = 385, left: int = 300) -> Pixels:
    """A scan of one part on black, (3584, 1024)."""
    image = np.random.default_rng(7).integers(0, 12, (3584, WIDTH_PX), np.uint8)
    image[:, left : left + width] = turned(7, width, 155)
    return image


class ScriptedClassifier:
    """Says of every patch what it was told to say; `failure` is raised instead when given."""

    model = ModelIdentity("scripted", "0" * 64)
    engine = EngineIdentity("scripted", "1", "f32", "none")
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self, says: Verdict = Verdict.DEFECT_FREE, probability: float = 0.96) -> None:
        self.says, self.probability = says, probability
        self.failure: Exception | None = None

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        if self.failure is not None:
            raise self.failure
        row = np.full(5, (1 - self.probability) / 4, np.float32)
        row[column(self.says)] = self.probability
        return np.stack([row] * len(patches))


class Bench:
    """The cell and everything under it that a test may look at or break."""

    def __init__(
        self,
        configuration: Settings,
        misfortunes: Sequence[Misfortune],
        parts: int | None,
        ledger: PartLedger | None = None,
        clock: Clock | None = None,
        alarms: Sequence[Alarm] = (),
        plc: LinePlc | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.floor = Floor()
        self.line: Any = FakeLine()
        self.plc: LinePlc = plc or FakePlc(self.line)
        self.robot, self.jig = FakeRobot(self.floor), FakeJig(self.floor)
        self.camera = FakeLineCamera(surface(), *misfortunes)
        self.classifier = ScriptedClassifier()
        self.ledger = FakeLedger()
        books = ledger or self.ledger
        self.events: list[CellEvent] = []
        self._compute = ComputeThread(configuration.watchdog.compute_timeout_s)
        unit = Unit(lambda change: self.controller.on_change(change))  # noqa: PLW0108  # it comes later
        self.motion = Motion(self.jig, self.robot, books, lambda: unit.state in MAY_MOVE)
        self.alarms = Alarms(alarms, books, clock, configuration.alarms, self.events.append)

        def report() -> CellReport:
            fault = unit.reason.fault if unit.reason else None
            return CellReport(unit.state, unit.mode, fault, 0, 0, self.alarms.summary)

        def note(event: str, detail: str) -> None:
            self.controller.note(event, detail)

        line = Line(self.plc, unit, self.alarms, report, 0.01, self.motion.still, note)
        loaded = dict.fromkeys(bundle_names(configuration).values(), self.classifier)
        recipes = assemble(configuration, loaded)
        feed = FeedOf(self.plc)
        equipment = Equipment(self.camera, self.motion, feed, recipes, books, self._compute, clock)
        results = LineResults(self.plc, feed, unit, self.motion.still)
        self.counters, self.clock = Counters(), clock
        broadcast = Broadcast(self.events.append)
        self.cell = Cell(equipment, results, self.counters, CellSettings.of(configuration), broadcast)
        self.controller = Controller(
            unit, self.cell, line, self.plc, books, configuration, self.events.append, self.alarms
        )
        if parts is not None:
            self.controller.limit_parts(parts)

    def feed(self, part_id: str, type_code: int = 1) -> None:
        """A part comes to the infeed, and the PLC announces it."""
        self.floor.infeed = part_id
        self.line.announce(part_id, type_code)

    async def start(self) -> None:
        """Reset and Start."""
        self.controller.command(Command.RESET)
        assert await self.controller.reached(State.IDLE, State.STOPPED) is State.IDLE, self.controller.trouble
        self.controller.command(Command.START)
        await self.controller.reached(State.EXECUTE)

    async def sorted(self, count: int) -> None:
        """Return when so many parts lie in their places and their records are closed."""
        entries = self.ledger.entries
        await until(lambda: len([entry for entry in entries.values() if entry.state == "sorted"]) >= count)

    def shut(self) -> None:
        """End the compute thread."""
        self._compute.close()


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until the condition holds; no time passes, the test's own time-out ends it."""
    while not condition():  # noqa: ASYNC110  # fakes have no events to wait for
        await asyncio.sleep(0)


@asynccontextmanager
async def running(
    configuration: Settings | None = None,
    misfortunes: Sequence[Misfortune] = (),
    parts: int | None = None,
    ledger: PartLedger | None = None,
    clock: Clock | None = None,
    alarms: Sequence[Alarm] = (),
    plc: LinePlc | None = None,
) -> AsyncIterator[Bench]:
    """A cell whose controller runs; it is ended with the context, and must end."""
    bench = Bench(configuration or settings(), misfortunes, parts, ledger, clock, alarms, plc)
    task = asyncio.create_task(bench.controller.run())
    try:
        async with asyncio.timeout(20):
            yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bench.shut()
