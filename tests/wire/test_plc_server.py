"""The station's own Modbus server: what a PLC may write, and when it takes effect."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusTcpClient

from drivers.plc.plc import ModbusPlc
from station.core.errors import FAULTS, PlcError
from station.core.part import Announcement
from tests.housings import line_plc
from tests.wire.plc_peers import (
    ID_WORDS,
    AskingPlc,
    alarm_seen,
    beat,
    commanded,
    inspection,
    result,
    settings,
    until,
)


@pytest.fixture
async def server() -> AsyncIterator[ModbusPlc]:
    server = line_plc(settings("server", 0))
    await server.connect()
    yield server
    await server.close()


@pytest.fixture
async def master(server: ModbusPlc) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0, reconnect_delay=0, timeout=20)
    assert await client.connect()
    yield client
    client.close()


async def test_before_the_plc_has_come_it_is_unreachable(server: ModbusPlc) -> None:
    assert server.feed.view.fault is FAULTS["plc.unreachable"]
    assert not server.feed.view.permission
    assert server.port > 0


@pytest.mark.parametrize("address", [0, 6, 8, 10, 41, 50, 66, 97, 123, 5000])
async def test_only_the_plcs_own_registers_can_be_written(
    server: ModbusPlc, master: AsyncModbusTcpClient, address: int
) -> None:
    before = server._outbox.words()
    for answer in (
        await master.write_registers(address, [3]),
        await master.write_register(address, 3),
        await master.mask_write_register(address=address, and_mask=0, or_mask=3),
    ):
        assert answer.isError()
        assert answer.exception_code == 2  # type: ignore[attr-defined]
    after = server._outbox.words()
    assert (before[:10], before[11:]) == (after[:10], after[11:])


async def test_a_request_that_reaches_beyond_the_plcs_registers_changes_none_of_them(
    master: AsyncModbusTcpClient,
) -> None:
    for address in (97, 122):
        answer = await master.write_registers(address, [1, 1])
        assert answer.exception_code == 2  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(98, count=25)).registers == [0] * 25


async def test_the_plcs_whole_half_is_taken_in_one_request_and_nothing_is_kept_between_its_registers(
    server: ModbusPlc, master: AsyncModbusTcpClient
) -> None:
    half = [1, 0xA55A, 1, 1, 0, 0, 0, 0, 0, 7, 7, 7, *ID_WORDS, 3, 17, 7, 7, 0]
    for beat_number in (1, 2):
        half[2] = beat_number
        assert not (await master.write_registers(98, half)).isError()
    assert server.feed.view.fault is None
    assert server.feed.view.waiting == Announcement(17, "SMH-0042", 3)
    half[9:12], half[22:24] = [0, 0, 0], [0, 0]
    assert (await master.read_holding_registers(98, count=25)).registers == half


async def test_single_words_between_the_plcs_registers_are_taken_and_not_kept(master: AsyncModbusTcpClient) -> None:
    for address in (107, 109, 120, 121):
        assert not (await master.write_register(address, 7)).isError()
        assert not (await master.mask_write_register(address=address, and_mask=0, or_mask=7)).isError()
        assert (await master.read_holding_registers(address, count=1)).registers == [0]


@pytest.mark.parametrize(("address", "words"), [(101, [2]), (101, [0xFFFF]), (100, [5, 2, 1, 1])])
async def test_an_illegal_value_is_refused_and_changes_nothing(
    master: AsyncModbusTcpClient, address: int, words: list[int]
) -> None:
    answer = await master.write_registers(address, words)
    assert answer.exception_code == 3  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(98, count=22)).registers == [0] * 22


async def test_there_are_holding_registers_and_nothing_else(master: AsyncModbusTcpClient) -> None:
    assert (await master.read_holding_registers(0, count=120)).registers[:2] == [1, 0xA55A]
    assert (await master.read_input_registers(0, count=1)).exception_code == 1  # type: ignore[attr-defined]
    assert (await master.read_coils(0, count=1)).exception_code == 1  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(190, count=1)).exception_code == 2  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(0, count=1, device_id=7)).exception_code == 11  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(1, count=1, device_id=255)).registers == [0xA55A]


async def test_reading_and_writing_in_one_request_works(master: AsyncModbusTcpClient) -> None:
    answer = await master.readwrite_registers(read_address=98, read_count=2, write_address=98, values=[1, 0xA55A])
    assert answer.registers == [1, 0xA55A]


async def test_an_id_may_be_written_word_by_word(master: AsyncModbusTcpClient) -> None:
    for place, word in reversed(list(enumerate(ID_WORDS))):
        assert not (await master.write_register(110 + place, word)).isError()
    assert (await master.read_holding_registers(110, count=8)).registers == ID_WORDS


async def test_a_restarted_server_goes_on_from_the_result_that_the_plc_has_taken() -> None:
    server = line_plc(settings("server", 0), accepted=Announcement(17, "SMH-0042", 3))
    await server.connect()
    plc = AskingPlc()
    plc.own[6] = 57
    plc.own[12:22] = [*ID_WORDS, 3, 17]
    await plc.meet(server.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.feed.view.fault is None)
    assert server.feed.view.waiting is None
    assert await plc.sees(20) == [17]
    await server.results.publish(result())
    assert await plc.sees(50) == [58]
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_restarted_server_gives_a_result_no_number_before_the_plc_has_told_which_it_has_read() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    with pytest.raises(PlcError) as caught:
        await server.results.publish(result())
    assert caught.value.code == "plc.unreachable"
    plc = AskingPlc()
    plc.own[6] = 1
    await plc.meet(server.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.feed.view.fault is None)
    await server.results.publish(result())
    assert await plc.sees(50) == [2]
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_part_that_a_restarted_server_gives_back_is_offered_again() -> None:
    server = line_plc(settings("server", 0), accepted=inspection().part)
    await server.connect()
    plc = AskingPlc()
    plc.own[12:22] = [*ID_WORDS, 3, 17]
    await plc.meet(server.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.feed.view.fault is None)
    await server.feed.accept(inspection())
    await server.feed.give_back(inspection())
    assert await plc.sees(20) == [0]
    assert server.feed.view.waiting == inspection().part
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_look_waits_for_the_next_beat_and_fails_where_none_comes() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    plc = AskingPlc()
    await plc.meet(server.port)
    for number in (1, 2):
        await plc.say(100, [number])
    look = asyncio.ensure_future(server.feed.read_now())
    await plc.say(101, [0])
    assert not look.done(), "a word that is no beat may be older than others of its cycle"
    await plc.say(100, [3])
    await look
    assert not server.feed.view.permission
    with pytest.raises(PlcError) as caught:
        await server.feed.read_now()
    assert caught.value.code == "plc.stale"
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_standing_command_or_acknowledgement_is_not_taken_again_by_a_restarted_server() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    plc = AskingPlc()
    plc.own[4:6] = [2, 7]
    plc.own[7:9] = [3004, 9]
    await plc.meet(server.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.feed.view.fault is None)
    await plc.say(102, [2, 7])
    await plc.say(105, [3004, 9])
    assert server.requests.pending() is None
    assert await plc.sees(24) == [0]
    await plc.say(102, [2, 8])
    await plc.say(105, [3004, 10])
    for request in (commanded(8, 2), alarm_seen(10, 3004)):
        await until(server, server.requests.pending)
        assert server.requests.pending() == request
        await server.requests.answer(request, None)
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_heartbeat_that_comes_first_does_not_make_a_standing_command_new() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    plc = AskingPlc()
    await plc.meet(server.port, count=4)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.feed.view.fault is None)
    await plc.say(102, [2, 7])
    await plc.say(102, [3, 8])
    await until(server, server.requests.pending)
    assert server.requests.pending() == commanded(8, 3)
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_port_in_use_is_told(server: ModbusPlc) -> None:
    second = line_plc(settings("server", server.port))
    with pytest.raises(PlcError, match=f"127.0.0.1:{server.port}") as caught:
        await second.connect()
    assert caught.value.code == "plc.port_in_use"
    await second.close()


async def test_a_closed_server_frees_its_port_and_may_listen_again(server: ModbusPlc) -> None:
    port = server.port
    await server.close()
    second = line_plc(settings("server", port))
    await second.connect()
    assert second.port == port
    await second.close()
