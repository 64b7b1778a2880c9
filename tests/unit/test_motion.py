"""The interlock in software: no order goes round the guards, whatever is asked, in whatever order, at the same time."""

import ast
import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.cell.motion import Motion
from station.core.broadcast import Broadcast
from station.core.clock import SystemClock
from station.core.errors import FAULTS, RecordError, StationError
from station.core.events import CellEvent, OrderDone, OrderGiven
from station.core.part import Announcement, Device, Inspection, Order, PartType
from tests.contract.fake_devices import FakeJig, FakeRobot, Floor
from tests.contract.fake_ledger import FakeLedger
from tests.housings import GEOMETRY, Destination

STATION = Path(__file__).parents[2] / "station"
MOTIONS = {"load", "unload", "home", "spin"}
PART_TYPE = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)


class WatchedRobot(FakeRobot):
    """Notes whether the jig turned when the arm moved."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(floor)
        self.floor, self.moved_while_turning = floor, 0

    async def _perform(self, order: Order, motion: object) -> object:  # type: ignore[override]
        self.moved_while_turning += self.floor.turning
        self.floor.arm_out = True
        await asyncio.sleep(0)
        self.moved_while_turning += self.floor.turning
        try:
            return await super()._perform(order, motion)  # type: ignore[arg-type]
        finally:
            self.floor.arm_out = False


class WatchedJig(FakeJig):
    """Notes whether the arm was out when the jig began to turn."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(floor)
        self.floor, self.turned_with_arm_out = floor, 0

    async def spin(self, order: Order) -> object:  # type: ignore[override]
        self.turned_with_arm_out += self.floor.arm_out
        return await super().spin(order)


async def still_there() -> None:
    """The last look finds all as it was."""


class Bench:
    def __init__(self) -> None:
        self.floor = Floor(infeed="A1")
        self.robot, self.jig = WatchedRobot(self.floor), WatchedJig(self.floor)
        self.ledger = FakeLedger()
        self.may_move = True
        self.told: list[CellEvent] = []
        self.motion = Motion(self.jig, self.robot, self.ledger, lambda: self.may_move, Broadcast(self.told.append))

    async def do(self, what: str, inspection: Inspection) -> None:
        """One order, by name; refusals and failures are the devices' right."""
        try:
            match what:
                case "load":
                    self.floor.infeed = self.floor.infeed or "next"
                    await self.motion.load(inspection, still_there)
                case "unload":
                    await self.motion.unload(inspection, Destination.BIN_REVIEW)
                case "home":
                    await self.motion.home()
                case "spin":
                    await self.motion.spin(inspection, PART_TYPE)
                case "stop":
                    await self.motion.stop(inspection)
                case "arm out":
                    self.floor.arm_out = not self.floor.turning
                case "arm in":
                    self.floor.arm_out = False
        except StationError:
            return


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(st.sampled_from([*MOTIONS, "stop", "arm out", "arm in"]), min_size=1, max_size=4), max_size=12)
)
def test_jig_and_robot_never_move_against_each_other(groups: list[list[str]]) -> None:
    async def play() -> None:
        bench = Bench()
        inspection = await bench.ledger.enter(Announcement(1, "A1", 1), PART_TYPE)
        for group in groups:
            await asyncio.gather(*[bench.do(what, inspection) for what in group])
        assert (bench.robot.moved_while_turning, bench.jig.turned_with_arm_out) == (0, 0)

    asyncio.run(play())


@pytest.mark.parametrize("what", sorted(MOTIONS))
async def test_nothing_but_the_stop_goes_out_in_a_state_that_forbids_motion(what: str) -> None:
    bench = Bench()
    inspection = await bench.ledger.enter(Announcement(1, "A1", 1), PART_TYPE)
    bench.may_move = False
    await bench.do(what, inspection)
    assert bench.ledger.orders == []
    bench.floor.turning = True
    await bench.do("stop", inspection)
    assert not bench.floor.turning


async def test_the_intent_is_written_before_the_order_goes_out() -> None:
    bench = Bench()
    inspection = await bench.ledger.enter(Announcement(1, "A1", 1), PART_TYPE)
    written: list[str] = []
    load, order = bench.robot.load, bench.ledger.order

    async def noted(device: Device, verb: str, argument: int, of: Inspection | None) -> Order:
        written.append(f"intent {verb}")
        return await order(device, verb, argument, of)

    async def watched(given_order: Order) -> object:
        written.append(f"order {given_order.verb}")
        return await load(given_order)

    bench.ledger.order = noted  # type: ignore[method-assign]
    bench.robot.load = watched  # type: ignore[method-assign, assignment]
    await bench.motion.load(inspection, still_there)
    assert written == ["intent load", "order load"]


async def test_without_an_intent_nothing_moves_but_the_jig_is_stopped_all_the_same() -> None:
    bench = Bench()
    inspection = await bench.ledger.enter(Announcement(1, "A1", 1), PART_TYPE)

    async def full(*_what: object) -> Order:
        raise RecordError("record.disk_failed", "no space left")

    bench.ledger.order = full  # type: ignore[method-assign]
    with pytest.raises(RecordError):
        await bench.motion.load(inspection, still_there)
    assert bench.floor.infeed == "A1"
    bench.floor.turning = True
    with pytest.raises(RecordError):
        await bench.motion.stop(inspection)
    assert not bench.floor.turning


async def test_an_order_is_told_when_it_is_given_and_when_it_is_done() -> None:
    bench = Bench()
    inspection = await bench.ledger.enter(Announcement(1, "A1", 1), PART_TYPE)
    await bench.motion.load(inspection, still_there)
    given, done = bench.told
    assert isinstance(given, OrderGiven)
    assert isinstance(done, OrderDone)
    assert given.order.verb == "load"
    assert given.order == done.receipt.order


async def test_numbers_go_on_after_those_that_the_devices_have_taken() -> None:
    bench = Bench()
    await bench.robot.home(Order("robot", 700, "home"))
    await bench.motion.connect()
    await bench.motion.home()
    assert bench.ledger.orders[-1][0].number == 701
    assert FAULTS["robot.refused"].number == 4005
    assert SystemClock().monotonic_ns() > 0


def takers(tree: ast.AST, given: set[str]) -> list[str]:
    """What is called with one of these as an argument, for each of them."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        ast.unparse(call.func)
        for call in calls
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        if ast.unparse(argument) in given
    ]


def test_no_path_goes_round_the_guards() -> None:
    """Jig and robot are made in one place and handed to `Motion` alone; nobody else calls what moves them."""
    for path in STATION.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            callee = ast.unparse(node.func)
            if callee in {"make_jig", "make_robot"}:
                assert path in {STATION / "host" / "build.py", STATION / "host" / "check.py"}, path
            if callee.split(".")[-1] in MOTIONS | {"stop"} and path != STATION / "cell" / "motion.py":
                assert not any(word in callee for word in ("jig.", "robot.")), f"{path}: {callee}"
    build = ast.parse((STATION / "host" / "build.py").read_text(encoding="utf-8"))
    assert takers(build, {"make_jig(settings)", "make_robot(settings)"}) == ["Outside", "Outside"]
    assert takers(build, {"outside.jig", "outside.robot"}) == ["Motion", "Motion"]
    taken = [ast.unparse(node) for node in ast.walk(build) if isinstance(node, ast.Attribute)]
    assert sorted(one for one in taken if one.endswith((".jig", ".robot"))) == ["outside.jig", "outside.robot"]
    check = (STATION / "host" / "check.py").read_text(encoding="utf-8")
    assert not any(f".{word}(" in check for word in MOTIONS), "station check must move nothing"
