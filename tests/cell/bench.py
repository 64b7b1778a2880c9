"""A whole cell above its ports, put together as the station is; fakes below, quick and able to break."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from config import bundled
from station.cell.compute import ComputeThread
from station.cell.desk import Commander, Desk
from station.cell.packml import Command, State
from station.core.alarms import Alarm
from station.core.clock import Clock
from station.core.errors import Fault
from station.core.events import CellEvent, Watcher
from station.core.novelty.conformal import Calibration
from station.core.part import Answer, EngineIdentity, ModelIdentity, Pixels, Probabilities, Vectors
from station.core.ports.line import LineLink
from station.core.ports.records import PartLedger
from station.core.ports.references import NOTHING_REMEMBERED, Remembered
from station.core.promise import Promise
from station.core.settings import Settings, parse_settings
from station.host.build import Outside, assemble
from station.host.control_socket import LOOK_S, ControlSocket
from station.host.recipes import bundle_names, recipes_of
from station.host.watch import Watch
from tests.contract.fake_camera import FakeLineCamera, Misfortune
from tests.contract.fake_devices import FakeJig, FakeLine, FakeLineLink, FakeRobot, Floor
from tests.contract.fake_ledger import FakeLedger
from tests.housings import CLASSES, GEOMETRY, TABLE, Verdict, column
from tests.turned import turned
from tests.virtual_time import clock_here, patience, turn

WIDTH_PX = 1024
"""A sensor narrower than the real one, for speed."""


def settings(**changes: dict[str, object]) -> Settings:
    """The shipped simulation's configuration, with some keys changed: `plc={"starved_after_s": 0.1}`."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["camera"]["width_px"] = WIDTH_PX * 2
    for table, keys in changes.items():
        document.setdefault(table, {}).update(keys)
    return parse_settings(document, "test")


def surface(width: int = 385, left: int = 300) -> Pixels:
    """A scan of one part on black, (3584, 1024)."""
    image = np.random.default_rng(7).integers(0, 12, (3584, WIDTH_PX), np.uint8)
    image[:, left : left + width] = turned(7, width, 155)
    return image


class ScriptedKnowledge:
    """What a scripted network was trained on: every patch is as unlike it as the test says."""

    def __init__(self, part_types: Iterable[str]) -> None:
        self.score = 0.5
        calibration = Calibration(tuple(number / 100 for number in range(1, 100)), "cd" * 32, "scripted f32")
        self.calibrations = dict.fromkeys(part_types, calibration)

    def scores(self, patches: Pixels, _features: Vectors) -> Vectors:
        return np.full(len(patches), self.score, np.float32)


def promised(part_type: str) -> Promise:
    """What is proven of the scripted network: a pass takes 0.6."""
    made = datetime(2026, 5, 1, tzinfo=UTC)
    return Promise(part_type, "scripted", 0.01, 0.95, 0.6, 299, 0, 0, "rendered", made, "scripted f32")


class ScriptedClassifier:
    """Says of every patch what it was told to say; `failure` is raised instead when given."""

    model = ModelIdentity("scripted", "0" * 64)
    engine = EngineIdentity("scripted", "1", "f32", "none")
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self, says: Verdict = Verdict.DEFECT_FREE, probability: float = 0.96) -> None:
        self.says, self.probability = says, probability
        self.failure: Exception | None = None
        self.known: Any = None
        self.light_level: float | None = None
        self.promises: dict[str, Promise] = {}

    def warm_up(self) -> None:
        """Nothing to warm."""

    def in_full(self, patches: Pixels) -> Answer:
        return self.answer(patches)

    def answer(self, patches: Pixels) -> Answer:
        return Answer(self.score(patches), np.zeros((len(patches), 1), np.float32))

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
        plc: LineLink | None = None,
        watch: Watcher | None = None,
        commanders: Sequence[Commander] = (),
        remembered: Remembered = NOTHING_REMEMBERED,
    ) -> None:
        self.floor = Floor()
        self.line: Any = FakeLine()
        self.plc: Any = plc or FakeLineLink(self.line)
        self.robot, self.jig = FakeRobot(self.floor), FakeJig(self.floor)
        self.camera = FakeLineCamera(surface(), *misfortunes)
        self.classifier = ScriptedClassifier()
        self.classifier.known = ScriptedKnowledge(configuration.part_types)
        self.classifier.promises = {name: promised(name) for name in configuration.part_types}
        self.clock = clock or clock_here()
        self.ledger = FakeLedger(self.clock)
        self.events: list[CellEvent] = []
        self._compute = ComputeThread(configuration.watchdog.compute_timeout_s)
        loaded = dict.fromkeys(bundle_names(configuration).values(), self.classifier)
        outside = Outside(
            camera=self.camera,
            jig=self.jig,
            robot=self.robot,
            line=self.plc,
            recipes=recipes_of(configuration, loaded),
            ledger=ledger or self.ledger,
            compute=self._compute,
            clock=self.clock,
            listed=alarms,
            remembered=remembered,
        )
        self.built = assemble(outside, configuration, watch or self.events.append, commanders)
        if parts is not None:
            self.desk.limit_parts(parts)

    @property
    def desk(self) -> Desk:
        """Where the cell is commanded and looked at."""
        return self.built.desk

    @property
    def fault(self) -> Fault | None:
        """Why the cell does not run."""
        reason = self.desk.view.reason
        return reason.fault if reason else None

    def give(self, command: Command) -> None:
        """An operator commands."""
        self.desk.command(command, "an operator")

    def feed(self, part_id: str, type_code: int = 1) -> None:
        """A part comes to the infeed, and the PLC announces it."""
        self.floor.infeed = part_id
        self.line.announce(part_id, type_code)

    async def start(self) -> None:
        """Reset and Start."""
        self.give(Command.RESET)
        assert await self.desk.reached(State.IDLE, State.STOPPED) is State.IDLE, self.desk.view.reason
        self.give(Command.START)
        await self.desk.reached(State.EXECUTE)

    async def sorted(self, count: int) -> None:
        """Return when so many parts lie in their places and their records are closed."""
        entries = self.ledger.entries
        await until(lambda: len([entry for entry in entries.values() if entry.state == "sorted"]) >= count)

    def shut(self) -> None:
        """End the compute thread."""
        self._compute.close()


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until the condition holds; on a real loop no time passes, the bench's deadline ends it."""
    while not condition():
        await turn()


@asynccontextmanager
async def running(
    configuration: Settings | None = None,
    misfortunes: Sequence[Misfortune] = (),
    parts: int | None = None,
    ledger: PartLedger | None = None,
    clock: Clock | None = None,
    alarms: Sequence[Alarm] = (),
    plc: LineLink | None = None,
    watch: Watcher | None = None,
    commanders: Sequence[Commander] = (),
    within_s: float = 20.0,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> AsyncIterator[Bench]:
    """A cell in operation; it is ended with the context, and must end, all of it within so long."""
    bench = Bench(
        configuration or settings(), misfortunes, parts, ledger, clock, alarms, plc, watch, commanders, remembered
    )
    task = asyncio.create_task(bench.built.operation.run())
    try:
        async with asyncio.timeout(patience(within_s)):
            yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bench.shut()


@asynccontextmanager
async def listening(
    desk: Desk, data: Path, look_s: float = LOOK_S, watch: Watch | None = None, group: int | None = None
) -> AsyncIterator[None]:
    """While in this context, `station command` and `station alarms` reach the desk; who watches is told by `watch`."""
    control = ControlSocket(data, watch or Watch("test", TABLE.places, clock_here()), group, look_s)
    with control.opened():
        serving = asyncio.create_task(control.serve(desk))
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait([serving])
