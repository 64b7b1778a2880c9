"""The link against a peer that delays, forgets, repeats, garbles, hangs up: over TCP and over a serial line."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.modbus.family import JIG, PLC
from drivers.modbus.link import Exchange, ModbusLink
from drivers.modbus.register_map import Run
from station.core.errors import JigError, PlcError
from station.core.settings import RtuLink, TcpLink
from tests.stopwatch import stopwatch
from tests.wire.modbus_peer import Conduct, Peer, RtuPeer, TcpPeer

TIMEOUT_S = 0.15
PATIENT_S = 30.0
AT_ONCE_S = 2.0
"""At once, on a computer that is busy with other things."""


async def greet(exchange: Exchange) -> None:
    """Another shape than every request of these tests."""
    await exchange.read("input", 0, 7)


@dataclass
class Line:
    peer: Peer
    link: ModbusLink
    settings: TcpLink | RtuLink


@pytest.fixture(params=["tcp", "rtu"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    peer = Peer()
    peer.input[20:23] = [11, 22, 33]
    settings: TcpLink | RtuLink
    if request.param == "tcp":
        server = TcpPeer(peer)
        await server.start()
        settings = TcpLink(kind="tcp", port=server.port, request_timeout_s=TIMEOUT_S, reconnect_s=0.1)
    else:
        serial = RtuPeer(peer)
        settings = RtuLink(kind="rtu", device=serial.device, parity="N", request_timeout_s=TIMEOUT_S, reconnect_s=0.1)
    link = ModbusLink(settings, JIG, greet)
    yield Line(peer, link, settings)
    await link.close()
    if request.param == "tcp":
        await server.stop()
    else:
        serial.stop()


async def test_words_are_read_and_written_as_they_stand(line: Line) -> None:
    await line.link.connect()
    line.peer.holding[5] = 77
    assert await line.link.read("input", 20, 3) == [11, 22, 33]
    assert await line.link.read("holding", 5, 1) == [77]
    await line.link.write(Run("holding", 3, [1, 600, 65535]))
    assert line.peer.writes == [(3, (1, 600, 65535))]
    assert line.peer.reads == [(4, 0, 7), (4, 20, 3), (3, 5, 1)]
    assert line.link.health.failures == 0


@pytest.mark.parametrize("conduct", ["ignore", "swallow", "garbage", "half", "other", "late"])
async def test_a_request_without_a_good_answer_fails_in_its_time_and_is_not_repeated(
    line: Line, conduct: Conduct
) -> None:
    await line.link.connect()
    line.peer.conduct.append(conduct)
    with stopwatch() as watch, pytest.raises(JigError, match=r"unit 1 function 4, input 20 to 22: ") as caught:
        await line.link.read("input", 20, 3)
    assert caught.value.code == "jig.unreachable"
    assert watch.s < TIMEOUT_S + AT_ONCE_S
    assert line.peer.reads.count((4, 20, 3)) <= 1
    assert line.link.health.failures == 1
    assert "input 20 to 22" in line.link.health.detail


@pytest.mark.parametrize("conduct", ["ignore", "garbage", "half", "other"])
async def test_the_next_request_gets_its_own_answer_at_once(line: Line, conduct: Conduct) -> None:
    await line.link.connect()
    line.peer.conduct.append(conduct)
    with pytest.raises(JigError):
        await line.link.read("input", 20, 3)
    assert await line.link.read("input", 21, 1) == [22]
    assert line.link.health.failures == 0


async def test_a_late_answer_is_never_taken_for_that_of_the_next_request(line: Line) -> None:
    await line.link.connect()
    line.peer.conduct.append("late")
    with pytest.raises(JigError):
        await line.link.read("input", 20, 3)
    line.peer.input[20:23] = [44, 55, 66]
    async with asyncio.timeout(20):
        while True:
            try:
                assert await line.link.read("input", 20, 3) == [44, 55, 66]
                break
            except JigError:
                await asyncio.sleep(0.01)


async def test_a_written_order_whose_answer_was_lost_is_not_written_again(line: Line) -> None:
    await line.link.connect()
    line.peer.write_conduct.append("swallow")
    with pytest.raises(JigError, match="function 16, holding 0 to 2"):
        await line.link.write(Run("holding", 0, [1, 2, 3]))
    assert await line.link.read("holding", 0, 3) == [1, 2, 3]
    assert len(line.peer.writes) == 1


@pytest.mark.parametrize(("conduct", "code"), [("illegal", "jig.wrong_map"), ("busy", "jig.unreachable")])
async def test_a_refused_read_names_the_exception_and_keeps_the_connection(
    line: Line, conduct: Conduct, code: str
) -> None:
    await line.link.connect()
    line.peer.conduct.append(conduct)
    with pytest.raises(JigError, match="exception 0") as caught:
        await line.link.read("input", 20, 3)
    assert caught.value.code == code
    assert line.link.connected
    assert line.peer.reads == [(4, 0, 7)]


@pytest.mark.parametrize(
    ("conduct", "code", "told"),
    [
        ("illegal", "jig.refused", "exception 02, illegal data address"),
        ("failing", "jig.refused", "exception 04, device failure"),
        ("busy", "jig.unreachable", "exception 06, device busy"),
        ("no path", "jig.unreachable", "exception 10, gateway path unavailable"),
        ("no target", "jig.unreachable", "exception 11, gateway target does not respond"),
    ],
)
async def test_a_refused_write_is_told_from_one_of_which_nobody_knows_and_one_for_later(
    line: Line, conduct: Conduct, code: str, told: str
) -> None:
    await line.link.connect()
    line.peer.write_conduct.append(conduct)
    with pytest.raises(JigError, match=told) as caught:
        await line.link.write(Run("holding", 0, [1]))
    assert caught.value.code == code
    assert line.link.connected


async def test_a_write_that_the_device_has_begun_is_taken(line: Line) -> None:
    await line.link.connect()
    line.peer.write_conduct.append("begun")
    await line.link.write(Run("holding", 0, [1]))
    assert line.peer.writes == [(0, (1,))]
    assert line.link.health.failures == 0


async def test_a_cancelled_request_leaves_nothing_behind_and_the_next_gets_its_own_answer(line: Line) -> None:
    await line.link.connect()
    line.peer.conduct.append("late")
    line.peer.asked.clear()
    request = asyncio.ensure_future(line.link.read("input", 20, 3))
    await line.peer.asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    line.peer.wire.owed = b""
    line.peer.input[20:23] = [7, 8, 9]
    assert await line.link.read("input", 20, 3) == [7, 8, 9]


async def test_a_cancellation_that_comes_together_with_the_answer_is_not_swallowed(line: Line) -> None:
    for turns in range(40):
        await line.link.connect()
        line.peer.asked.clear()
        request = asyncio.ensure_future(line.link.read("input", 20, 3))
        await line.peer.asked.wait()
        for _ in range(turns % 8):
            await asyncio.sleep(0)
        if request.cancel():
            with pytest.raises(asyncio.CancelledError):
                await request
    await line.link.connect()
    assert await line.link.read("input", 20, 3) == [11, 22, 33]


async def test_requests_from_many_callers_go_out_one_after_the_other(line: Line) -> None:
    await line.link.connect()
    answers = await asyncio.gather(*(line.link.read("input", 20 + n % 3, 1) for n in range(12)))
    assert answers == [[11 * (1 + n % 3)] for n in range(12)]


async def test_closing_ends_a_waiting_request_at_once_and_refuses_further_ones(line: Line) -> None:
    link = ModbusLink(line.settings.model_copy(update={"request_timeout_s": PATIENT_S}), JIG, greet)
    await link.connect()
    line.peer.asked.clear()
    line.peer.silent = True
    request = asyncio.ensure_future(link.read("input", 20, 3))
    await line.peer.asked.wait()
    with stopwatch() as watch:
        await link.close()
        with pytest.raises(JigError, match="input 20 to 22"):
            await request
    assert watch.s < AT_ONCE_S
    with pytest.raises(JigError, match="closed by the station"):
        await link.read("input", 20, 3)
    line.peer.silent = False
    await link.connect()
    assert await link.read("input", 20, 1) == [11]
    await link.close()


async def test_a_silent_device_is_found_again_by_itself(line: Line) -> None:
    await line.link.connect()
    line.peer.silent = True
    for _ in range(4):
        with pytest.raises(JigError):
            await line.link.read("input", 20, 1)
    line.peer.silent = False
    with stopwatch() as watch:
        while True:
            try:
                assert await line.link.read("input", 20, 1) == [11]
                break
            except JigError:
                await asyncio.sleep(0.005)
    assert watch.s < AT_ONCE_S


async def test_a_wrong_greeting_closes_the_connection(line: Line) -> None:
    async def refuse(_: Exchange) -> None:
        raise JigError("jig.wrong_map", "magic")

    link = ModbusLink(line.settings, JIG, refuse)
    with pytest.raises(JigError, match="magic"):
        await link.connect()
    assert not link.connected
    with pytest.raises(JigError, match="magic"):
        await link.read("input", 20, 1)
    await link.close()


async def test_an_answer_of_another_unit_is_thrown_away_and_told(line: Line) -> None:
    await line.link.connect()
    line.peer.wire.answers_as = 7
    with pytest.raises(JigError, match=r"no answer within 0.15 s, but an answer of unit 7 instead of 1\)$"):
        await line.link.read("input", 20, 3)


async def test_bytes_that_are_no_answer_are_told(line: Line) -> None:
    await line.link.connect()
    line.peer.conduct.append("garbage")
    with pytest.raises(JigError, match=r"but 80 bytes that are no whole answer \(15 93 15 93 15 93 15 93 …\)"):
        await line.link.read("input", 20, 3)


async def test_where_nothing_came_nothing_is_told_of_it(line: Line) -> None:
    await line.link.connect()
    line.peer.conduct.append("ignore")
    with pytest.raises(JigError, match=r"no answer within 0.15 s\)$"):
        await line.link.read("input", 20, 3)


# ---------------------------------------------------------------------- a serial line alone


@pytest.fixture
async def serial() -> AsyncIterator[RtuPeer]:
    peer = RtuPeer(Peer())
    yield peer
    peer.stop()


def jig_link(serial: RtuPeer, *, local_echo: bool, timeout_s: float) -> ModbusLink:
    settings = RtuLink(kind="rtu", device=serial.device, parity="N", request_timeout_s=timeout_s, local_echo=local_echo)
    return ModbusLink(settings, JIG)


@pytest.mark.parametrize(("echoes", "local_echo"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("before", [b"", b"\0", b"\xff\0"])
async def test_an_echo_and_stray_bytes_before_the_address_are_dropped(
    serial: RtuPeer, *, echoes: bool, local_echo: bool, before: bytes
) -> None:
    serial.peer.wire.echoes, serial.peer.wire.before = echoes, before
    serial.peer.input[20:23] = [11, 22, 33]
    link = jig_link(serial, local_echo=local_echo, timeout_s=PATIENT_S)
    await link.connect()
    for _ in range(3):
        assert await link.read("input", 20, 3) == [11, 22, 33]
        await link.write(Run("holding", 0, [1, 600, 7]))
    assert serial.peer.writes == [(0, (1, 600, 7))] * 3
    await link.close()


@pytest.mark.parametrize(
    ("local_echo", "told"), [(False, "an adapter that echoes needs local_echo"), (True, "although that is dropped")]
)
async def test_an_echo_is_no_answer(serial: RtuPeer, *, local_echo: bool, told: str) -> None:
    serial.peer.wire.echoes, serial.peer.silent = True, True
    link = jig_link(serial, local_echo=local_echo, timeout_s=TIMEOUT_S)
    await link.connect()
    for request in (link.read("input", 20, 3), link.write(Run("holding", 0, [1, 600, 7]))):
        with pytest.raises(JigError, match=f"what was sent came back, and nothing else: {told}") as caught:
            await request
        assert caught.value.code == "jig.unreachable"
    await link.close()


# ---------------------------------------------------------------------- TCP alone


@pytest.fixture
async def server() -> AsyncIterator[TcpPeer]:
    peer = TcpPeer(Peer())
    await peer.start()
    yield peer
    await peer.stop()


def plc_link(server: TcpPeer) -> ModbusLink:
    settings = TcpLink(kind="tcp", port=server.port, request_timeout_s=PATIENT_S, reconnect_s=0.2)
    return ModbusLink(settings, PLC)


async def test_a_peer_that_hangs_up_is_noticed_before_the_deadline(server: TcpPeer) -> None:
    link = plc_link(server)
    await link.connect()
    server.peer.conduct.append("cut")
    with stopwatch() as watch, pytest.raises(PlcError, match="the connection broke"):
        await link.read("holding", 0, 1)
    assert watch.s < AT_ONCE_S
    assert await link.read("holding", 0, 1) == [0]
    await link.close()


async def test_an_answer_that_comes_twice_does_not_answer_the_next_request(server: TcpPeer) -> None:
    link = plc_link(server)
    await link.connect()
    server.peer.holding[:2] = [1, 2]
    server.peer.conduct.append("twice")
    assert await link.read("holding", 0, 1) == [1]
    assert await link.read("holding", 1, 1) == [2]
    await link.close()


async def test_while_nobody_listens_requests_fail_without_waiting_and_attempts_are_spaced(server: TcpPeer) -> None:
    link = plc_link(server)
    await link.connect()
    await server.stop()
    with pytest.raises(PlcError):
        await link.read("holding", 0, 1)
    with stopwatch() as watch:
        for _ in range(50):
            with pytest.raises(PlcError, match="cannot be opened"):
                await link.read("holding", 0, 1)
    assert watch.s < AT_ONCE_S
    await server.start()
    with stopwatch() as watch:
        while True:
            try:
                await link.read("holding", 0, 1)
                break
            except PlcError:
                await asyncio.sleep(0.005)
    assert watch.s < AT_ONCE_S
    assert link.health.failures == 0
    await link.close()


async def test_a_refused_write_to_the_plc_is_a_wrong_map(server: TcpPeer) -> None:
    link = plc_link(server)
    await link.connect()
    server.peer.write_conduct.append("illegal")
    with pytest.raises(PlcError, match="exception 02, illegal data address") as caught:
        await link.write(Run("holding", 6, [1]))
    assert caught.value.code == "plc.wrong_map"
    await link.close()


async def test_a_serial_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    device = str(tmp_path / "ttyUSB9")
    link = ModbusLink(RtuLink(kind="rtu", device=device), JIG)
    with pytest.raises(JigError, match=r"ttyUSB9 unit 1 cannot be opened: there is no such device"):
        await link.connect()
    await link.close()
