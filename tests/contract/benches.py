"""One cell behind its ports, twice: fakes, and drivers on the simulated devices over real sockets and terminals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from drivers.modbus.register_map import load_map
from sim.cell import ArmPosition, Cell
from sim.devices.jig import JigDevice, JigDrive
from sim.devices.plc import PlcDevice
from sim.devices.robot import RobotDevice, RobotTimes
from sim.ledger import Entry, Happening, Ledger, Part, Place
from sim.modbus.rtu_line import RtuLine
from sim.modbus.tcp_server import TcpServer, bind
from sim.pace import MaxPace
from sim.spindle import Spindle
from station.core.clock import SystemClock
from station.core.part import Pixels
from station.core.ports.devices import SortRobot, SpinJig
from station.core.ports.line import LineLink
from station.core.settings import JigSettings, PlcSettings, RobotSettings
from tests.contract.fake_devices import FakeJig, FakeLine, FakeLineLink, FakeRobot, Floor
from tests.free_port import free_port
from tests.housings import INSPECTED, line_plc, modbus_jig, modbus_robot

LINK = {"kind": "tcp", "host": "127.0.0.1", "poll_s": 0.005, "request_timeout_s": 0.3, "reconnect_s": 0.1}


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Return when the condition holds; fail when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is another program's doing
            await asyncio.sleep(0.005)


class MachineBench(Protocol):
    """Robot and jig of one cell, and the truth about it."""

    robot: SortRobot
    jig: SpinJig

    def feed(self, part_id: str) -> None:
        """A part comes to the infeed."""

    def where(self) -> dict[str, str]:
        """The place of every part in the cell, and of those that were sorted."""

    def turning(self) -> bool:
        """The jig turns."""

    def seen(self) -> str | None:
        """The part that the camera could scan now: it lies on the jig, and the jig turns."""

    def hold_arm_out(self) -> None:
        """The arm is outside its safe zone, by hand."""

    async def cut(self) -> None:
        """Neither device answers any more."""


class FakeMachines:
    """The fakes."""

    def __init__(self) -> None:
        self._floor = Floor()
        self.robot: SortRobot = FakeRobot(self._floor)
        self.jig: SpinJig = FakeJig(self._floor)

    def feed(self, part_id: str) -> None:
        self._floor.infeed = part_id

    def where(self) -> dict[str, str]:
        floor = self._floor
        seats = {"infeed": floor.infeed, "gripper": floor.gripper, "jig": floor.jig}
        return {**dict(floor.sorted_parts), **{part_id: place for place, part_id in seats.items() if part_id}}

    def turning(self) -> bool:
        return self._floor.turning

    def seen(self) -> str | None:
        return self._floor.jig if self._floor.turning else None

    def hold_arm_out(self) -> None:
        self._floor.arm_out = True

    async def cut(self) -> None:
        self._floor.cut = True


class Camera:
    """What lies under the simulated camera."""

    def __init__(self) -> None:
        self.image: Pixels | None = None
        self.turning = False

    def show(self, image: Pixels | None) -> None:
        self.image = image

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        self.turning = period_ns > 0 and epoch_ns >= 0

    def stand_still(self) -> None:
        self.turning = False


class SimulatedMachines:
    """The drivers, on the simulated robot over TCP and the simulated jig over RTU."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._running: list[asyncio.Task[None]] = []
        self._entries: list[Entry] = []
        clock, pace = SystemClock(), MaxPace()
        self._camera = Camera()
        self._cell = Cell(Spindle(clock.monotonic_ns), self._camera, Ledger(clock, [self._entries.append]))
        times, drive = RobotTimes(1.2, 1.2), JigDrive(0.3, 600.0, {})
        cell, spawn = self._cell, self._spawn
        self._robot = RobotDevice(load_map("robot", INSPECTED), cell, times, pace=pace, clock=clock, spawn=spawn)
        self._jig = JigDevice(load_map("jig", INSPECTED), cell, drive, pace=pace, clock=clock, spawn=spawn)
        self._server = TcpServer(self._robot, 1)
        self._line = RtuLine(self._jig, 1)

    async def start(self, folder: Path) -> None:
        """Serve, and make the drivers."""
        listening = bind("robot.link", "127.0.0.1", 0)
        await self._server.serve(listening)
        self._line.open(folder / "jig")
        self._spawn(self._jig.watch_master())
        link = {**LINK, "port": listening.getsockname()[1]}
        self.robot: SortRobot = modbus_robot(RobotSettings.model_validate({"link": link, "motion_timeout_s": 5.0}))
        serial = {**LINK, "kind": "rtu", "device": str(folder / "jig"), "parity": "N"}
        del serial["host"]
        self.jig: SpinJig = modbus_jig(JigSettings.model_validate({"link": serial, "max_speed_rpm": 600.0}))

    async def stop(self) -> None:
        """Close drivers and devices."""
        await self.robot.close()
        await self.jig.close()
        await self.cut()
        for task in self._running:
            task.cancel()

    def feed(self, part_id: str) -> None:
        self._cell.feed(Part(part_id, 1, None, np.zeros((1, 1), np.uint8)))

    def where(self) -> dict[str, str]:
        moves = (entry for entry in self._entries if entry.event is not Happening.COLLISION)
        return {str(entry.part_id): entry.place for entry in moves}

    def turning(self) -> bool:
        return not self._cell.spindle.standstill

    def seen(self) -> str | None:
        part = self._cell.part_at(Place.JIG)
        shown = part is not None and self._camera.image is part.surface
        return part.part_id if part and shown and self._camera.turning else None

    def hold_arm_out(self) -> None:
        self._cell.move_arm(ArmPosition.WORKSPACE)

    async def cut(self) -> None:
        await self._server.close()
        self._line.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        self._running.append(self._tasks.create_task(work))
        return self._running[-1]


@contextlib.asynccontextmanager
async def machines(kind: str, folder: Path) -> AsyncIterator[MachineBench]:
    """A bench of this kind: `fake` or `simulated`."""
    if kind == "fake":
        yield FakeMachines()
        return
    async with asyncio.TaskGroup() as tasks:
        bench = SimulatedMachines(tasks)
        try:
            await bench.start(folder)
            yield bench
        finally:
            await bench.stop()


class LineSide(Protocol):
    """What a person or a program at the line does and sees."""

    def permit(self, permission: str) -> None: ...

    def announce(self, part_id: str, type_code: int) -> int: ...

    def fill(self, places: Iterable[int]) -> None: ...

    def command(self, command: str) -> int: ...

    @property
    def accepted_part(self) -> int: ...

    def acknowledge(self, fault_number: int) -> int: ...

    def alarms(self) -> tuple[int, int, int]: ...

    def acknowledgement_answer(self) -> tuple[int, str]: ...

    def state(self) -> str: ...

    def command_answer(self) -> tuple[int, str]: ...


class LineBench(Protocol):
    """The port, and the line behind it."""

    link: LineLink
    line: LineSide

    @property
    def results(self) -> list[tuple[int, str]]:
        """Number and verdict of each result that the line has read."""

    def confirmed_bin(self) -> int:
        """The place code in the result block as the line sees it."""

    async def cut(self) -> None:
        """The line's PLC is gone."""


class FakeLineBench:
    """The fake."""

    def __init__(self) -> None:
        self._line = FakeLine()
        self.line: LineSide = self._line
        self.link: LineLink = FakeLineLink(self._line)

    @property
    def results(self) -> list[tuple[int, str]]:
        return self._line.results

    def confirmed_bin(self) -> int:
        return self._line.confirmed

    async def cut(self) -> None:
        self._line.disconnect()


class SimulatedLineBench:
    """The driver, in one of its roles, on the simulated PLC."""

    def __init__(self) -> None:
        self.results: list[tuple[int, str]] = []
        self._device = PlcDevice(load_map("plc", INSPECTED), SystemClock(), lambda *result: self.results.append(result))
        self.line: LineSide = self._device
        self._server = TcpServer(self._device, 1)
        self._visits: asyncio.Task[None] | None = None

    async def start(self, role: str) -> None:
        """Serve, or visit the station's server."""
        port = free_port()
        deadlines = {"heartbeat_s": 0.1, "stale_after_s": 1.0, "result_timeout_s": 5.0}
        settings = PlcSettings.model_validate({"role": role, "link": {**LINK, "port": port}, **deadlines})
        self.link: LineLink = line_plc(settings)
        if role == "client":
            await self._server.serve(bind("plc.link", "127.0.0.1", port))
        else:
            self._visits = asyncio.create_task(self._device.attend(settings.link))

    async def stop(self) -> None:
        """Close driver and PLC."""
        await self.link.close()
        await self.cut()

    def confirmed_bin(self) -> int:
        return self._device.read("holding", 44, 1)[0]

    async def cut(self) -> None:
        await self._server.close()
        if self._visits:
            self._visits.cancel()
            await asyncio.wait([self._visits])


@contextlib.asynccontextmanager
async def lines(kind: str) -> AsyncIterator[LineBench]:
    """A bench of this kind: `fake`, `client` or `server`, by the station's role."""
    if kind == "fake":
        yield FakeLineBench()
        return
    bench = SimulatedLineBench()
    await bench.start(kind)
    try:
        yield bench
    finally:
        await bench.stop()
