"""Every named fault of robot, jig and line PLC at the level of the drivers: what they report, and that they recover."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from drivers.plc.plc import ModbusPlc
from sim.faults import NAMED_FAULTS, Moment, NamedFault, Wish, named_fault
from sim.ledger import Happening, Place
from sim.running import Plan, RunningCell, running_cell
from station.core.choices import Speed
from station.core.errors import FAULTS, ConfigError, StationError
from station.core.part import Order
from station.core.pulse import first_of
from station.core.settings import Settings
from tests.cell.fault_bench import Truth, addressed, make_recording, quick_settings
from tests.housings import TABLE, Destination, Verdict, line_plc, modbus_jig, modbus_robot
from tests.wire.plc_peers import result

ORDERED = Destination.BIN_REVIEW.code
SPEED_TENTHS_RPM = 3395
PATIENCE_S = 10.0
AT_THE_DRIVERS: dict[str, str | None] = {
    "part-missing": "robot.refused",  # to take away what is not on the jig
    "robot-leaves-safe-zone": "jig.refused",  # by the wired interlock
    "robot-wrong-bin": None,  # the driver passes on what the robot confirms
    "jig-slips": None,  # the driver passes on the speed
    "jig-creeps": None,
}
"""What the drivers report where it is not what the whole station shows."""


class Machines:
    """Robot and jig drivers on the simulated devices, and parts that wait at the infeed."""

    def __init__(self, settings: Settings, running: RunningCell, truth: Truth) -> None:
        self.running, self.truth = running, truth
        self.robot, self.jig = modbus_robot(settings.robot), modbus_jig(settings.jig)
        self.confirmed = 0
        self.speeds: list[float] = []
        self._number = 100

    async def journey(self) -> str | None:
        """Take one part through; the code of what went wrong."""
        async with asyncio.timeout(PATIENCE_S):
            while self.running.cell.infeed_free.is_set():  # noqa: ASYNC110  # the infeed has no event for this
                await asyncio.sleep(0.01)
        try:
            await self.robot.load(self._order("robot", "load"))
            await self.robot.status()
            await self.robot.status()
            await self.jig.spin(self._order("jig", "spin", SPEED_TENTHS_RPM))
            self.speeds = [(await self.jig.status()).speed_rpm for _ in range(3)]
            await self.jig.stop(self._order("jig", "stop"))
            receipt = await self.robot.unload(self._order("robot", "unload", ORDERED))
            self.confirmed = receipt.confirmed
        except StationError as error:
            return error.code
        return None

    async def bring_to_rest(self) -> None:
        """Stop, go home, and take away what lies in the cell."""
        await _patiently(lambda: self.jig.stop(self._order("jig", "stop")))
        await _patiently(lambda: self.robot.home(self._order("robot", "home")))
        if self.running.cell.part_id_at(Place.GRIPPER, Place.JIG):
            await self.robot.unload(self._order("robot", "unload", ORDERED))

    def _order(self, device: str, verb: str, argument: int = 0) -> Order:
        self._number += 1
        return Order(device, self._number, verb, argument)  # type: ignore[arg-type]


async def _patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Give an order until the device is back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await call()
            except StationError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Machines]:
    settings, truth = quick_settings(tmp_path), Truth()
    plan = Plan(make_recording(tmp_path / "recording"), 20, Speed.MAX, None, breakable=True)
    async with running_cell(settings, plan, truth) as running:
        made = Machines(addressed(settings, running), running, truth)
        await made.robot.connect()
        await made.jig.connect()
        yield made
        await made.robot.close()
        await made.jig.close()


def of_machines() -> list[NamedFault]:
    return [
        row for row in NAMED_FAULTS.values() if row.name.startswith(("robot-", "jig-")) or row.name == "part-missing"
    ]


@pytest.mark.parametrize("fault", of_machines(), ids=lambda row: row.name)
async def test_the_drivers_report_it_and_recover(machines: Machines, fault: NamedFault) -> None:
    machines.running.broken.arm([Wish(fault, "2")])
    assert await machines.journey() is None
    assert machines.truth.seen.struck == []
    told = await machines.journey()
    assert machines.truth.seen.struck != []
    assert told == AT_THE_DRIVERS.get(fault.name, fault.code)
    machines.running.broken.clear(fault.name)
    await machines.bring_to_rest()
    assert await machines.journey() is None
    assert machines.confirmed == ORDERED
    moved = [e for e in machines.truth.entries if e.event in (Happening.PLACED, Happening.DROPPED) and e.place != "jig"]
    assert len({entry.part_id for entry in moved}) == len(moved), "no part was laid away twice"


async def test_a_jig_that_is_reached_over_tcp_falls_silent_too_and_has_no_noise(tmp_path: Path) -> None:
    settings, truth = quick_settings(tmp_path), Truth()
    link = settings.plc.link.model_copy(update={"port": 0})
    settings = settings.model_copy(update={"jig": settings.jig.model_copy(update={"link": link})})
    plan = Plan(make_recording(tmp_path / "recording"), 20, Speed.MAX, None, breakable=True)
    async with running_cell(settings, plan, truth) as running:
        with pytest.raises(ConfigError, match=r"jig-noise cannot strike here: .* TCP"):
            running.broken.arm([Wish(named_fault("jig-silent")), Wish(named_fault("jig-noise"))])
        machines = Machines(addressed(settings, running), running, truth)
        await machines.robot.connect()
        await machines.jig.connect()
        running.broken.arm([Wish(named_fault("jig-silent"), "1")])
        assert await machines.journey() == "jig.unreachable"
        running.broken.clear("jig-silent")
        await machines.bring_to_rest()
        assert await machines.journey() is None
        await machines.robot.close()
        await machines.jig.close()


@pytest.mark.parametrize(("name", "share"), [("jig-slips", 1 / 1.2), ("jig-creeps", 1.0)])
async def test_a_slipping_jig_shows_its_speed_and_a_creeping_one_does_not(
    machines: Machines, name: str, share: float
) -> None:
    machines.running.broken.arm([Wish(named_fault(name), "1")])
    assert await machines.journey() is None
    assert machines.speeds[-1] == pytest.approx(share * SPEED_TENTHS_RPM / 10, rel=0.002)


async def test_a_wrong_bin_is_confirmed_as_it_is(machines: Machines) -> None:
    machines.running.broken.arm([Wish(named_fault("robot-wrong-bin"), "1")])
    assert await machines.journey() is None
    assert machines.confirmed == Destination.BIN_SCRATCHES.code
    assert machines.truth.entries[-1].place == "bin_scratches"


# ---- line PLC ----


@pytest.fixture
async def plc(tmp_path: Path) -> AsyncIterator[tuple[ModbusPlc, RunningCell]]:
    settings = quick_settings(tmp_path)
    plan = Plan(make_recording(tmp_path / "recording"), 20, Speed.MAX, None, breakable=True)
    async with running_cell(settings, plan, Truth()) as running:
        driver = line_plc(addressed(settings, running).plc)
        await driver.connect()
        await until(driver, lambda: driver.feed.view.fault is None)
        yield driver, running
        await driver.close()


async def until(driver: ModbusPlc, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await first_of(driver.feed.changed(), driver.requests.changed())


async def read_by_the_line(running: RunningCell, number: int) -> None:
    """Return when the simulated PLC has read the result with this number."""
    async with asyncio.timeout(PATIENCE_S):
        while running.plc.acknowledged_result != number:  # noqa: ASYNC110  # what is waited for is another's doing
            await asyncio.sleep(0.005)


UNHEALTHY = [
    name
    for name, row in NAMED_FAULTS.items()
    if row.code in ("plc.unreachable", "plc.stale") and name.startswith("plc-")
]


@pytest.mark.parametrize("name", UNHEALTHY)
async def test_the_line_is_not_believed_while_it_is_ill_and_is_again_afterwards(
    plc: tuple[ModbusPlc, RunningCell], name: str
) -> None:
    driver, running = plc
    running.broken.arm([Wish(named_fault(name))])
    await until(driver, lambda: driver.feed.view.fault)
    assert not driver.feed.view.permission
    await until(driver, lambda: driver.feed.view.fault is FAULTS[named_fault(name).code or ""])
    assert not driver.feed.view.permission
    await until(driver, lambda: driver.feed.view.fault is None and driver.feed.view.permission)


@pytest.mark.parametrize("name", ["plc-net-split", "plc-net-late", "plc-net-reset"])
async def test_the_line_is_believed_in_spite_of_it(plc: tuple[ModbusPlc, RunningCell], name: str) -> None:
    driver, running = plc
    fault = named_fault(name)
    running.broken.arm([Wish(fault)])
    running.broken.reach(Moment.SPIN, "P-0")
    sent = running.plc.command("reset")
    await until(driver, driver.requests.pending)
    request = driver.requests.pending()
    assert request is not None
    assert request.sequence == sent
    await until(driver, lambda: driver.feed.view.fault is None)


async def test_what_the_program_of_the_line_says_is_heard(plc: tuple[ModbusPlc, RunningCell]) -> None:
    driver, running = plc
    running.broken.arm([Wish(named_fault("plc-permission-withdrawn")), Wish(named_fault("plc-bins-full"))])
    await until(driver, lambda: not driver.feed.view.permission and driver.feed.view.full == set(TABLE.places))
    assert driver.feed.view.fault is None
    running.broken.clear("plc-permission-withdrawn")
    running.broken.clear("plc-bins-full")
    await until(driver, lambda: driver.feed.view.permission and not driver.feed.view.full)
    running.broken.arm([Wish(named_fault("plc-illegal-command"))])
    running.broken.reach(Moment.SPIN, "P-0")
    await until(driver, driver.requests.pending)


@pytest.mark.parametrize(
    "name", ["plc-silent", "plc-stale", "plc-program-restarts", "plc-net-refused", "plc-net-garbage"]
)
async def test_a_line_that_visits_the_station_is_stale_while_it_is_ill(tmp_path: Path, name: str) -> None:
    settings = quick_settings(tmp_path)
    driver = line_plc(settings.plc.model_copy(update={"role": "server"}))
    await driver.connect()
    link = settings.plc.link.model_copy(update={"port": driver.port})
    visiting = settings.model_copy(update={"plc": settings.plc.model_copy(update={"role": "server", "link": link})})
    plan = Plan(make_recording(tmp_path / "recording"), 20, Speed.MAX, None, breakable=True)
    try:
        truth = Results()
        async with running_cell(visiting, plan, truth) as running:
            await until(driver, lambda: driver.feed.view.fault is None)
            await driver.results.publish(result(Verdict.PITS))
            await driver.results.publish(result(Verdict.REVIEW))
            await read_by_the_line(running, 2)
            running.broken.arm([Wish(named_fault(name))])
            await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.stale"])
            running.broken.clear(name)
            await until(driver, lambda: driver.feed.view.fault is None)
            await driver.results.publish(result(Verdict.PITS))
            await driver.results.publish(result(Verdict.PITS))
            assert truth.read == [(1, "pits"), (2, "review"), (3, "pits")], "each once"
    finally:
        await driver.close()


class Results(Truth):
    """What the line's program has read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[int, str]] = []

    def result_read(self, number: int, decision: str) -> None:
        self.read.append((number, decision))
