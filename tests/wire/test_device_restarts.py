"""A robot or jig whose program begins anew, or is changed, while its server stays up. Register words are typed in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
import structlog

from drivers.jig import ModbusJig
from drivers.modbus.device import PolledDevice
from drivers.modbus.family import ROBOT
from drivers.modbus.register_map import load_map
from drivers.robot import ModbusRobot
from station.core.clock import SystemClock
from station.core.errors import StationError
from station.core.part import Order
from station.core.settings import JigSettings, RobotSettings
from tests.housings import INSPECTED, modbus_jig
from tests.wire.device_peers import (
    ACKNOWLEDGE_S,
    DONE,
    DONE_S,
    JigPeer,
    RobotPeer,
    order_writes,
    refused_with,
    rhythm,
    served_robot,
    tcp,
)
from tests.wire.modbus_peer import Peer, TcpPeer

BIN_PITS = 3
LOAD = Order("robot", 5, "load")
UNLOAD = Order("robot", 6, "unload", BIN_PITS)
SPIN = Order("jig", 8, "spin", 600)
STOP = Order("jig", 9, "stop")
NO_ORDER = (0, 0, 0)


OFTEN = rhythm(identity_s=0.0)
"""The constants are looked at whenever nobody waits."""


@pytest.fixture
async def peer() -> RobotPeer:
    return RobotPeer()


@pytest.fixture
async def robot(peer: RobotPeer) -> AsyncIterator[ModbusRobot]:
    async with served_robot(peer, OFTEN) as (robot, _server):
        yield robot


@pytest.fixture
async def jig_peer() -> JigPeer:
    return JigPeer()


@pytest.fixture
async def jig(jig_peer: JigPeer) -> AsyncIterator[ModbusJig]:
    server = TcpPeer(jig_peer)
    await server.start()
    limits = JigSettings(
        link=tcp(server.port), max_speed_rpm=300, acknowledge_timeout_s=ACKNOWLEDGE_S, speed_timeout_s=DONE_S,
        stop_timeout_s=DONE_S,
    )  # fmt: skip
    jig = modbus_jig(limits, OFTEN)
    yield jig
    await jig.close()
    await server.stop()


async def when(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def all_constants_looked_at(peer: Peer) -> None:
    """Return when nobody has waited for so long that every constant was looked at; half of them are at a time."""
    before = len(peer.reads)
    await when(lambda: sum(address < 10 for _function, address, _count in peer.reads[before:]) >= 3)


def begins_anew(peer: Peer) -> None:
    """The program begins: it knows no order."""
    peer.input[20:24] = [0] * 4


# ---------------------------------------------------------------------- no order stands


async def test_an_order_does_not_stand_in_the_robots_registers_when_it_is_over(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    await robot.unload(UNLOAD)
    await robot.status()
    assert peer.holding[0:3] == [0, 0, 0]
    assert order_writes(peer) == [(2, 3, 6)]
    begins_anew(peer)
    assert (await robot.status()).last_order == 0
    assert peer.motions == [(2, 3)]


async def test_nothing_is_written_where_no_order_was_given(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    await robot.unload(UNLOAD)
    await robot.status()
    writes = [words for address, words in peer.writes if address == 0]
    for _ in range(5):
        await robot.status()
    await robot.unload(UNLOAD)  # it was taken before: how it ended is asked for
    await robot.status()
    assert [words for address, words in peer.writes if address == 0] == writes == [(2, 3, 6), NO_ORDER]


async def test_the_next_order_is_not_cleared_by_the_one_before(robot: ModbusRobot, peer: RobotPeer) -> None:
    await robot.connect()
    for number in range(5, 25):
        await robot.unload(Order("robot", number, "unload", BIN_PITS))
    await robot.status()
    written = [words for address, words in peer.writes if address == 0]
    assert [words for words in written if words != NO_ORDER] == [(2, 3, number) for number in range(5, 25)]
    assert all(NO_ORDER in pair for pair in pairwise(written))


async def test_an_order_that_was_not_taken_in_time_can_not_be_taken_later(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.takes = False
    robot._settings = robot._settings.model_copy(update={"acknowledge_timeout_s": 0.6})
    await robot.connect()
    await refused_with("robot.no_acknowledge", robot.load(LOAD))
    await robot.status()
    assert peer.holding[0:3] == [0, 0, 0]


async def test_an_order_that_broke_off_is_cleared_when_the_robot_is_back(peer: RobotPeer) -> None:
    peer.ends_with = None
    async with served_robot(peer, OFTEN) as (robot, server):
        robot._settings = robot._settings.model_copy(update={"motion_timeout_s": 0.9})
        await robot.connect()
        motion = asyncio.ensure_future(robot.load(LOAD))
        await when(lambda: peer.motions)
        await server.stop()
        await refused_with("robot.unreachable", motion)
        assert peer.holding[0:3] == [1, 0, 5]
        await server.start()
        await when(lambda: peer.holding[0:3] == [0, 0, 0])


async def test_a_robot_that_does_not_let_its_registers_be_cleared_is_told_once_and_asked_at_the_heartbeats_pace(
    peer: RobotPeer,
) -> None:
    async with served_robot(peer, rhythm(heartbeat_s=60.0)) as (robot, _server):
        await robot.connect()
        with structlog.testing.capture_logs() as log:
            await robot.load(LOAD)
            peer.write_conduct.append("illegal")
            for _ in range(5):
                await robot.status()
        assert [entry["event"] for entry in log] == ["order_not_withdrawn"]
        assert peer.holding[0:3] == [1, 0, 5]
        assert (await robot.unload(UNLOAD)).confirmed == BIN_PITS
        await robot.status()
        assert peer.holding[0:3] == [0, 0, 0]


async def test_a_robot_that_is_busy_has_its_order_cleared_later(peer: RobotPeer) -> None:
    async with served_robot(peer, rhythm(heartbeat_s=0.01)) as (robot, _server):
        await robot.connect()
        await robot.load(LOAD)
        peer.write_conduct.extend(["busy"] * 3)
        await when(lambda: peer.holding[0:3] == [0, 0, 0])


async def test_a_heartbeat_that_only_toggles_does_not_have_the_constants_read_at_every_look(peer: RobotPeer) -> None:
    async with served_robot(peer, rhythm(stale_after_s=60.0, identity_s=60.0)) as (robot, _server):
        await robot.connect()
        await robot.load(LOAD)
        peer.beats = None
        before = len(peer.reads)
        for number in range(20):
            peer.input[10] = number % 2
            await robot.status()
    assert sum(address < 10 for _function, address, _count in peer.reads[before:]) <= 1


async def test_a_jigs_order_does_not_stand_while_it_turns(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    await jig.spin(SPIN)
    await jig.status()
    assert jig_peer.holding[0:3] == [0, 0, 0]
    assert (await jig.status()).at_speed


# ---------------------------------------------------------------------- an order that is forgotten


async def test_a_robot_that_begins_anew_in_mid_motion_ends_the_order_at_once(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.unload(UNLOAD))
    await when(lambda: peer.motions)
    await robot.status()
    begins_anew(peer)
    error = await refused_with("robot.not_done", motion)
    assert "begun anew" in error.detail
    await robot.status()
    assert peer.motions == [(2, 3)], "it is not given again"
    assert peer.holding[0:3] == [0, 0, 0]


async def test_a_lost_order_is_not_written_again_to_a_robot_that_began_anew_meanwhile(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    await robot.load(LOAD)
    peer.ends_with = None
    await robot.status()

    def take_and_begin_anew(address: int, words: tuple[int, ...]) -> None:
        peer.take(address, words)
        if address == 0 and words != NO_ORDER:
            begins_anew(peer)

    peer.on_write = take_and_begin_anew
    peer.write_conduct.append("swallow")
    await refused_with("robot.not_done", robot.unload(UNLOAD))
    assert order_writes(peer) == [(1, 0, 5), (2, 3, 6)]


async def test_a_robot_that_was_just_switched_on_takes_its_first_order(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.input[20:24] = [0, 0, 0, 0]
    await robot.connect()
    peer.write_conduct.append("ignore")
    assert (await robot.unload(UNLOAD)).confirmed == BIN_PITS


async def test_a_jig_that_begins_anew_in_its_run_up_ends_the_spin(jig: ModbusJig, jig_peer: JigPeer) -> None:
    jig_peer.obeys = False
    await jig.connect()
    spinning = asyncio.ensure_future(jig.spin(SPIN))
    await when(lambda: jig_peer.orders)
    await jig.status()
    begins_anew(jig_peer)
    await refused_with("jig.not_at_speed", spinning)
    assert jig_peer.orders == [(1, 600)]


async def test_a_stop_that_the_jig_has_forgotten_is_given_again(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    await jig.spin(SPIN)
    jig_peer.obeys = False
    stopping = asyncio.ensure_future(jig.stop(STOP))
    await when(lambda: len(jig_peer.orders) == 2)
    await jig.status()
    jig_peer.obeys = True
    begins_anew(jig_peer)
    await stopping
    assert jig_peer.orders == [(1, 600), (2, 0), (2, 0)]
    assert jig_peer.input[21:23] == [9, DONE]


async def test_a_stop_that_is_lost_and_forgotten_is_given_until_it_is_taken(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    await jig.spin(SPIN)
    await jig.status()
    begins_anew(jig_peer)
    jig_peer.write_conduct.extend(["ignore", "ignore"])
    await jig.stop(STOP)
    assert jig_peer.input[21:23] == [9, DONE]


# ---------------------------------------------------------------------- registers at 0, another program


async def test_a_robot_whose_program_has_not_begun_is_no_status_and_no_wrong_map(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    await robot.load(LOAD)
    kept = list(peer.input[0:24])
    peer.beats = None
    peer.input[0:24] = [0] * 24
    error = await refused_with("robot.unreachable", robot.status())
    assert "program has not begun" in error.detail
    peer.input[0:24] = [*kept[:20], 0, 0, 0, 0]
    peer.beats = 10
    await when_well(robot)
    assert (await robot.status()).last_order == 0


async def when_well(robot: ModbusRobot) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await robot.status()
            except StationError:
                continue
            return


async def test_a_jig_whose_program_has_not_begun_is_no_wrong_map_either(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.beats = None
    jig_peer.input[0:24] = [0] * 24
    error = await refused_with("jig.unreachable", jig.status())
    assert "program has not begun" in error.detail


@pytest.mark.parametrize(("place", "word"), [(0, 2), (1, 0x5AA5), (2, 0x2000), (5, 0x1234)])
async def test_a_map_that_changes_while_nobody_waits_is_noticed_and_said_until_it_is_right_again(
    robot: ModbusRobot, peer: RobotPeer, place: int, word: int
) -> None:
    await robot.connect()
    right = peer.input[place]
    peer.input[place] = word
    await all_constants_looked_at(peer)
    for _ in range(3):
        await refused_with("robot.wrong_map", robot.status())
    peer.input[place] = right
    await when_well(robot)


@pytest.mark.parametrize(("place", "word"), [(0, 2), (3, 1)])
async def test_another_jig_program_is_noticed_as_well(jig: ModbusJig, jig_peer: JigPeer, place: int, word: int) -> None:
    await jig.connect()
    jig_peer.input[place] = word
    await all_constants_looked_at(jig_peer)
    await refused_with("jig.wrong_map", jig.status())


async def test_a_drive_that_is_set_otherwise_while_connected_is_noticed(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.input[17] = 0
    await refused_with("jig.wrong_map", jig.status())


async def test_another_map_after_a_lost_connection_is_told_as_such_and_not_as_silence(peer: RobotPeer) -> None:
    async with served_robot(peer, OFTEN) as (robot, server):
        await robot.connect()
        await server.stop()
        await refused_with("robot.unreachable", robot.status())
        peer.input[0] = 2
        await server.start()
        async with asyncio.timeout(20):
            while True:
                try:
                    await robot.status()
                except StationError as error:
                    if error.code == "robot.wrong_map":
                        break
        for _ in range(5):
            await refused_with("robot.wrong_map", robot.status())


async def test_the_constants_are_not_read_while_somebody_waits_for_the_status(peer: RobotPeer) -> None:
    server = TcpPeer(peer)
    await server.start()
    settings = RobotSettings(link=tcp(server.port))
    robot = PolledDevice(settings, load_map("robot", INSPECTED), ROBOT, OFTEN, SystemClock())
    await robot.connect()
    await robot.next_poll()
    before = len(peer.reads)
    for _ in range(20):
        await robot.next_poll()
    assert {count for _function, _address, count in peer.reads[before:]} == {14}
    await robot.close()
    await server.stop()
