"""The jig driver, over a serial line and over TCP, against a peer written word by word."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.jig import ModbusJig
from station.core.errors import BugError, JigError
from station.core.part import Order
from station.core.settings import JigSettings, RtuLink, TcpLink
from tests.housings import modbus_jig
from tests.stopwatch import stopwatch
from tests.wire.device_peers import (
    ACKNOWLEDGE_S,
    DONE,
    DONE_S,
    FAILED,
    REQUEST_S,
    JigPeer,
    RobotPeer,
    order_writes,
    refused_with,
    served_robot,
    tcp,
)
from tests.wire.modbus_peer import Conduct, RtuPeer, TcpPeer

SPIN = Order("jig", 8, "spin", 600)
STOP = Order("jig", 9, "stop")
PATIENT_S = 20.0


@pytest.fixture
async def jig_peer() -> JigPeer:
    return JigPeer()


@pytest.fixture(params=["rtu", "tcp"])
async def jig(request: pytest.FixtureRequest, jig_peer: JigPeer) -> AsyncIterator[ModbusJig]:
    link: TcpLink | RtuLink
    if request.param == "rtu":
        serial = RtuPeer(jig_peer)
        link = RtuLink(
            kind="rtu", device=serial.device, parity="N", request_timeout_s=REQUEST_S, reconnect_s=0.1, poll_s=0.005
        )
    else:
        server = TcpPeer(jig_peer)
        await server.start()
        link = tcp(server.port)
    jig = modbus_jig(
        JigSettings(
            link=link, max_speed_rpm=300, acknowledge_timeout_s=ACKNOWLEDGE_S, speed_timeout_s=DONE_S,
            stop_timeout_s=DONE_S,
        )
    )  # fmt: skip
    yield jig
    await jig.close()
    if request.param == "rtu":
        serial.stop()
    else:
        await server.stop()


async def test_the_jigs_words_have_their_meaning(jig: ModbusJig, jig_peer: JigPeer) -> None:
    jig_peer.input[11:17] = [0, 1, 1, 5, 3395, 65535]
    jig_peer.input[20] = 9
    await jig.connect()
    status = await jig.status()
    assert (status.standstill, status.at_speed, status.part_seated, status.drive_fault) == (False, True, True, 5)
    assert (status.speed_rpm, status.index_pulses, status.last_order) == (339.5, 65535, 9)


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


async def test_spin_and_stop_carry_the_speed_in_tenths(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    await jig.spin(SPIN)
    await jig.stop(STOP)
    assert order_writes(jig_peer) == [(1, 600, 8), (2, 0, 9)]


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


@pytest.mark.parametrize(("order", "code"), [(SPIN, "jig.not_at_speed"), (STOP, "jig.not_stopped")])
async def test_a_jig_that_does_not_get_there_has_its_own_fault(
    jig: ModbusJig, jig_peer: JigPeer, order: Order, code: str
) -> None:
    jig_peer.obeys = False
    jig._settings = jig._settings.model_copy(update={"speed_timeout_s": 0.6, "stop_timeout_s": 0.6})
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


@pytest.mark.parametrize("conducts", [["busy"] * 3, ["no target"] * 3, ["lost"], ["begun"], ["failed"]])
async def test_a_stop_gets_through_a_jig_that_is_busy_and_a_gateway_that_gives_up(
    jig: ModbusJig, jig_peer: JigPeer, conducts: list[Conduct]
) -> None:
    jig._settings = jig._settings.model_copy(update={"acknowledge_timeout_s": PATIENT_S, "stop_timeout_s": PATIENT_S})
    await jig.connect()
    await jig.spin(SPIN)
    await jig.status()
    jig_peer.write_conduct.extend(conducts)
    await jig.stop(STOP)
    assert jig_peer.orders == [(1, 600), (2, 0)]
    assert jig_peer.input[11] == 1


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
    with stopwatch() as watch:
        await refused_with("jig.unreachable", jig.status())
    assert watch.s < 2
    jig_peer.silent = False
    with stopwatch() as watch:
        while True:
            try:
                await jig.status()
                break
            except JigError:
                pass
    assert watch.s < 5


async def test_one_lost_answer_is_nobodys_fault(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    jig_peer.conduct.append("ignore")
    assert (await jig.status()).standstill
    assert (await jig.status()).standstill


async def test_a_silent_jig_does_not_delay_the_robot(jig: ModbusJig, jig_peer: JigPeer) -> None:
    async with served_robot(RobotPeer()) as (robot, _):
        await jig.connect()
        await robot.connect()
        jig_peer.silent = True
        stopping = asyncio.ensure_future(jig.stop(STOP))
        await robot.load(Order("robot", 5, "load"))
        assert not stopping.done()
        with pytest.raises(JigError):
            await stopping


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


async def test_a_verb_that_is_not_the_methods_own_is_refused(jig: ModbusJig, jig_peer: JigPeer) -> None:
    await jig.connect()
    with pytest.raises(BugError):
        await jig.stop(SPIN)
    assert not jig_peer.orders
