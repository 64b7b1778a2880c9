"""The simulated devices at their registers; the words are those of the maps in config/registers, typed in."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from drivers.modbus.register_map import load_map
from sim.breakage import Breakage, Effect
from sim.cell import ArmPosition, Cell
from sim.devices.jig import JigDevice, JigDrive, presets
from sim.devices.plc import PlcDevice
from sim.devices.robot import RobotDevice, RobotTimes
from sim.faults import Wish, named_fault, wishes
from sim.ledger import Entry, Ledger, Part, Place
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.spindle import Spindle
from station.core.part import PartType, Pixels
from tests.housings import INSPECTED
from tests.turned import GEOMETRY

LOAD, UNLOAD, HOME = 1, 2, 3
SPIN, STOP = 1, 2
DONE, REFUSED, FAILED = 1, 2, 3
BIN_PITS = 3


class Time:
    """Clock and pace in one: time passes when somebody waits."""

    def __init__(self) -> None:
        self.ns = 0

    def monotonic_ns(self) -> int:
        return self.ns

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def duration_s(self, nominal_s: float) -> float:
        return nominal_s

    async def take(self, nominal_s: float) -> None:
        self.ns += round(nominal_s * 1e9)
        await asyncio.sleep(0)


class Dark:
    def show(self, image: Pixels | None) -> None: ...

    def turn(self, period_ns: int, epoch_ns: int) -> None: ...

    def stand_still(self) -> None: ...


@dataclass
class World:
    time: Time
    entries: list[Entry]
    cell: Cell
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]

    async def rest(self) -> None:
        """Until nothing moves any more."""
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    time, entries = Time(), list[Entry]()
    made = World(time, entries, Cell(Spindle(time.monotonic_ns), Dark(), Ledger(time, [entries.append])))
    yield made
    await made.rest()


@pytest.fixture
def robot(world: World) -> RobotDevice:
    return RobotDevice(
        load_map("robot", INSPECTED),
        world.cell,
        RobotTimes(1.2, 1.2),
        pace=world.time,
        clock=world.time,
        spawn=world.spawn,
    )


@pytest.fixture
def jig(world: World) -> JigDevice:
    drive = JigDrive(0.3, 600.0, {3395: 176_714_587})
    return JigDevice(
        load_map("jig", INSPECTED), world.cell, drive, pace=world.time, clock=world.time, spawn=world.spawn
    )


def part(part_id: str = "A") -> Part:
    return Part(part_id, 1, None, np.zeros((2, 2), np.uint8))


def order_words(device: RobotDevice | JigDevice) -> list[int]:
    """order_acknowledged, order_done, order_result."""
    return device.read("input", 20, 3)


def refusal(device: RobotDevice | JigDevice | PlcDevice, address: int, words: list[int]) -> ExceptionCode:
    with pytest.raises(RefusedError) as refused:
        device.write(address, words)
    return refused.value.code


# ---- every device ----


async def test_check_constants_lie_where_the_map_says(robot: RobotDevice, jig: JigDevice) -> None:
    for device in (robot, jig):
        assert device.read("input", 0, 6) == [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]


@pytest.mark.parametrize(
    ("address", "words", "code"),
    [
        (3, [1], ExceptionCode.ILLEGAL_ADDRESS),  # a gap of the map
        (11, [1], ExceptionCode.ILLEGAL_ADDRESS),  # beyond it
        (0, [1, 0, 5, 0], ExceptionCode.ILLEGAL_ADDRESS),  # an order that runs into the gap
        (0, [9, 0, 5], ExceptionCode.ILLEGAL_VALUE),  # no such verb
    ],
)
async def test_wrong_writes_are_refused_and_change_nothing(
    robot: RobotDevice, jig: JigDevice, address: int, words: list[int], code: ExceptionCode
) -> None:
    for device in (robot, jig):
        assert refusal(device, address, words) is code
        assert device.read("holding", 0, 11) == [0] * 11
        assert order_words(device) == [0, 0, 0]


async def test_reading_beyond_the_map_is_refused(robot: RobotDevice, jig: JigDevice) -> None:
    for device in (robot, jig):
        for kind, address, count in (("input", 20, 9), ("holding", 0, 12), ("holding", 40, 1)):
            with pytest.raises(RefusedError) as refused:
                device.read(kind, address, count)  # type: ignore[arg-type]
            assert refused.value.code is ExceptionCode.ILLEGAL_ADDRESS


# ---- robot ----


async def test_load_brings_the_part_from_the_infeed_to_the_jig(world: World, robot: RobotDevice) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    assert order_words(robot) == [7, 0, 0]
    assert robot.read("input", 11, 1) == [1]  # busy
    await world.rest()
    assert order_words(robot) == [7, 7, DONE]
    assert robot.read("input", 11, 4) == [0, 1, 0, 0]  # idle, in the safe zone, not holding, no fault
    assert world.cell.part_at(Place.JIG)
    assert world.time.ns == pytest.approx(1.2e9)


async def test_unload_confirms_the_place_where_the_part_lies(world: World, robot: RobotDevice) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    await world.rest()
    robot.write(0, [UNLOAD, BIN_PITS, 8])
    await asyncio.sleep(0)
    assert robot.read("input", 12, 1) == [0]  # outside its safe zone
    await world.rest()
    assert robot.read("input", 20, 4) == [8, 8, DONE, BIN_PITS]
    assert world.cell.sorted_parts == {"bin_pits": 1}


async def test_a_robot_that_begins_anew_has_forgotten_its_orders_and_stands_where_it_was(
    world: World, robot: RobotDevice
) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    while world.cell.part_at(Place.GRIPPER) is None:  # noqa: ASYNC110  # the arm has no event to wait for
        await asyncio.sleep(0)
    robot.begin_anew()
    await world.rest()
    assert order_words(robot) == [0, 0, 0]
    assert robot.read("input", 11, 4) == [0, 0, 1, 0]  # idle, outside its safe zone, holding, no fault
    robot.write(0, [HOME, 0, 7])
    await world.rest()
    assert order_words(robot) == [7, 7, DONE]
    assert world.cell.arm is ArmPosition.SAFE_ZONE


async def test_a_repeated_order_number_has_no_second_effect(world: World, robot: RobotDevice) -> None:
    world.cell.feed(part("A"))
    for _ in range(3):
        robot.write(0, [LOAD, 0, 7])
    await world.rest()
    robot.write(0, [UNLOAD, BIN_PITS, 8])
    await world.rest()
    world.cell.feed(part("B"))
    for number in (7, 8, 7, 0):
        robot.write(0, [LOAD, 0, number])
        await world.rest()
    assert order_words(robot) == [8, 8, DONE]
    assert world.cell.part_at(Place.INFEED)
    assert [entry.part_id for entry in world.entries if entry.place is Place.JIG] == ["A"]


async def test_a_new_order_while_busy_gets_busy_and_is_not_taken(world: World, robot: RobotDevice) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    assert refusal(robot, 0, [HOME, 0, 8]) is ExceptionCode.BUSY
    await world.rest()
    assert order_words(robot) == [7, 7, DONE]


@pytest.mark.parametrize(
    ("there", "order"),
    [
        ("", [LOAD, 0]),  # nothing waits
        ("infeed jig", [LOAD, 0]),  # the jig is taken
        ("", [UNLOAD, BIN_PITS]),  # nothing to unload
        ("jig", [UNLOAD, 0]),  # nowhere to lay it
        ("infeed", [0, 0]),  # no verb
    ],
)
async def test_the_robot_refuses_what_its_sensors_show_to_be_impossible(
    world: World, robot: RobotDevice, there: str, order: list[int]
) -> None:
    if "jig" in there:
        world.cell.feed(part("S"))
        robot.write(0, [LOAD, 0, 100])
        await world.rest()
    if "infeed" in there:
        world.cell.feed(part("F"))
    before = len(world.entries)
    robot.write(0, [*order, 5])
    await world.rest()
    assert robot.read("input", 20, 4) == [5, 5, REFUSED, 0]
    assert robot.read("input", 12, 1) == [1]
    assert len(world.entries) == before


async def test_a_part_that_falls_under_way_fails_the_order(world: World, robot: RobotDevice) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    while not world.cell.part_at(Place.GRIPPER):  # noqa: ASYNC110 - time passes only while it waits
        await asyncio.sleep(0)
    world.cell.drop()
    await world.rest()
    assert order_words(robot) == [7, 7, FAILED]
    assert robot.read("input", 11, 4) == [0, 1, 0, 0]


async def test_after_a_collision_the_robot_waits_for_home(world: World, robot: RobotDevice, jig: JigDevice) -> None:
    world.cell.feed(part())
    jig.write(0, [SPIN, 3395, 1])
    await world.rest()
    robot.write(0, [LOAD, 0, 7])
    await world.rest()
    assert order_words(robot) == [7, 7, FAILED]
    assert robot.read("input", 12, 3) == [0, 0, 1]  # not in the safe zone, not holding, fault 1
    assert jig.read("input", 14, 1) == [1]
    assert [entry.event.value for entry in world.entries][-2:] == ["collision", "dropped"]
    robot.write(0, [UNLOAD, BIN_PITS, 8])
    assert order_words(robot) == [8, 8, REFUSED]
    robot.write(0, [HOME, 0, 9])
    await world.rest()
    assert robot.read("input", 11, 4) == [0, 1, 0, 0]
    jig.write(0, [STOP, 0, 2])
    assert jig.read("input", 14, 1) == [0]


# ---- jig ----


async def test_spin_is_done_at_speed_and_stop_at_standstill(world: World, jig: JigDevice) -> None:
    jig.write(0, [SPIN, 3000, 1])
    assert order_words(jig) == [1, 0, 0]
    world.time.ns += 100_000_000
    assert jig.read("input", 11, 5) == [0, 0, 0, 0, 1000]  # 100 rpm
    world.time.ns -= 100_000_000
    await world.rest()
    assert order_words(jig) == [1, 1, DONE]
    assert jig.read("input", 11, 5) == [0, 1, 0, 0, 3000]
    jig.write(0, [STOP, 0, 2])
    assert jig.read("input", 12, 1) == [0]
    await world.rest()
    assert order_words(jig) == [2, 2, DONE]
    assert jig.read("input", 11, 5) == [1, 0, 0, 0, 0]


async def test_a_stop_takes_the_place_of_a_spin_that_is_not_done(world: World, jig: JigDevice) -> None:
    jig.write(0, [SPIN, 3000, 1])
    jig.write(0, [STOP, 0, 2])
    await world.rest()
    assert order_words(jig) == [2, 2, DONE]
    assert world.cell.spindle.standstill


@pytest.mark.parametrize("tenths_rpm", [0, 6001, 65535])
async def test_speeds_that_the_drive_cannot_turn_are_refused(world: World, jig: JigDevice, tenths_rpm: int) -> None:
    jig.write(0, [SPIN, tenths_rpm, 1])
    await world.rest()
    assert order_words(jig) == [1, 1, REFUSED]
    assert world.cell.spindle.standstill


async def test_the_interlock_holds_the_jig_while_the_arm_is_out(
    world: World, robot: RobotDevice, jig: JigDevice
) -> None:
    world.cell.feed(part())
    robot.write(0, [LOAD, 0, 7])
    while world.cell.part_at(Place.INFEED):  # noqa: ASYNC110 - time passes only while it waits
        await asyncio.sleep(0)
    jig.write(0, [SPIN, 3000, 1])
    assert order_words(jig) == [1, 1, REFUSED]
    await world.rest()
    assert order_words(robot) == [7, 7, DONE]


async def test_the_jig_stops_by_itself_when_its_master_is_silent(world: World, jig: JigDevice) -> None:
    assert jig.read("input", 17, 2) == [1, 1000]  # loss_action stop, loss_timeout 1000 ms
    jig.write(0, [SPIN, 3000, 1])
    await world.rest()
    world.time.ns += 690_000_000
    jig.check_master()
    assert world.cell.at_speed
    jig.read("input", 0, 1)
    world.time.ns += 999_000_000
    jig.check_master()
    assert world.cell.at_speed
    world.time.ns += 1_000_000
    jig.check_master()
    assert not world.cell.at_speed
    world.time.ns += 300_000_000
    assert world.cell.spindle.standstill


async def test_a_speed_that_rounds_to_a_preset_is_the_part_types_exact_one(world: World, jig: JigDevice) -> None:
    kind = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
    assert presets([kind]) == {3395: 176_714_587}
    jig.write(0, [SPIN, 3395, 1])
    await world.rest()
    assert world.cell.spindle.period_ns == round(1e9 * kind.turn_s)
    jig.write(0, [SPIN, 3396, 2])
    await world.rest()
    assert world.cell.spindle.period_ns == round(60e9 / 339.6)


# ---- line PLC ----


@pytest.fixture
def results() -> list[tuple[int, str]]:
    return []


@pytest.fixture
def plc(world: World, results: list[tuple[int, str]]) -> PlcDevice:
    return PlcDevice(
        load_map("plc", INSPECTED), world.time, lambda number, decision: results.append((number, decision))
    )


async def test_the_plc_gives_permission_and_announces_with_its_constants(plc: PlcDevice) -> None:
    assert plc.read("holding", 98, 2) == [1, 0xA55A]
    assert plc.read("holding", 101, 1) == [1]
    sequence = plc.announce("SMH-1", 6)
    assert plc.read("holding", 110, 10) == [0x534D, 0x482D, 0x3100, 0, 0, 0, 0, 0, 6, sequence]
    assert sequence != 0
    plc.permit("withdrawn")
    assert plc.read("holding", 101, 1) == [0]
    command = plc.command("hold")
    assert plc.read("holding", 102, 2) == [4, command]


async def test_a_plc_that_begins_anew_has_empty_registers_and_counts_from_1(plc: PlcDevice) -> None:
    plc.announce("SMH-1", 6)
    plc.write(20, [plc.announced_number])
    plc.permit("withdrawn")
    plc.begin_anew()
    assert (plc.accepted_part, plc.announced_number, plc.permitted) == (0, 0, False)
    assert plc.read("holding", 98, 2) == [1, 0xA55A]
    assert plc.read("holding", 110, 10) == [0] * 10
    assert plc.announce("SMH-1", 6) == 1
    assert plc.announce("SMH-2", 6, number=1) == 1
    plc.clear_announcement()
    assert plc.read("holding", 110, 10) == [0] * 10


async def test_the_moment_of_acceptance_is_that_of_the_announced_number(world: World) -> None:
    reached: list[str | None] = []
    broken = Breakage(lambda _name, part_id: reached.append(part_id))
    plc = PlcDevice(load_map("plc", INSPECTED), world.time, lambda *_: None, broken)
    number = plc.announce("SMH-1", 6)
    for accepted, struck in ((number - 1, []), (number, ["SMH-1"]), (number, ["SMH-1"])):
        broken.arm(wishes(["plc-part-swapped"]))
        plc.write(20, [accepted])
        assert reached == struck
        broken.clear("plc-part-swapped")


@pytest.mark.parametrize("name", ["plc-id-blank", "plc-type-unknown"])
async def test_a_broken_announcement_is_mended_also_where_it_was_accepted_before_it_broke(
    world: World, name: str
) -> None:
    broken = Breakage()
    plc = PlcDevice(load_map("plc", INSPECTED), world.time, lambda *_: None, broken)
    broken.bind({name: Effect(plc.show_part, plc.show_part)})
    number = plc.announce("SMH-1", 6)
    announced = plc.read("holding", 110, 10)
    broken.arm([Wish(named_fault(name), None)])
    plc.write(20, [number])
    assert plc.read("holding", 110, 10) != announced
    broken.clear(name)
    assert plc.read("holding", 110, 10) == announced
    plc.stop()
    plc.show_part()
    assert plc.read("holding", 110, 10) == [0] * 10, "a program that has stopped announces nothing"


async def test_the_station_cannot_write_the_plcs_own_registers(plc: PlcDevice) -> None:
    assert refusal(plc, 101, [0]) is ExceptionCode.ILLEGAL_ADDRESS
    assert refusal(plc, 41, [7]) is ExceptionCode.ILLEGAL_VALUE
    assert plc.read("holding", 101, 1) == [1]


@pytest.mark.parametrize(
    ("decision", "complement", "acknowledged", "told"),
    [
        (1, 65534, 9, "defect_free"),
        (6, 65529, 9, "review"),
        (1, 65535, 0, "not believed"),
        (0, 65535, 0, "not believed"),
        (0, 0, 0, "not believed"),
    ],
)
async def test_a_result_is_acknowledged_only_if_its_complement_fits(
    plc: PlcDevice,
    results: list[tuple[int, str]],
    decision: int,
    complement: int,
    acknowledged: int,
    told: str,
) -> None:
    plc.write(41, [decision, complement])
    assert results == []
    plc.write(50, [9])
    assert plc.read("holding", 104, 1) == [acknowledged]
    assert results == [(9, told)]
    plc.write(50, [9])
    assert len(results) == 1
