"""The line PLC in both roles against a PLC written word by word; the same tests for both, then what only one has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import pytest
from pymodbus.client import AsyncModbusTcpClient

from drivers.plc import ModbusPlc, make_plc
from station.core.errors import FAULTS, PlcError
from station.core.part import Announcement, Decision, Destination, Inspection, PartType, Verdict
from station.core.ports import CellReport, LineCommand, Published
from station.core.settings import PlcSettings, TcpLink
from tests.wire.modbus_peer import Peer, TcpPeer

SMH = PartType("smh_690", 3, 690, 8, 6, 22.0, 320.0, 20.0)
ID_WORDS = [0x534D, 0x482D, 0x3030, 0x3432, 0, 0, 0, 0]  # "SMH-0042"
STALE_S = 0.3


def inspection(sequence: int = 17) -> Inspection:
    return Inspection("abc", 70000, Announcement(sequence, "SMH-0042", 3), SMH, datetime(2026, 1, 1, tzinfo=UTC))


def result(verdict: Verdict = Verdict.PITS, confirmed: Destination | None = None) -> Published:
    decision = Decision(verdict, verdict, None, "", 0.98765, 4, 2, np.zeros((16, 5), np.float32))
    return Published(inspection(), decision, 12.4, confirmed)


class Plc(Protocol):
    """The other side: what a PLC's program sees and does."""

    async def say(self, address: int, words: list[int]) -> None:
        """Set some of its own registers."""

    async def sees(self, address: int, count: int = 1) -> list[int]:
        """Look at registers."""


class ServingPlc:
    """A PLC whose registers the station polls."""

    def __init__(self) -> None:
        self.peer = Peer(beats=None)
        self.server = TcpPeer(self.peer)
        self.peer.holding[98:102] = [1, 0xA55A, 0, 1]

    async def say(self, address: int, words: list[int]) -> None:
        self.peer.holding[address : address + len(words)] = words

    async def sees(self, address: int, count: int = 1) -> list[int]:
        return self.peer.holding[address : address + count]


class AskingPlc:
    """A PLC that reads and writes the station's server."""

    def __init__(self) -> None:
        self.client: AsyncModbusTcpClient | None = None
        self.own = [0] * 22
        self.own[0:4] = [1, 0xA55A, 0, 1]

    async def meet(self, port: int) -> None:
        self.client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0, reconnect_delay=0, timeout=1)
        assert await self.client.connect()
        await self.say(98, self.own[:7])
        await self.say(110, self.own[12:])

    async def say(self, address: int, words: list[int]) -> None:
        self.own[address - 98 : address - 98 + len(words)] = words
        if self.client:
            assert not (await self.client.write_registers(address, words)).isError()

    async def sees(self, address: int, count: int = 1) -> list[int]:
        assert self.client
        return list((await self.client.read_holding_registers(address, count=count)).registers)


def settings(role: str, port: int) -> PlcSettings:
    link = TcpLink(kind="tcp", port=port, request_timeout_s=0.1, reconnect_s=0.1, poll_s=0.005)
    return PlcSettings.model_validate(
        {
            "role": role,
            "link": link,
            "heartbeat_s": 0.02,
            "stale_after_s": STALE_S,
            "result_timeout_s": 0.5,
        }
    )


async def beat(plc: Plc) -> None:
    number = 0
    while True:
        number = number % 65535 + 1
        await plc.say(100, [number])
        await asyncio.sleep(0.01)


async def until(plc: ModbusPlc, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await plc.changed()


async def seen(plc: Plc, address: int, condition: Callable[[list[int]], object]) -> None:
    """Wait as a PLC does: by looking."""
    async with asyncio.timeout(2):
        while not condition(await plc.sees(address, 3)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Pair:
    """A connected station driver and its PLC."""

    def __init__(self, driver: ModbusPlc, plc: ServingPlc | AskingPlc) -> None:
        self.driver = driver
        self.plc = plc
        self.heart = asyncio.ensure_future(beat(plc))

    async def stop_heart(self) -> None:
        self.heart.cancel()
        await asyncio.wait([self.heart])


@pytest.fixture(autouse=True)
async def _nothing_is_left_running() -> AsyncIterator[None]:
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(params=["client", "server"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    serving, asking = ServingPlc(), AskingPlc()
    if request.param == "client":
        await serving.server.start()
        driver = make_plc(settings("client", serving.server.port))
        pair = Pair(driver, serving)
        await driver.connect()
    else:
        driver = make_plc(settings("server", 0))
        await driver.connect()
        await asking.meet(driver.port)
        pair = Pair(driver, asking)
    await until(driver, lambda: driver.health() is None)
    yield pair
    await pair.stop_heart()
    if asking.client:
        asking.client.close()
    await driver.close()
    await serving.server.stop()


# ---------------------------------------------------------------------- both roles


async def test_the_constants_stand_where_an_integrator_checks_them(pair: Pair) -> None:
    assert await pair.plc.sees(0, 6) == [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]


async def test_the_station_shows_its_heartbeat(pair: Pair) -> None:
    first = (await pair.plc.sees(10))[0]
    await seen(pair.plc, 10, lambda words: words[0] >= first + 3)


async def test_the_cells_state_has_its_registers(pair: Pair) -> None:
    await pair.driver.report(CellReport(11, 1, FAULTS["jig.fault"], 70001, 2))
    assert await pair.plc.sees(11, 7) == [11, 1, 3004, 1, 4465, 0, 2]


async def test_a_result_is_complete_in_its_registers_before_its_number(pair: Pair) -> None:
    await pair.driver.publish(result())
    words = await pair.plc.sees(30, 21)
    assert words == [1, 4464, *ID_WORDS, 3, 3, 0xFFFC, 3, 0, 9876, 2, 5, 0, 12, 1]
    await pair.plc.say(104, [1])
    await pair.driver.publish(result(confirmed=Destination.BIN_PITS))
    assert await pair.plc.sees(44) == [3]
    assert await pair.plc.sees(50) == [2]


async def test_what_is_not_known_of_a_result_reads_so(pair: Pair) -> None:
    decision = Decision(Verdict.REVIEW, None, FAULTS["scan.late"], "", 0.0, None, 0, np.zeros((0, 5), np.float32))
    await pair.driver.publish(Published(inspection(), decision, None, None))
    assert await pair.plc.sees(41, 9) == [6, 0xFFF9, 6, 0, 0, 0, 0, 2003, 65535]


async def test_a_result_is_held_until_the_one_before_is_acknowledged(pair: Pair) -> None:
    await pair.driver.publish(result())
    second = asyncio.ensure_future(pair.driver.publish(result(Verdict.REVIEW)))
    await asyncio.sleep(0.05)
    assert not second.done()
    assert await pair.plc.sees(41) == [3]
    await pair.plc.say(104, [1])
    await second
    assert await pair.plc.sees(41) == [6]
    assert await pair.plc.sees(50) == [2]


async def test_a_result_that_is_never_acknowledged_is_a_fault_and_changes_nothing(pair: Pair) -> None:
    await pair.driver.publish(result())
    with pytest.raises(PlcError, match="result 1 is not acknowledged") as caught:
        await pair.driver.publish(result(Verdict.REVIEW))
    assert caught.value.code == "plc.result_not_taken"
    assert await pair.plc.sees(41) == [3]
    assert await pair.plc.sees(50) == [1]


async def test_an_announced_part_waits_until_it_is_accepted(pair: Pair) -> None:
    assert pair.driver.waiting_part() is None
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, pair.driver.waiting_part)
    assert pair.driver.waiting_part() == Announcement(17, "SMH-0042", 3)
    await pair.driver.accept(inspection())
    assert pair.driver.waiting_part() is None
    assert await pair.plc.sees(20) == [17]
    await pair.plc.say(119, [18])
    await until(pair.driver, pair.driver.waiting_part)
    assert pair.driver.waiting_part() == Announcement(18, "SMH-0042", 3)


@pytest.mark.parametrize(
    "words",
    [[0] * 8, [0x2020] * 8, [0x4100, 0x4200, *[0] * 6], [0xC3A9, *[0] * 7], [0xFFFF] * 8, [0x410A, *[0] * 7]],
    ids=["empty", "spaces", "a hole", "not ASCII", "ones", "a control character"],
)
async def test_a_part_with_a_malformed_id_is_not_offered_and_the_health_says_why(pair: Pair, words: list[int]) -> None:
    await pair.plc.say(110, [*words, 3, 17])
    await until(pair.driver, pair.driver.health)
    assert pair.driver.health() is FAULTS["part.bad_id"]
    assert pair.driver.waiting_part() is None
    assert pair.driver.permission()
    await pair.plc.say(110, ID_WORDS)
    await until(pair.driver, pair.driver.waiting_part)
    assert pair.driver.health() is None


async def test_permission_comes_and_goes(pair: Pair) -> None:
    await until(pair.driver, pair.driver.permission)
    await pair.plc.say(101, [0])
    await until(pair.driver, lambda: not pair.driver.permission())
    assert pair.driver.health() is None


async def test_commands_are_kept_in_order_until_they_are_answered(pair: Pair) -> None:
    driver = pair.driver
    assert driver.next_command() is None
    await pair.plc.say(102, [1, 501])
    await until(driver, driver.next_command)
    await pair.plc.say(102, [2, 502])
    await until(driver, lambda: len(driver._inbox.commands) == 2)
    assert driver.next_command() == LineCommand(501, 1)
    await driver.answer(LineCommand(501, 1), None)
    assert await pair.plc.sees(24, 3) == [501, 1, 0]
    assert driver.next_command() == LineCommand(502, 2)
    await driver.answer(LineCommand(502, 2), FAULTS["plc.illegal_command"])
    assert await pair.plc.sees(24, 3) == [502, 2, 5003]
    assert driver.next_command() is None


async def test_a_change_request_without_a_command_is_refused_by_itself(pair: Pair) -> None:
    await pair.plc.say(102, [0, 501])
    await seen(pair.plc, 24, lambda words: words == [501, 2, 5003])
    assert pair.driver.next_command() is None


async def test_a_plc_whose_heart_stands_still_is_not_believed_and_believed_again(pair: Pair) -> None:
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, pair.driver.waiting_part)
    await pair.stop_heart()
    await until(pair.driver, pair.driver.health)
    assert pair.driver.health() is FAULTS["plc.stale"]
    assert not pair.driver.permission()
    assert pair.driver.waiting_part() is None
    await pair.plc.say(102, [2, 7])
    await asyncio.sleep(0.03)
    assert pair.driver.next_command() is None
    pair.heart = asyncio.ensure_future(beat(pair.plc))
    await until(pair.driver, pair.driver.waiting_part)
    assert pair.driver.health() is None
    assert pair.driver.next_command() == LineCommand(7, 2)


async def test_a_frame_of_zeros_or_ones_is_a_wrong_map_and_no_permission(pair: Pair) -> None:
    await pair.plc.say(98, [0, 0])
    await until(pair.driver, pair.driver.health)
    assert pair.driver.health() is FAULTS["plc.wrong_map"]
    assert not pair.driver.permission()


async def test_the_number_of_a_result_never_is_0(pair: Pair) -> None:
    pair.driver._outbox.put({"result_sequence": 65535})
    await pair.plc.say(104, [65535])
    await pair.driver.publish(result())
    assert await pair.plc.sees(50) == [1]


async def test_a_wait_for_a_change_begins_with_the_call(pair: Pair) -> None:
    change = pair.driver.changed()
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, pair.driver.waiting_part)
    await asyncio.wait_for(change, 1)


# ---------------------------------------------------------------------- the station as client


@pytest.fixture
async def plc() -> AsyncIterator[ServingPlc]:
    plc = ServingPlc()
    await plc.server.start()
    heart = asyncio.ensure_future(beat(plc))
    yield plc
    heart.cancel()
    await asyncio.wait([heart])
    await plc.server.stop()


@pytest.fixture
async def driver(plc: ServingPlc) -> AsyncIterator[ModbusPlc]:
    driver = make_plc(settings("client", plc.server.port))
    yield driver
    await driver.close()


async def test_after_a_restart_the_numbers_go_on_and_nothing_is_taken_twice(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[20:27] = [17, 0, 0, 0, 501, 1, 0]
    plc.peer.holding[41:51] = [3, 0xFFFC, 3, 0, 9876, 2, 5, 0, 12, 57]
    plc.peer.holding[102:105] = [2, 501, 57]
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    assert driver.waiting_part() is None
    assert driver.next_command() is None
    assert plc.peer.holding[41:43] == [3, 0xFFFC]
    assert plc.peer.holding[50] == 57
    await driver.publish(result())
    assert plc.peer.holding[50] == 58


async def test_a_result_from_before_a_restart_is_still_held(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[50] = 57
    plc.peer.holding[104] = 56
    await driver.connect()
    with pytest.raises(PlcError, match="result 57"):
        await driver.publish(result())


async def test_registers_that_the_station_never_wrote_are_not_taken_over(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[20:51] = [0xFFFF] * 31
    await driver.connect()
    assert plc.peer.holding[41:43] == [0, 0]
    assert plc.peer.holding[50] == 0
    await driver.publish(result())
    assert plc.peer.holding[50] == 1


async def test_only_registers_of_the_map_are_ever_written(plc: ServingPlc, driver: ModbusPlc) -> None:
    gaps = [*range(6, 10), 18, 19, 21, 22, 23, 27, 28, 29, *range(51, 98)]
    for place in gaps:
        plc.peer.holding[place] = 4711
    await driver.connect()
    await driver.publish(result())
    assert all(plc.peer.holding[place] == 4711 for place in gaps)
    assert all(address + len(words) <= 98 for address, words in plc.peer.writes)


@pytest.mark.parametrize("word", [(98, 2), (99, 0)])
async def test_another_map_is_refused(plc: ServingPlc, driver: ModbusPlc, word: tuple[int, int]) -> None:
    plc.peer.holding[word[0]] = word[1]
    with pytest.raises(PlcError, match=f"holding {word[0]}") as caught:
        await driver.connect()
    assert caught.value.code == "plc.wrong_map"
    assert not plc.peer.writes


async def test_a_plc_that_is_gone_is_noticed_and_gets_everything_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    await driver.report(CellReport(6, 1, None, 5, 1))
    await driver.publish(result())
    await plc.server.stop()
    await until(driver, lambda: driver.health() is FAULTS["plc.unreachable"])
    with pytest.raises(PlcError):
        await driver.report(CellReport(5, 1, FAULTS["plc.unreachable"], 5, 1))
    plc.peer.holding[0:98] = [0] * 98  # it was switched off
    await plc.server.start()
    await until(driver, lambda: driver.health() is None)
    assert plc.peer.holding[0:2] == [1, 0xA55A]
    assert plc.peer.holding[11:14] == [5, 1, 5001]
    assert plc.peer.holding[41:43] == [3, 0xFFFC]
    assert plc.peer.holding[50] == 1


async def test_a_result_whose_number_got_no_answer_keeps_its_number_when_it_is_sent_again(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()

    def lose_the_answer(address: int, _words: tuple[int, ...]) -> None:
        if address == 30:
            plc.peer.write_conduct.clear()
            plc.peer.write_conduct.extend(["swallow"] * 20)

    plc.peer.on_write = lose_the_answer
    with pytest.raises(PlcError):
        await driver.publish(result())
    plc.peer.on_write = lambda _address, _words: None
    plc.peer.write_conduct.clear()
    await until(driver, lambda: driver.health() is None)
    await driver.publish(result())
    assert plc.peer.holding[50] == 1


async def test_a_part_whose_acceptance_failed_is_offered_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    await until(driver, driver.waiting_part)
    await plc.server.stop()
    with pytest.raises(PlcError):
        await driver.accept(inspection())
    await until(driver, lambda: driver.health() is FAULTS["plc.unreachable"])
    await plc.server.start()
    await until(driver, driver.waiting_part)
    assert plc.peer.holding[20] == 0
    await driver.accept(inspection())
    assert plc.peer.holding[20] == 17


async def test_words_that_changed_during_a_read_are_read_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    before = len(plc.peer.reads)
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await until(driver, driver.waiting_part)
    assert len(plc.peer.reads) >= before + 2


async def test_an_unknown_command_is_refused_by_itself(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    plc.peer.holding[102:104] = [99, 501]
    await seen(plc, 24, lambda words: words == [501, 2, 5003])
    assert driver.next_command() is None


async def test_nobody_there_is_unreachable_and_leaves_nothing_running(plc: ServingPlc, driver: ModbusPlc) -> None:
    await plc.server.stop()
    with pytest.raises(PlcError) as caught:
        await driver.connect()
    assert caught.value.code == "plc.unreachable"
    assert driver.health() is FAULTS["plc.unreachable"]


# ---------------------------------------------------------------------- the station as server


@pytest.fixture
async def server() -> AsyncIterator[ModbusPlc]:
    server = make_plc(settings("server", 0))
    await server.connect()
    yield server
    await server.close()


@pytest.fixture
async def master(server: ModbusPlc) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0, reconnect_delay=0, timeout=1)
    assert await client.connect()
    yield client
    client.close()


async def test_before_the_plc_has_come_it_is_unreachable(server: ModbusPlc) -> None:
    assert server.health() is FAULTS["plc.unreachable"]
    assert not server.permission()
    assert server.port > 0


@pytest.mark.parametrize("address", [0, 10, 41, 50, 6, 97, 105, 109, 120, 5000])
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
    answer = await master.write_registers(104, [9, 9])
    assert answer.exception_code == 2  # type: ignore[attr-defined]
    assert (await master.read_holding_registers(104, count=1)).registers == [0]


@pytest.mark.parametrize(("address", "words"), [(101, [2]), (101, [0xFFFF]), (102, [11]), (100, [5, 1, 99, 1])])
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
    assert (await master.read_holding_registers(120, count=1)).exception_code == 2  # type: ignore[attr-defined]
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
    server = make_plc(settings("server", 0), accepted_part=17)
    await server.connect()
    plc = AskingPlc()
    plc.own[6] = 57
    plc.own[12:22] = [*ID_WORDS, 3, 17]
    await plc.meet(server.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(server, lambda: server.health() is None)
    assert server.waiting_part() is None
    assert await plc.sees(20) == [17]
    await server.publish(result())
    assert await plc.sees(50) == [58]
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await server.close()


async def test_a_port_in_use_is_told(server: ModbusPlc) -> None:
    second = make_plc(settings("server", server.port))
    with pytest.raises(PlcError, match=f"127.0.0.1:{server.port}") as caught:
        await second.connect()
    assert caught.value.code == "plc.port_in_use"
    await second.close()


async def test_a_closed_server_frees_its_port_and_may_listen_again(server: ModbusPlc) -> None:
    port = server.port
    await server.close()
    second = make_plc(settings("server", port))
    await second.connect()
    assert second.port == port
    await second.close()
