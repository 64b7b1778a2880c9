"""Robot and jig drivers against a peer written word by word: how orders are given, taken, lost, refused, finished."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from drivers.jig import ModbusJig
from drivers.robot import ModbusRobot
from station.core.errors import BugError, JigError, RobotError, StationError
from station.core.part import Order
from station.core.settings import JigSettings, RobotSettings, RtuLink, TcpLink
from tests.wire.modbus_peer import Conduct, Peer, RtuPeer, TcpPeer

MAP_WORDS = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
DONE, REFUSED, FAILED = 1, 2, 3
BIN_PITS = 3
LOAD = Order("robot", 5, "load")
UNLOAD = Order("robot", 6, "unload", BIN_PITS)
SPIN = Order("jig", 8, "spin", 600)
STOP = Order("jig", 9, "stop")


class RobotPeer(Peer):
    """A robot that takes every new number at once, and finishes it at once when told so."""

    def __init__(self, ends_with: int | None = DONE) -> None:
        super().__init__(on_write=self.take)
        self.input[0:6] = MAP_WORDS
        self.input[12] = 1  # in the safe zone
        self.motions: list[tuple[int, int]] = []
        self.takes = True
        self.ends_with = ends_with

    def take(self, address: int, words: tuple[int, ...]) -> None:
        if address != 0 or not self.takes:
            return
        verb, place, number = words
        if number in (0, self.input[20]):
            return
        self.motions.append((verb, place))
        self.input[20] = number
        if self.ends_with is not None:
            self.finish(self.ends_with, place)

    def finish(self, result: int, place: int = 0) -> None:
        self.input[21:24] = [self.input[20], result, place]


class JigPeer(Peer):
    """A jig that takes every new number, and reaches what was ordered at once when told so."""

    def __init__(self, *, obeys: bool = True) -> None:
        super().__init__(on_write=self.take)
        self.input[0:6] = MAP_WORDS
        self.input[11] = 1  # standstill
        self.input[17:19] = [1, 1000]  # stops when its master is silent for 1 s
        self.orders: list[tuple[int, int]] = []
        self.obeys = obeys

    def take(self, address: int, words: tuple[int, ...]) -> None:
        if address != 0 or words[2] in (0, self.input[20]):
            return
        self.orders.append(words[:2])
        self.input[20] = words[2]
        if self.obeys:
            self.reach(turning=words[0] == 1)

    def reach(self, *, turning: bool) -> None:
        self.input[11:13] = [int(not turning), int(turning)]
        self.input[15] = self.orders[-1][1]
        self.input[21:23] = [self.input[20], DONE]


@pytest.fixture(autouse=True)
async def _nothing_is_left_running() -> AsyncIterator[None]:
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def peer() -> RobotPeer:
    return RobotPeer()


@pytest.fixture
async def server(peer: RobotPeer) -> AsyncIterator[TcpPeer]:
    server = TcpPeer(peer)
    await server.start()
    yield server
    await server.stop()


def tcp(port: int) -> TcpLink:
    return TcpLink(kind="tcp", port=port, request_timeout_s=0.1, reconnect_s=0.1, poll_s=0.005)


@pytest.fixture
async def robot(server: TcpPeer) -> AsyncIterator[ModbusRobot]:
    robot = ModbusRobot(RobotSettings(link=tcp(server.port), acknowledge_timeout_s=0.6, motion_timeout_s=0.9))
    yield robot
    await robot.close()


@pytest.fixture
async def jig_peer() -> JigPeer:
    return JigPeer()


@pytest.fixture(params=["rtu", "tcp"])
async def jig(request: pytest.FixtureRequest, jig_peer: JigPeer) -> AsyncIterator[ModbusJig]:
    link: TcpLink | RtuLink
    if request.param == "rtu":
        serial = RtuPeer(jig_peer)
        link = RtuLink(
            kind="rtu", device=serial.device, parity="N", request_timeout_s=0.1, reconnect_s=0.1, poll_s=0.005
        )
    else:
        server = TcpPeer(jig_peer)
        await server.start()
        link = tcp(server.port)
    jig = ModbusJig(
        JigSettings(link=link, max_speed_rpm=300, acknowledge_timeout_s=0.4, speed_timeout_s=0.6, stop_timeout_s=0.6)
    )
    yield jig
    await jig.close()
    if request.param == "rtu":
        serial.stop()
    else:
        await server.stop()


def order_writes(peer: Peer) -> list[tuple[int, ...]]:
    return [words for address, words in peer.writes if address == 0]


async def refused_with(code: str, call: object) -> StationError:
    with pytest.raises(StationError) as caught:
        await call  # type: ignore[misc]
    assert caught.value.code == code, str(caught.value)
    return caught.value


# ---------------------------------------------------------------------- status


async def test_the_robots_words_have_their_meaning(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.input[11:15] = [1, 0, 1, 77]
    peer.input[20:22] = [0x1234, 0x1233]
    await robot.connect()
    status = await robot.status()
    assert (status.busy, status.in_safe_zone, status.holding, status.fault) == (True, False, True, 77)
    assert (status.last_order, status.last_done) == (0x1234, 0x1233)


async def test_the_jigs_words_have_their_meaning(jig: ModbusJig, jig_peer: JigPeer) -> None:
    jig_peer.input[11:17] = [0, 1, 1, 5, 3395, 65535]
    jig_peer.input[20] = 9
    await jig.connect()
    status = await jig.status()
    assert (status.standstill, status.at_speed, status.part_seated, status.drive_fault) == (False, True, True, 5)
    assert (status.speed_rpm, status.index_pulses, status.last_order) == (339.5, 65535, 9)


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


@pytest.mark.parametrize(("place", "words"), [(17, [0]), (18, [0]), (17, [7])])
async def test_a_drive_that_does_not_stop_without_its_master_is_refused(
    jig: ModbusJig, jig_peer: JigPeer, place: int, words: list[int]
) -> None:
    jig_peer.input[place : place + 1] = words
    error = await refused_with("jig.wrong_map", jig.connect())
    assert "loss_action" in error.detail


@pytest.mark.parametrize("word", [0, 0xFFFF])
async def test_a_frame_of_zeros_or_ones_is_no_status(jig: ModbusJig, jig_peer: JigPeer, word: int) -> None:
    await jig.connect()
    jig_peer.input[10:30] = [word] * 20
    await refused_with("jig.wrong_map", jig.status())


async def test_a_device_whose_heartbeat_stands_still_is_not_believed(
    robot: ModbusRobot, peer: RobotPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.poller.STALE_AFTER_S", 0.1)
    await robot.connect()
    peer.beats = None

    async def watch() -> None:
        while await robot.status():
            pass

    with pytest.raises(RobotError, match="heartbeat has stood"):
        await asyncio.wait_for(watch(), 2)
    peer.beats = 10
    assert (await robot.status()).in_safe_zone


async def test_the_station_shows_the_robot_its_heartbeat(
    robot: ModbusRobot, peer: RobotPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.poller.HEARTBEAT_S", 0.0)
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


async def test_spin_and_stop_carry_the_speed_in_tenths(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    await jig.spin(SPIN)
    await jig.stop(STOP)
    assert order_writes(jig_peer) == [(1, 600, 8), (2, 0, 9)]


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


async def test_the_jig_is_at_speed_only_when_it_says_so_itself(jig: ModbusJig, jig_peer: JigPeer) -> None:
    jig_peer.obeys = False
    await jig.connect()
    spinning = asyncio.ensure_future(jig.spin(SPIN))
    while not jig_peer.orders:
        await jig.status()
    jig_peer.input[21:23] = [8, DONE]  # done, and still standing
    await jig.status()
    assert not spinning.done()
    jig_peer.reach(turning=True)
    await spinning


# ---------------------------------------------------------------------- orders that go wrong


async def test_an_order_that_is_not_taken_in_time_is_no_acknowledge(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.takes = False
    await robot.connect()
    began = time.monotonic()
    await refused_with("robot.no_acknowledge", robot.load(LOAD))
    assert 0.5 < time.monotonic() - began < 0.8
    assert len(order_writes(peer)) == 1


async def test_an_order_that_does_not_end_in_time_is_not_done(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    began = time.monotonic()
    await refused_with("robot.not_done", robot.load(LOAD))
    assert 0.8 < time.monotonic() - began < 1.1


async def test_a_robot_that_cannot_be_asked_any_more_is_unreachable_at_the_deadline(
    robot: ModbusRobot, peer: RobotPeer, server: TcpPeer
) -> None:
    peer.ends_with = None
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


async def test_a_write_that_the_robot_refuses_is_a_refusal_and_is_not_repeated(
    robot: ModbusRobot, peer: RobotPeer
) -> None:
    await robot.connect()
    peer.write_conduct.append("busy")
    error = await refused_with("robot.refused", robot.load(LOAD))
    assert "exception 06" in error.detail
    assert not order_writes(peer)


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


async def test_a_fault_ends_an_order_at_once(robot: ModbusRobot, peer: RobotPeer) -> None:
    peer.ends_with = None
    await robot.connect()
    motion = asyncio.ensure_future(robot.load(LOAD))
    while not peer.motions:
        await robot.status()
    peer.input[14] = 13
    await refused_with("robot.fault", motion)


@pytest.mark.parametrize(("order", "code"), [(SPIN, "jig.not_at_speed"), (STOP, "jig.not_stopped")])
async def test_a_jig_that_does_not_get_there_has_its_own_fault(
    jig: ModbusJig, jig_peer: JigPeer, order: Order, code: str
) -> None:
    jig_peer.obeys = False
    await jig.connect()
    await refused_with(code, jig.spin(order) if order is SPIN else jig.stop(order))


async def test_a_drive_fault_ends_a_spin_and_does_not_keep_a_stop_back(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.input[14] = 4
    error = await refused_with("jig.fault", jig.spin(SPIN))
    assert "drive fault 4" in error.detail
    assert not jig_peer.orders
    await jig.stop(STOP)
    assert jig_peer.orders == [(2, 0)]


@pytest.mark.parametrize(("fault", "code"), [(0, "jig.refused"), (4, "jig.fault")])
async def test_a_jig_that_fails_a_stop_says_why(jig: ModbusJig, jig_peer: JigPeer, fault: int, code: str) -> None:
    jig_peer.obeys = False
    await jig.connect()
    stopping = asyncio.ensure_future(jig.stop(STOP))
    while not jig_peer.orders:
        await jig.status()
    jig_peer.input[14] = fault
    jig_peer.input[21:23] = [9, FAILED]
    await refused_with(code, stopping)


async def test_a_silent_device_is_known_after_two_requests_and_found_again(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.silent = True
    began = time.monotonic()
    await refused_with("jig.unreachable", jig.status())
    assert time.monotonic() - began < 0.5
    jig_peer.silent = False
    back = time.monotonic()
    while True:
        try:
            await jig.status()
            break
        except JigError:
            pass
    assert time.monotonic() - back < 2


async def test_one_lost_answer_is_nobodys_fault(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.conduct.append("ignore")
    assert (await jig.status()).standstill
    assert (await jig.status()).standstill


async def test_a_silent_jig_does_not_delay_the_robot(jig: ModbusJig, jig_peer: JigPeer, robot: ModbusRobot) -> None:
    await jig.connect()
    await robot.connect()
    jig_peer.silent = True
    stopping = asyncio.ensure_future(jig.stop(STOP))
    began = time.monotonic()
    await robot.load(LOAD)
    assert time.monotonic() - began < 0.15
    assert not stopping.done()
    with pytest.raises(JigError):
        await stopping


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


@pytest.mark.parametrize(
    "order",
    [Order("jig", 1, "stop"), Order("jig", 1, "spin", 0), Order("jig", 1, "spin", 3001), Order("jig", 0, "spin", 600)],
)
async def test_an_order_that_makes_no_sense_is_the_stations_own_fault(
    jig: ModbusJig, jig_peer: JigPeer, order: Order
) -> None:
    await jig.connect()
    with pytest.raises(BugError):
        await jig.spin(order)
    assert not jig_peer.orders


async def test_a_verb_that_is_not_the_methods_own_is_refused(
    jig: ModbusJig, robot: ModbusRobot, peer: RobotPeer
) -> None:
    await jig.connect()
    await robot.connect()
    with pytest.raises(BugError):
        await jig.stop(SPIN)
    with pytest.raises(BugError):
        await robot.home(LOAD)
    assert not peer.motions
