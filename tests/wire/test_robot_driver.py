"""The robot driver against a peer written word by word: how orders are given, taken, lost, refused, finished."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from drivers.modbus.device import PolledDevice
from drivers.modbus.family import ROBOT
from drivers.modbus.poller import Pace, Poller
from drivers.modbus.register_map import load_map
from drivers.modbus.rhythm import Rhythm
from drivers.modbus.status import Snapshot
from drivers.robot import ModbusRobot
from station.core.clock import SystemClock
from station.core.errors import BugError, RobotError
from station.core.part import Order
from station.core.settings import RobotSettings, TcpLink
from tests.housings import INSPECTED
from tests.stopwatch import stopwatch
from tests.wire.device_peers import (
    DONE,
    FAILED,
    REFUSED,
    RobotPeer,
    order_writes,
    refused_with,
    rhythm,
    served_robot,
    tcp,
)
from tests.wire.modbus_peer import Conduct, TcpPeer

BIN_PITS = 3
LOAD = Order("robot", 5, "load")
UNLOAD = Order("robot", 6, "unload", BIN_PITS)


@pytest.fixture
async def peer() -> RobotPeer:
    return RobotPeer()


@pytest.fixture
async def pair(peer: RobotPeer) -> AsyncIterator[tuple[ModbusRobot, TcpPeer]]:
    async with served_robot(peer) as pair:
        yield pair


@pytest.fixture
def robot(pair: tuple[ModbusRobot, TcpPeer]) -> ModbusRobot:
    return pair[0]


@pytest.fixture
def server(pair: tuple[ModbusRobot, TcpPeer]) -> TcpPeer:
    return pair[1]


# ---------------------------------------------------------------------- status


async def test_the_robots_words_have_their_meaning(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.input[11:15] = [1, 0, 1, 77]
    peer.input[20:22] = [0x1234, 0x1233]
    await robot.connect()
    status = await robot.status()
    assert (status.busy, status.in_safe_zone, status.holding, status.fault) == (True, False, True, 77)
    assert (status.last_order, status.last_done) == (0x1234, 0x1233)


async def test_a_status_is_the_answer_to_a_request_sent_after_the_call(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    for fault in range(1, 40):
        peer.input[14] = fault
        assert (await robot.status()).fault == fault


@pytest.mark.parametrize(
    ("place", "word", "told"), [(0, 2, "map_version"), (1, 0, "magic"), (2, 0x2000, "check_f32"), (5, 0, "check_u32")]
)
async def test_another_map_is_refused_and_says_which_register_differs(
    robot: ModbusRobot, peer: RobotPeer, place: int, word: int, told: str
) -> None:
    peer.input[place] = word
    error = await refused_with("robot.wrong_map", robot.connect())
    assert told in error.detail


async def test_a_device_whose_heartbeat_stands_still_is_not_believed(peer: RobotPeer) -> None:
    async def watch() -> None:
        while await robot.status():
            pass

    async with served_robot(peer, rhythm(stale_after_s=0.1)) as (robot, _server):
        await robot.connect()
        peer.beats = None
        with pytest.raises(RobotError, match="heartbeat has stood"):
            await asyncio.wait_for(watch(), 20)
        peer.beats = 10
        assert (await robot.status()).in_safe_zone


async def test_the_station_shows_the_robot_its_heartbeat(peer: RobotPeer) -> None:
    async with served_robot(peer, rhythm(heartbeat_s=0.0)) as (robot, _server):
        await robot.connect()
        for _ in range(3):
            await robot.status()
    beats = [words[0] for address, words in peer.writes if address == 10]
    assert beats[:3] == [1, 2, 3]


async def test_without_a_connection_everything_is_unreachable(robot: ModbusRobot, server: TcpPeer) -> None:
    await refused_with("robot.unreachable", robot.status())
    await refused_with("robot.unreachable", robot.load(LOAD))
    await server.stop()
    await refused_with("robot.unreachable", robot.connect())


async def test_a_closed_driver_can_be_connected_again(robot: ModbusRobot) -> None:
    await robot.connect()
    await robot.connect()
    await robot.close()
    await refused_with("robot.unreachable", robot.status())
    await robot.connect()
    assert (await robot.status()).in_safe_zone


async def test_whoever_waits_is_told_when_the_driver_is_closed(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.load(LOAD))
    while not peer.motions:
        await robot.status()
    await robot.close()
    await refused_with("robot.unreachable", motion)


# ---------------------------------------------------------------------- orders that go well


async def test_an_order_is_one_write_and_its_receipt_names_the_confirmed_place(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    receipt = await robot.unload(UNLOAD)
    assert order_writes(peer) == [(2, 3, 6)]
    assert (receipt.order, receipt.confirmed) == (UNLOAD, BIN_PITS)
    assert 0 < receipt.acknowledged_ns <= receipt.done_ns <= time.monotonic_ns()


async def test_load_and_home_have_their_verbs(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    await robot.load(LOAD)
    await robot.home(Order("robot", 7, "home"))
    assert order_writes(peer) == [(1, 0, 5), (3, 0, 7)]


async def test_the_end_is_seen_when_it_comes_later(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.unload(UNLOAD))
    while not peer.motions:
        await robot.status()
    peer.input[12] = 0
    peer.finish(DONE, BIN_PITS)
    await robot.status()
    assert not motion.done()  # done, and not yet in the safe zone
    peer.input[12] = 1
    assert (await motion).confirmed == BIN_PITS


async def test_an_order_that_was_taken_before_is_not_written_again(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    first = await robot.unload(UNLOAD)
    again = await robot.unload(UNLOAD)
    assert again.confirmed == first.confirmed
    assert len(order_writes(peer)) == 1
    assert len(peer.motions) == 1


@pytest.mark.parametrize("conduct", ["swallow", "late", "cut", "garbage", "half"])
async def test_a_lost_reply_is_repaired_by_asking_and_the_order_is_not_written_again(
    robot: ModbusRobot, peer: RobotPeer, conduct: Conduct
) -> None:
    await robot.connect()
    peer.write_conduct.append(conduct)
    receipt = await robot.unload(UNLOAD)
    assert receipt.confirmed == BIN_PITS
    assert len(peer.motions) == 1
    assert len(order_writes(peer)) == 1


async def test_a_lost_order_is_written_again_with_the_same_number_once_the_robot_says_it_has_not_taken_it(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    peer.write_conduct.append("ignore")
    await robot.unload(UNLOAD)
    assert order_writes(peer) == [(2, 3, 6)]
    assert peer.motions == [(2, 3)]


async def test_a_line_that_breaks_during_the_motion_is_waited_for(
    robot: ModbusRobot, peer: RobotPeer, server: TcpPeer
) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.unload(UNLOAD))
    while not peer.motions:
        await robot.status()
    await server.stop()
    await refused_with("robot.unreachable", robot.status())
    peer.finish(DONE, BIN_PITS)
    await server.start()
    assert (await motion).confirmed == BIN_PITS
    assert len(order_writes(peer)) == 1


# ---------------------------------------------------------------------- orders that go wrong


async def test_an_order_that_is_not_taken_in_time_is_no_acknowledge(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.takes = False
    robot._settings = robot._settings.model_copy(update={"acknowledge_timeout_s": 0.6})
    await robot.connect()
    began = time.monotonic()
    with stopwatch() as watch:
        await refused_with("robot.no_acknowledge", robot.load(LOAD))
    assert time.monotonic() - began > 0.5
    assert watch.s < 5
    assert len(order_writes(peer)) == 1


async def test_an_order_that_does_not_end_in_time_is_not_done(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    robot._settings = robot._settings.model_copy(update={"motion_timeout_s": 0.9})
    await robot.connect()
    began = time.monotonic()
    with stopwatch() as watch:
        await refused_with("robot.not_done", robot.load(LOAD))
    assert time.monotonic() - began > 0.8
    assert watch.s < 5


async def test_a_robot_that_cannot_be_asked_any_more_is_unreachable_at_the_deadline(
    robot: ModbusRobot, peer: RobotPeer, server: TcpPeer
) -> None:
    peer.ends_with = None
    robot._settings = robot._settings.model_copy(update={"motion_timeout_s": 0.9})
    await robot.connect()
    motion = asyncio.ensure_future(robot.load(LOAD))
    while not peer.motions:
        await robot.status()
    await server.stop()
    await refused_with("robot.unreachable", motion)


@pytest.mark.parametrize(("result", "told"), [(REFUSED, "refused"), (FAILED, "failed")])
async def test_a_robot_that_refuses_or_fails_says_which(
    robot: ModbusRobot, peer: RobotPeer, result: int, told: str
) -> None:
    peer.ends_with = result
    await robot.connect()
    error = await refused_with("robot.refused", robot.load(LOAD))
    assert told in error.detail


@pytest.mark.parametrize(("conduct", "told"), [("illegal", "exception 02"), ("failing", "exception 04")])
async def test_a_write_that_the_robot_refuses_is_a_refusal_and_is_not_repeated(
    robot: ModbusRobot, peer: RobotPeer, conduct: Conduct, told: str
) -> None:
    await robot.connect()
    peer.write_conduct.append(conduct)
    error = await refused_with("robot.refused", robot.load(LOAD))
    assert told in error.detail
    assert not order_writes(peer)


@pytest.mark.parametrize("conduct", ["begun", "lost", "failed"])
async def test_an_order_that_was_taken_although_the_answer_is_an_exception_is_followed_to_its_end(
    robot: ModbusRobot, peer: RobotPeer, conduct: Conduct
) -> None:
    await robot.connect()
    peer.write_conduct.append(conduct)
    receipt = await robot.unload(UNLOAD)
    assert receipt.confirmed == BIN_PITS
    assert peer.motions == [(2, 3)]
    assert order_writes(peer) == [(2, 3, 6)], "it is not written again"


@pytest.mark.parametrize("conduct", ["busy", "no path", "no target"])
async def test_an_order_that_was_not_taken_yet_is_written_again_with_the_same_number(
    robot: ModbusRobot, peer: RobotPeer, conduct: Conduct
) -> None:
    robot._settings = robot._settings.model_copy(update={"acknowledge_timeout_s": 20.0, "motion_timeout_s": 20.0})
    await robot.connect()
    peer.write_conduct.extend([conduct] * 3)
    receipt = await robot.unload(UNLOAD)
    assert receipt.confirmed == BIN_PITS
    assert order_writes(peer) == [(2, 3, 6)]
    assert peer.wire.connections == 1, "an answer is an answer: the connection stays"


async def test_a_robot_that_stays_busy_has_not_taken_the_order_and_the_detail_says_why(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    robot._settings = robot._settings.model_copy(update={"acknowledge_timeout_s": 0.6})
    await robot.connect()
    peer.write_conduct.extend(["busy"] * 1000)
    error = await refused_with("robot.no_acknowledge", robot.load(LOAD))
    assert "exception 06, device busy" in error.detail
    assert len(peer.write_conduct) > 700, "it is asked again at the pace of the looks"
    peer.write_conduct.clear()


async def test_a_robot_that_takes_no_heartbeat_while_it_is_busy_is_not_lost(peer: RobotPeer) -> None:
    async with served_robot(peer, rhythm(heartbeat_s=0.0)) as (robot, _server):
        await robot.connect()
        peer.write_conduct.extend(["busy", "no target", "busy", "begun"])
        for _ in range(4):
            assert (await robot.status()).in_safe_zone
        assert not peer.write_conduct


async def test_a_robot_that_has_exactly_the_registers_of_the_map_is_read_all_the_same(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    peer.absent = {*range(6, 10), *range(15, 20), *range(24, 200)}
    await robot.connect()
    assert (await robot.unload(UNLOAD)).confirmed == BIN_PITS
    asked = [(address, count) for _, address, count in peer.reads if address >= 10]
    assert set(asked) == {(20, 4), (10, 5)}, "nothing between them is asked for"
    assert asked.index((20, 4)) < asked.index((10, 5)), "what tells of the end before the state that it ends in"


async def test_a_part_that_left_the_gripper_on_the_way_is_lost(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.unload(UNLOAD))
    while not peer.motions:
        await robot.status()
    peer.input[13] = 1
    await robot.status()
    peer.input[13] = 0
    peer.finish(FAILED)
    await refused_with("robot.part_lost", motion)


async def test_a_fault_keeps_an_order_back(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.input[14] = 12
    await robot.connect()
    error = await refused_with("robot.fault", robot.load(LOAD))
    assert "fault 12" in error.detail
    assert not order_writes(peer)


async def test_home_goes_out_with_a_fault_and_clears_it(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.input[14] = 12
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.home(Order("robot", 7, "home")))
    while not peer.motions:
        await robot.status()
    peer.input[14] = 0
    peer.finish(DONE)
    await motion


@pytest.mark.parametrize(("fault", "result"), [(13, None), (12, DONE), (12, FAILED)])
async def test_home_fails_with_another_fault_or_one_that_stays(
    robot: ModbusRobot, peer: RobotPeer, fault: int, result: int | None
) -> None:
    peer.input[14] = 12
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.home(Order("robot", 7, "home")))
    while not peer.motions:
        await robot.status()
    peer.input[14] = fault
    if result is not None:
        peer.finish(result)
    error = await refused_with("robot.fault", motion)
    assert f"fault {fault}" in error.detail


async def test_a_poller_that_dies_is_told_to_whoever_waits(robot: ModbusRobot, monkeypatch: pytest.MonkeyPatch) -> None:
    await robot.connect()

    async def broken(_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("drivers.modbus.status.StatusReading.read", broken)
    with pytest.raises(BugError, match="poller of the robot ended"):
        await robot.status()
    with pytest.raises(BugError):
        await robot.load(LOAD)


async def test_a_device_that_nobody_waits_for_is_looked_at_at_leisure_and_at_once_when_somebody_does(
    peer: RobotPeer, server: TcpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    enough, pause = asyncio.Event(), Poller[Snapshot]._pause

    async def noted(poller: Poller[Snapshot], longest_s: float) -> None:
        pauses.append(round(longest_s, 3))
        if len(pauses) >= 8:  # the first ones are those of connecting
            enough.set()
        await pause(poller, longest_s)

    monkeypatch.setattr(Poller, "_pause", noted)
    settings = RobotSettings(link=tcp(server.port))
    robot = PolledDevice(settings, load_map("robot", INSPECTED), ROBOT, Rhythm.of(settings), SystemClock())
    await robot.connect()
    await enough.wait()
    assert pauses[-4:] in ([0.005, 0.02] * 2, [0.02, 0.005] * 2)
    await robot.next_poll()
    pauses.clear()
    for _ in range(5):
        await robot.next_poll()
    assert set(pauses) == {0.005}
    await robot.close()
    assert peer.writes  # the heartbeat goes on


@pytest.mark.parametrize(("poll_s", "leisure_s"), [(0.02, 0.08), (0.1, 0.15), (0.25, 0.0), (1.0, 0.0)])
def test_looks_at_leisure_come_no_later_than_the_heartbeat_is_due(poll_s: float, leisure_s: float) -> None:
    link = TcpLink(kind="tcp", port=1, poll_s=poll_s)
    assert Rhythm.of(RobotSettings(link=link)).pace == Pace(poll_s, pytest.approx(leisure_s))


async def test_a_fault_ends_an_order_at_once(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.load(LOAD))
    while not peer.motions:
        await robot.status()
    peer.input[14] = 13
    await refused_with("robot.fault", motion)


async def test_a_cancelled_order_leaves_the_driver_usable(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.load(LOAD))
    while not peer.motions:
        await robot.status()
    motion.cancel()
    with pytest.raises(asyncio.CancelledError):
        await motion
    assert (await robot.status()).last_order == 5


async def test_a_verb_that_is_not_the_methods_own_is_refused(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    with pytest.raises(BugError):
        await robot.home(LOAD)
    assert not peer.motions
