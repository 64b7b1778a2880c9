"""Where the station serves the registers: which connection commands, and what an earlier one left standing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from drivers.plc.plc import ModbusPlc
from station.core.errors import FAULTS
from station.core.part import Announcement, Inspection
from station.core.ports.line import LineRequest
from station.core.settings import PlcSettings
from tests.housings import line_plc
from tests.wire.plc_peers import ID_WORDS, STALE_S, alarm_seen, commanded, inspection, settings
from tests.wire.raw_modbus import REFUSED_WRITE as REFUSED
from tests.wire.raw_modbus import master

OTHER_ID = [0x534D, 0x482D, 0x3030, 0x3939, 0, 0, 0, 0]  # "SMH-0099"


@pytest.fixture
async def server() -> AsyncIterator[ModbusPlc]:
    keys = {"commanders": ["127.0.0.0/24"], "stale_after_s": 30.0}
    server = line_plc(PlcSettings.model_validate({**settings("server", 0).model_dump(), **keys}))
    await server.connect()
    yield server
    await server.close()


async def taken(server: ModbusPlc) -> list[LineRequest]:
    """The requests that wait, answered."""
    requests = []
    while (request := server.requests.pending()) is not None:
        requests.append(request)
        await server.requests.answer(request, None)
    return requests


async def test_only_the_connection_that_wrote_the_heartbeat_last_may_write(server: ModbusPlc) -> None:
    async with master(server.port) as first, master(server.port) as second:
        await first.beat(2)
        assert await second.raw.write(102, 2, 7) == REFUSED
        assert await second.raw.write(101, 0) == REFUSED
        assert server.feed.view.permission
        await second.beat()
        assert await first.raw.write(101, 0) == REFUSED
        assert await second.raw.write(101, 0) != REFUSED
        assert not server.feed.view.permission
        assert await first.raw.is_let_in(), "it may still read"


async def test_a_program_whose_heartbeat_stands_still_does_not_take_the_command_back(server: ModbusPlc) -> None:
    async with master(server.port, beat=77) as frozen, master(server.port, beat=500) as running:
        await frozen.beat(2)
        await running.beat()
        assert await frozen.raw.write(98, *frozen.own) == REFUSED
        assert await frozen.raw.write(100, frozen.own[2]) == REFUSED
        await running.beat()
        assert server.feed.view.permission


async def test_whoever_writes_first_commands_where_nobody_does() -> None:
    keys = {"commanders": ["127.0.0.1"], "stale_after_s": 0.1}
    server = line_plc(PlcSettings.model_validate({**settings("server", 0).model_dump(), **keys}))
    await server.connect()
    async with master(server.port) as silent, master(server.port) as second:
        assert await silent.raw.write(101, 1) != REFUSED
        assert await second.raw.write(101, 0) == REFUSED
        async with asyncio.timeout(20):
            while await second.raw.write(101, 0) == REFUSED:  # noqa: ASYNC110  # looked at from outside, as a PLC does
                await asyncio.sleep(0.01)
    await server.close()


async def test_the_command_is_free_when_its_connection_is_closed(server: ModbusPlc) -> None:
    async with master(server.port) as first, master(server.port) as second:
        await first.beat(2)
        assert await second.raw.write(101, 0) == REFUSED
        first.raw.close()
        async with asyncio.timeout(20):
            while await second.raw.write(101, 0) == REFUSED:  # noqa: ASYNC110  # looked at from outside, as a PLC does
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
async def test_an_old_start_does_not_run_after_another_masters_write(server: ModbusPlc, address: str) -> None:
    async with master(server.port) as first, master(server.port, address) as second:
        await first.beat(2)
        await first.command(2, 7)
        assert await taken(server) == [commanded(7, 2)]
        await second.beat()
        await second.command(3, 8)
        assert await taken(server) == [commanded(8, 3)]
        await first.beat()  # with the pair that it has had all the time
        await first.beat()
        assert await taken(server) == []
        await first.command(1, 8)  # its own next number, though the other master has used it
        assert await taken(server) == [commanded(8, 1)]


async def test_an_old_start_does_not_run_on_a_new_connection_either(server: ModbusPlc) -> None:
    async with master(server.port) as first, master(server.port) as second, master(server.port) as again:
        await first.beat(2)
        await first.command(2, 7)
        await second.beat()
        await second.command(3, 8)
        assert await taken(server) == [commanded(7, 2), commanded(8, 3)]
        first.raw.close()
        again.own = first.own
        await again.beat(2)
        assert await taken(server) == []


async def test_a_number_that_counts_from_the_beginning_is_new_on_the_connection_that_wrote_the_one_before(
    server: ModbusPlc,
) -> None:
    async with master(server.port) as plc:
        await plc.beat(2)
        for number in (1, 2, 1, 2, 0, 2, 65535, 1):
            await plc.command(2, number)
        assert [command.sequence for command in await taken(server)] == [1, 2, 1, 2, 2, 65535, 1]


async def test_a_program_that_connects_anew_goes_on_with_its_next_number(server: ModbusPlc) -> None:
    numbers = []
    for number in (5, 5, 6, 7, 6):
        async with master(server.port, beat=10 * number) as plc:
            plc.own[4:6] = [2, number]
            await plc.beat(2)
            numbers += [command.sequence for command in await taken(server)]
    assert numbers == [6, 7, 6], "the first that was ever heard had stood there before"


async def test_a_command_that_waits_for_a_beat_is_not_lost_with_its_connection() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    async with master(server.port) as first:
        await first.beat(2)
        await asyncio.sleep(STALE_S + 0.1)
        assert server.feed.view.fault is FAULTS["plc.stale"]
        await first.command(3, 9)
        assert server.requests.pending() is None
    async with master(server.port, beat=5) as again:
        again.own[4:6] = [3, 9]
        await again.beat(2)
        assert await taken(server) == [commanded(9, 3)]
    await server.close()


async def test_an_old_acknowledgement_is_not_taken_again(server: ModbusPlc) -> None:
    async with master(server.port) as first, master(server.port, "127.0.0.2") as second:
        await first.beat(2)
        await first.acknowledge(3004, 7)
        await second.beat()
        await second.acknowledge(3001, 8)
        await first.beat(2)
        kept = []
        while (asked := server.requests.pending()) is not None:
            kept.append(asked)
            await server.requests.answer(asked, None)
        assert kept == [alarm_seen(7, 3004), alarm_seen(8, 3001)]


def of(part: Announcement) -> Inspection:
    return replace(inspection(), part=part)


async def test_a_part_that_was_accepted_is_not_announced_again_by_the_master_that_was_displaced(
    server: ModbusPlc,
) -> None:
    async with master(server.port) as first, master(server.port) as second:
        first.part = [*ID_WORDS, 3, 17]
        second.part = [*OTHER_ID, 3, 18]
        await first.beat(2)
        assert server.feed.view.waiting == Announcement(17, "SMH-0042", 3)
        await second.beat()
        await first.beat()
        waits = server.feed.view.waiting
        assert waits == Announcement(17, "SMH-0042", 3), "it was never accepted"
        await server.feed.accept(of(waits))
        await second.beat()
        waits = server.feed.view.waiting
        assert waits == Announcement(18, "SMH-0099", 3)
        await server.feed.accept(of(waits))
        await first.beat()
        assert server.feed.view.waiting is None
        await second.beat()
        assert server.feed.view.waiting is None
        second.part = [*ID_WORDS, 3, 17]
        await second.beat()
        assert server.feed.view.waiting == Announcement(17, "SMH-0042", 3), "its own next number, which it has not used"


async def test_two_addresses_that_take_the_command_from_each_other_suspend_the_line() -> None:
    keys = {"commanders": ["127.0.0.1", "127.0.0.2"], "stale_after_s": 0.5}
    server = line_plc(PlcSettings.model_validate({**settings("server", 0).model_dump(), **keys}))
    await server.connect()
    async with master(server.port) as first, master(server.port, "127.0.0.2") as second:
        await first.beat(2)
        await second.beat(2)
        assert server.feed.view.fault is None, "one takes over"
        await first.beat()
        assert server.feed.view.fault is FAULTS["plc.two_masters"]
        async with asyncio.timeout(20):
            while server.feed.view.fault is not None:
                await first.beat()
                await asyncio.sleep(0.02)
    await server.close()


async def test_several_connections_of_one_plc_that_all_beat_are_one_master(server: ModbusPlc) -> None:
    async with master(server.port) as first, master(server.port, beat=100) as second:
        await first.beat(2)
        for _ in range(3):
            await second.beat()
            await first.beat()
        assert server.feed.view.fault is None


async def test_a_command_names_the_connection_that_it_came_from(server: ModbusPlc) -> None:
    async with master(server.port, "127.0.0.2") as plc:
        await plc.beat(2)
        await plc.command(2, 7)
        await plc.acknowledge(3004, 7)
        requests = await taken(server)
        assert requests == [commanded(7, 2), alarm_seen(7, 3004)]
        assert all(request.peer.startswith("127.0.0.2:") for request in requests)
