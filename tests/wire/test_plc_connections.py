"""Who may connect to the station's Modbus server, how many at a time, and how much of the station they get."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from drivers.modbus.callers import plain_address
from drivers.modbus.listener import FILES_KEPT
from drivers.modbus.tally import TOLD_APART, Tally
from drivers.plc.plc import ModbusPlc
from station.core.settings import PlcSettings
from tests.housings import line_plc
from tests.wire.plc_peers import settings
from tests.wire.raw_modbus import READ_MAGIC, RawMaster, connected, frame

PLC, PANEL, OTHER, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.9"
HEARTBEAT = 100


@asynccontextmanager
async def serving(**changes: Any) -> AsyncIterator[ModbusPlc]:
    """The server, with limits of its own."""
    keys = {"readers": [PANEL, OTHER], **changes}
    server = line_plc(PlcSettings.model_validate({**settings("server", 0).model_dump(), **keys}))
    await server.connect()
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def commanding(server: ModbusPlc) -> AsyncIterator[RawMaster]:
    """A connection of the PLC that has written the heartbeat."""
    master = await RawMaster.connect(server.port, PLC)
    assert len(await master.write(HEARTBEAT, 1)) == 5
    try:
        yield master
    finally:
        master.close()
        await asyncio.sleep(0)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # a server at work has no events to wait for
            await asyncio.sleep(0.005)


# ---- who is let in ----


async def test_only_listed_addresses_are_let_in_and_only_commanders_write() -> None:
    async with serving(readers=["127.0.0.2/31"]) as server:
        plc, panel, other, stranger = await connected(server.port, (PLC, PANEL, OTHER, STRANGER))
        assert await plc.is_let_in()
        assert await panel.is_let_in()
        assert await other.is_let_in()
        assert not await stranger.is_let_in()
        for request in ("10 0066 0001 02 0002", "06 0064 0001", "16 0064 0000 0001", "17 0001 0001 0064 0001 02 0001"):
            assert await panel.ask(bytes.fromhex(request)) == bytes((int(request[:2], 16) | 0x80, 1))
        assert await panel.ask(bytes.fromhex("03 0064 0003")) == b"\x03\x06" + bytes(6)
        for one in (plc, panel, other, stranger):
            one.close()


def test_without_a_list_this_computer_may_command_and_nobody_else_may_connect() -> None:
    assert (settings("server", 0).commanders, settings("server", 0).readers) == (["127.0.0.1", "::1"], [])


@pytest.mark.parametrize("key", ["commanders", "readers"])
@pytest.mark.parametrize("address", ["plc.factory", "192.168.0.20/24", "192.168.0.300", ""])
def test_a_name_or_a_wrong_network_in_a_list_is_refused(key: str, address: str) -> None:
    with pytest.raises(ValidationError, match=key):
        PlcSettings.model_validate({**settings("server", 0).model_dump(), key: [address]})


def test_a_server_that_nobody_may_command_is_refused() -> None:
    with pytest.raises(ValidationError, match="commanders"):
        PlcSettings.model_validate({**settings("server", 0).model_dump(), "commanders": []})


@pytest.mark.parametrize(
    ("host", "plain"),
    [("192.168.0.20", "192.168.0.20"), ("::ffff:192.168.0.20", "192.168.0.20"), ("fe80::1%eth0", "fe80::1")],
)
def test_an_address_is_compared_as_it_is_configured(host: str, plain: str) -> None:
    assert plain_address(host) == plain


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_it_listens_and_lists_over_ipv6_too() -> None:
    link = {**settings("server", 0).link.model_dump(), "host": "::1"}
    async with serving(link=link) as server:
        raw = RawMaster(*await asyncio.open_connection("::1", server.port))
        assert len(await raw.write(HEARTBEAT, 1)) == 5
        assert str(connections_of(server)[0].caller).startswith("[::1]:")
        raw.close()


# ---- how many ----


async def test_idle_connections_of_one_address_leave_files_and_room_for_the_others() -> None:
    async with serving(connections_per_address=8) as server, commanding(server) as plc:
        before = open_files()
        flood = await connected(server.port, [PANEL] * 120)
        assert await flood[-1].is_let_in()
        assert open_files() - before <= 120 + 8
        assert await plc.is_let_in()
        other = await RawMaster.connect(server.port, OTHER)
        assert await other.is_let_in()
        for one in (*flood, other):
            one.close()


async def test_the_connection_that_is_unused_longest_makes_room() -> None:
    async with serving(connections_per_address=3) as server:
        first, second, third = await connected(server.port, [PANEL] * 3)
        for one in (first, second, third, first):
            assert await one.is_let_in()
        fourth = await RawMaster.connect(server.port, PANEL)
        assert await fourth.is_let_in()
        assert not await second.is_let_in()
        assert await third.is_let_in()
        assert await first.is_let_in()
        for one in (first, second, third, fourth):
            one.close()


async def test_a_commander_finds_room_where_readers_have_taken_it_and_is_never_closed_for_one() -> None:
    async with serving(connections=3) as server:
        readers = await connected(server.port, [PANEL, PANEL, OTHER])
        for one in readers:
            assert await one.is_let_in()
        plc = await RawMaster.connect(server.port, PLC)
        assert await plc.is_let_in()
        assert [await one.is_let_in() for one in readers] == [False, True, True]
        more = await connected(server.port, [PLC, PLC])
        assert [await one.is_let_in() for one in more] == [True, True]
        late = await RawMaster.connect(server.port, PANEL)
        assert not await late.is_let_in()
        assert await plc.is_let_in()
        for one in (*readers, plc, *more, late):
            one.close()


async def test_the_connection_that_commands_is_not_closed_for_newer_ones_of_its_own_address() -> None:
    async with serving(connections_per_address=2, connections=2) as server, commanding(server) as plc:
        newer = await connected(server.port, [PLC] * 5)
        assert await newer[-1].is_let_in()
        assert [await one.is_let_in() for one in newer[:-1]] == [False] * 4
        assert await plc.is_let_in()
        for one in newer:
            one.close()


async def test_a_connection_without_a_whole_request_for_too_long_is_closed() -> None:
    async with serving(idle_timeout_s=0.4) as server, commanding(server) as plc:
        idle, half = await connected(server.port, [PANEL, PANEL])
        silent = asyncio.ensure_future(idle.receive())
        while not silent.done():
            half.send(b"\0")  # a frame whose length never comes to an end
            assert await plc.is_let_in()
            await asyncio.sleep(0.02)
        assert await silent == b""
        await until(lambda: server_connections(server) == 1)
        for one in (idle, half):
            one.close()


async def test_a_caller_who_does_not_read_its_answers_takes_no_memory_and_is_closed() -> None:
    async with serving(idle_timeout_s=0.5, requests_per_s=10_000) as server, commanding(server) as plc:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind((PANEL, 0))
        deaf.connect((PLC, server.port))
        deaf.setblocking(False)
        flood = frame(1, b"\x03\x00\x00\x00\x7b") * 1000
        sent = 0
        await until(lambda: server_connections(server) == 2)
        while server_connections(server) == 2:
            try:
                sent += deaf.send(flood)
            except BlockingIOError:
                assert all(len(one._unsent) < 300 for one in connections_of(server))
                assert all(len(one._received) < 600 for one in connections_of(server))
            except ConnectionError:
                break
            assert await plc.is_let_in()
        assert await plc.is_let_in()
        assert sent > 0
        deaf.close()


def connections_of(server: ModbusPlc) -> list[Any]:
    peer: Any = server._peer
    return list(peer._server._connections.values())


def server_connections(server: ModbusPlc) -> int:
    return len(connections_of(server))


@contextmanager
def few_files(left: int) -> Iterator[None]:
    """The process may open so many files more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_connections_leave_some_files_for_the_stations_own_devices() -> None:
    async with serving(connections=512, connections_per_address=512) as server, commanding(server) as plc:
        with few_files(FILES_KEPT + 40):
            flood = []
            while True:
                flood.append(await RawMaster.connect(server.port, PANEL))
                if not await flood[-1].is_let_in():
                    break
            spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(FILES_KEPT - 10)]
            assert await plc.is_let_in()
            for file in spare:
                os.close(file)
        for one in flood:
            one.close()


async def test_a_server_without_any_file_left_does_not_turn_in_vain() -> None:
    async with serving() as server, commanding(server) as plc:
        late = socket.socket()
        late.bind((PANEL, 0))
        with few_files(0), capture_logs() as logs:
            late.connect((PLC, server.port))
            for _ in range(100):
                assert await plc.is_let_in()
        assert [row["event"] for row in logs] == ["plc_connections_not_accepted"]
        late.close()


# ---- how much ----


async def answers(master: RawMaster, counted: list[int]) -> None:
    while await master.receive():
        counted.append(1)


async def test_a_flood_of_reads_is_answered_at_a_pace_and_the_one_that_commands_does_not_wait_for_it() -> None:
    rate = 40.0
    async with serving(requests_per_s=rate) as server, commanding(server) as plc:
        begun, counted = time.monotonic(), list[int]()
        flood = await connected(server.port, [PANEL] * 4)
        for one in flood:
            one.send(frame(1, READ_MAGIC) * 1000)
        counting = [asyncio.ensure_future(answers(one, counted)) for one in flood]
        await until(lambda: len(counted) > 1)
        await asyncio.sleep(0.05)
        for beat in range(2, 12):
            assert len(await plc.write(HEARTBEAT, beat)) == 5
        assert 1 < len(counted) <= rate / 20 + rate * (time.monotonic() - begun) + 1
        assert len(counted) < 1000
        for one in flood:
            one.close()
        for task in counting:
            task.cancel()
        await asyncio.wait(counting)


async def test_a_reader_that_asks_once_does_not_wait_for_all_that_another_asks() -> None:
    async with serving(requests_per_s=40.0) as server:
        greedy, modest = await connected(server.port, [PANEL, OTHER])
        counted = list[int]()
        greedy.send(frame(1, READ_MAGIC) * 400)
        counting = asyncio.ensure_future(answers(greedy, counted))
        await until(lambda: len(counted) > 0)
        assert await modest.is_let_in()
        assert len(counted) < 400
        counting.cancel()
        await asyncio.wait([counting])
        greedy.close()
        modest.close()


async def test_a_flood_that_is_slowed_loses_no_answer() -> None:
    async with serving(requests_per_s=400.0) as server:
        panel = await RawMaster.connect(server.port, PANEL)
        panel.send(b"".join(frame(number, READ_MAGIC) for number in range(1, 101)))
        assert [int.from_bytes((await panel.receive())[:2]) for _ in range(100)] == list(range(1, 101))
        panel.close()


# ---- what is logged ----


async def test_what_strangers_do_is_logged_once_and_then_in_a_sum() -> None:
    with capture_logs() as logs:
        async with serving() as server:
            for _ in range(40):
                stranger = await RawMaster.connect(server.port, STRANGER)
                assert not await stranger.is_let_in()
                stranger.close()
    refused = [row for row in logs if row["event"] == "plc_connections_refused"]
    assert [(row["address"], row["times"]) for row in refused] == [(STRANGER, 1), (STRANGER, 39)]
    assert refused[0]["reason"] == "neither in plc.commanders nor in plc.readers"


async def test_beyond_a_number_of_addresses_the_log_tells_them_apart_no_longer() -> None:
    with capture_logs() as logs:
        tally = Tally()
        for number in range(3 * TOLD_APART):
            tally.count("refused", f"10.0.0.{number}", "why")
        tally.close()
    assert len(logs) == TOLD_APART + 2
    assert (logs[-1]["address"], logs[-1]["times"]) == ("others", 2 * TOLD_APART - 1)
