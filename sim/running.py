"""The simulated cell, put together: truth, devices, infeed; started as a whole, or not at all, and ended cleanly.

    plan ─▶ ground: clock, wires, scene, parts ─▶ truth and devices on it ─▶ the cell runs

The ground is what a cell stands on: of this machine, or of one that is made up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from drivers.modbus.register_map import map_of
from sim.breakage import Breakage, Effect
from sim.cell import Cell
from sim.devices.jig import JigDevice, JigDrive, presets
from sim.devices.plc import PlcDevice
from sim.devices.robot import RobotDevice, RobotTimes
from sim.effects import Scenery, camera_effects, infeed_effects, no_golden_parts, plc_effects
from sim.faults import Wish
from sim.flaws import FlawedView
from sim.infeed import Infeed, PartSource, Supply
from sim.leavings import clear_leavings
from sim.ledger import Ledger, Reader, TruthFile
from sim.optics import Optics
from sim.pace import pace_of
from sim.report import Listening, Report
from sim.scene import Scene
from sim.spindle import Spindle
from sim.trace import trace
from sim.wires import Slaves, Wires
from station.core.choices import Speed
from station.core.clock import Clock, SystemClock
from station.core.errors import ConfigError
from station.core.settings import Settings, SimulationSettings, TcpLink


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated.

    Attributes:
        recordings: Folder of the recording.
        parts: How many parts are fed, or None for one pass of the recording.
        speed: Whether motions take their time.
        truth: Where the ledger is written, or None.
        faults: What is to break.
        breakable: Whether more faults may be asked for while it runs; then connections go through a proxy from the
            start.
        trace: Where the registers of PLC and robot are written as they change, or None.
    """

    recordings: Path
    parts: int | None
    speed: Speed
    truth: Path | None
    faults: tuple[Wish, ...] = ()
    breakable: bool = False
    trace: Path | None = None


@dataclass(frozen=True, slots=True)
class RunningCell:
    """The simulated cell while it runs, for whoever shares its process.

    Attributes:
        where: Where its devices answer.
        cell: The physical truth.
        robot: The robot's controller.
        jig: The jig's drive.
        plc: The line PLC.
        infeed: Where parts wait.
        broken: What is broken.
    """

    where: Listening
    cell: Cell
    robot: RobotDevice
    jig: JigDevice
    plc: PlcDevice
    infeed: Infeed
    broken: Breakage


class Lines(Protocol):
    """What lies between the devices and the station, as `sim.wires.Wires` has it."""

    effects: dict[str, Effect]
    impossible: dict[str, str]
    plc_link: TcpLink

    def put_networks_between(self) -> None:
        """Lead the station's connections through networks that faults can spoil."""

    async def serve(self, slaves: Slaves, scene: str, on_link: Callable[[str, str], None]) -> Listening:
        """Let the devices answer from now on; where the station finds them."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a simulated cell stands on.

    Attributes:
        clock: Time.
        wires: To the station.
        scene: Where the camera looks.
        scene_name: How the camera finds that.
        parts: What is fed.
        readers: Told of every entry of the ledger, beside the report.
    """

    clock: Clock
    wires: Lines
    scene: Scenery
    scene_name: str
    parts: Supply
    readers: tuple[Reader, ...] = ()


@asynccontextmanager
async def running_cell(settings: Settings, plan: Plan, report: Report) -> AsyncIterator[RunningCell]:
    """The simulated cell, in this event loop, until the context is left.

    Raises:
        ConfigError: The configuration is not one of a simulated cell, a port is in use, or a file cannot be made.
        RecordingError: No scan of the recording can be used.
    """
    simulation, scene_name = _simulated(settings)
    async with AsyncExitStack() as stack:
        wires = Wires(settings, stack)
        if plan.faults or plan.breakable:
            wires.put_networks_between()
        source = PartSource(plan.recordings, settings, _optics(settings, simulation), plan.parts)
        readers = (stack.enter_context(TruthFile(plan.truth)),) if plan.truth else ()
        clear_leavings()
        longest = max(kind.geometry.lines_per_turn for kind in settings.known_types)
        scene = Scene.create(scene_name, settings.camera.width_px, plan.speed, longest)
        stack.callback(scene.close)
        ground = Ground(SystemClock(), wires, scene, scene_name, source, readers)
        yield await stack.enter_async_context(cell_on(ground, settings, plan, report))


@asynccontextmanager
async def cell_on(ground: Ground, settings: Settings, plan: Plan, report: Report) -> AsyncIterator[RunningCell]:
    """The simulated cell on this ground, until the context is left.

    Raises:
        ConfigError: The configuration is not one of a simulated cell, or the ground does not carry one.
        RecordingError: No part can be fed.
    """
    simulation, _name = _simulated(settings)
    clock, pace, wires, scene = ground.clock, pace_of(plan.speed), ground.wires, ground.scene
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(_tasks())
        golden = frozenset(one.part_id for one in settings.challenge.golden)
        broken = Breakage(report.fault_struck, golden)
        stack.callback(broken.close)
        cell = Cell(
            Spindle(clock.monotonic_ns),
            FlawedView(scene, broken),
            Ledger(clock, (report.happened, *ground.readers)),
            broken,
        )
        links = {"robot": settings.robot.link, "jig": settings.jig.link, "plc": settings.plc.link}
        maps = {name: map_of(name, settings.inspected, link) for name, link in links.items()}
        times = RobotTimes(simulation.robot_load_s, simulation.robot_unload_s)
        robot = RobotDevice(maps["robot"], cell, times, pace=pace, clock=clock, spawn=tasks.spawn)
        drive = _drive(settings, simulation)
        jig = JigDevice(maps["jig"], cell, drive, pace=pace, clock=clock, spawn=tasks.spawn)
        plc = PlcDevice(maps["plc"], clock, report.result_read, broken)
        infeed = Infeed(ground.parts, cell, plc, report, pace, simulation.infeed_s)
        await infeed.prepare()
        listening = await wires.serve(Slaves(robot, jig, plc), ground.scene_name, scene.note_jig)
        where = replace(listening, closed_turns=ground.parts.closed, composed=ground.parts.composed)
        cut = wires.effects.get("plc-net-reset", Effect(lambda: None))
        near_the_infeed = infeed_effects(infeed, plc, scene, cut)
        of_the_camera = camera_effects(scene, [kind.geometry for kind in settings.known_types])
        broken.bind({**wires.effects, **plc_effects(plc), **of_the_camera, **near_the_infeed})
        broken.forbid(wires.impossible | ({} if golden else no_golden_parts()))
        broken.arm(plan.faults)
        tasks.spawn(jig.watch_master())
        if settings.plc.role == "server":
            tasks.spawn(plc.attend(wires.plc_link))
        if plan.trace:
            tasks.spawn(trace(plan.trace, {"plc": plc, "robot": robot}))
        report.ready(where)
        tasks.spawn(infeed.run())
        yield RunningCell(where, cell, robot, jig, plc, infeed, broken)


class _Tasks:
    """Tasks that end with the cell; one that fails ends the cell."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a task."""
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def end(self) -> None:
        """Cancel all that still run."""
        for task in tuple(self._running):
            task.cancel()


@asynccontextmanager
async def _tasks() -> AsyncIterator[_Tasks]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = _Tasks(group)
            try:
                yield tasks
            finally:
                tasks.end()
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def _simulated(settings: Settings) -> tuple[SimulationSettings, str]:
    if settings.simulation is None:
        raise ConfigError("config.invalid", "simulation: a simulated cell needs this table; see config/simulate.toml")
    if settings.scene_name is None:
        raise ConfigError("config.invalid", "camera.setup: a simulated cell needs the feature SimScene")
    if settings.plc.role == "server" and settings.plc.link.port == 0:
        raise ConfigError("config.invalid", "plc.link.port = 0: the simulated PLC must know the station's port")
    return settings.simulation, settings.scene_name


def _optics(settings: Settings, simulation: SimulationSettings) -> Optics:
    return Optics(settings.camera.width_px, 2 * settings.crop.margin_px, simulation.seed)


def _drive(settings: Settings, simulation: SimulationSettings) -> JigDrive:
    return JigDrive(simulation.jig_ramp_s, settings.jig.max_speed_rpm, presets(settings.known_types))
