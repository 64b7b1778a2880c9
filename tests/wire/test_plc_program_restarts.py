"""A line PLC whose program begins anew while its server stays up, and one that does not keep what is written.

Nobody tells the station: it finds its block gone, and the PLC's half at 0. Register words are typed in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import structlog

from drivers.plc.plc import ModbusPlc
from station.core.alarms import AlarmSummary
from station.core.errors import FAULTS
from station.core.ports.line import CellReport
from tests.housings import Destination, Verdict, line_plc
from tests.wire.plc_peers import (
    ID_WORDS,
    AskingPlc,
    ServingPlc,
    alarm_seen,
    beat,
    commanded,
    inspection,
    result,
    settings,
    until,
)

CONSTANTS = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
RESULT = [1, 4464, *ID_WORDS, 3, 3, 0xFFFC, 3, 0, 9876, 2, 5, 0, 12]
NOTHING = [0] * 21
WRITTEN = {
    **dict(enumerate(CONSTANTS)),
    11: 6, 12: 1, 13: 5006, 14: 1, 15: 4465, 16: 2, 17: 9,
    20: 17, 24: 501, 25: 2, 26: 5003,
    **dict(enumerate([*RESULT, 1], 30)),
    60: 1, 61: 2, 62: 1003, 64: 71, 65: 1,
}  # fmt: skip
"""Every register that the station writes, but its heartbeat, as `tell_all` leaves it."""

BLOCK = range(66)


class Plc(ServingPlc):
    """A PLC whose program can be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.heart: asyncio.Future[None] | None = None

    async def run(self, *, permission: int = 1) -> None:
        """Its program begins: constants, permission, a heart that beats."""
        self.peer.holding[98:102] = [1, 0xA55A, 0, permission]
        self.heart = asyncio.ensure_future(beat(self))

    async def stop(self) -> None:
        """Its program stands, and every register is at its first value."""
        assert self.heart
        self.heart.cancel()
        await asyncio.wait([self.heart])
        self.peer.holding[:] = [0] * 200

    def block(self) -> dict[int, int]:
        return {address: self.peer.holding[address] for address in WRITTEN}

    def looks(self) -> int:
        """How often the station has looked at its own block."""
        return sum(address < 98 for _function, address, _count in self.peer.reads)

    async def when(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.002)

    async def looked_at(self, times: int = 2) -> None:
        """Return when the station has looked at its own block so many times more."""
        enough = self.looks() + times
        await self.when(lambda: self.looks() >= enough)


@pytest.fixture
async def plc() -> AsyncIterator[Plc]:
    plc = Plc()
    await plc.server.start()
    await plc.run()
    yield plc
    if plc.heart:
        plc.heart.cancel()
        await asyncio.wait([plc.heart])
    await plc.server.stop()


@pytest.fixture
async def driver(plc: Plc) -> AsyncIterator[ModbusPlc]:
    driver = line_plc(settings("client", plc.server.port))
    await driver.connect()
    yield driver
    await driver.close()


async def tell_all(driver: ModbusPlc) -> None:
    """Write everything that the station ever writes, once."""
    alarms = AlarmSummary(1, 2, FAULTS["camera.lost"])
    await driver.results.report(CellReport(6, 1, FAULTS["plc.starved"], 70001, 131081, alarms))
    await driver.feed.accept(inspection())
    await driver.requests.answer(commanded(501, 9), FAULTS["plc.illegal_command"])
    await driver.requests.answer(alarm_seen(71, 1003), None)
    await driver.results.publish(result())


async def acknowledged(driver: ModbusPlc, plc: Plc, number: int) -> None:
    await plc.say(104, [number])
    await plc.when(lambda: not driver._outbox.awaits_acknowledgement)


# ---------------------------------------------------------------------- the station's block is gone


async def test_a_cleared_block_is_written_anew_whole(plc: Plc, driver: ModbusPlc) -> None:
    await tell_all(driver)
    assert plc.block() == WRITTEN
    plc.peer.holding[0:66] = [0] * 66
    await plc.when(lambda: plc.block() == WRITTEN)


@pytest.mark.parametrize("word", [0, 0xFFFF])
@pytest.mark.parametrize("address", WRITTEN)
async def test_every_register_that_was_changed_by_another_is_written_anew(
    plc: Plc, driver: ModbusPlc, address: int, word: int
) -> None:
    await tell_all(driver)
    plc.peer.holding[address] = word
    await plc.when(lambda: plc.block() == WRITTEN)


async def test_a_result_that_was_not_acknowledged_is_written_again_whole_and_its_number_last(
    plc: Plc, driver: ModbusPlc
) -> None:
    await driver.results.publish(result())
    numbers: list[tuple[int, list[int]]] = []
    plc.peer.holding[0:66] = [0] * 66
    plc.peer.on_write = lambda _address, _words: numbers.append((plc.peer.holding[50], plc.peer.holding[30:50]))
    await plc.when(lambda: plc.peer.holding[50] == 1)
    assert {tuple(words) for number, words in numbers if number} == {tuple(RESULT)}
    second = asyncio.ensure_future(driver.results.publish(result(Verdict.REVIEW)))
    await plc.looked_at()
    assert not second.done(), "it is still held until it is acknowledged"
    await plc.say(104, [1])
    await second
    assert plc.peer.holding[41:43] == [6, 0xFFF9]
    assert plc.peer.holding[50] == 2


async def test_a_result_that_was_acknowledged_is_not_made_new_again(plc: Plc, driver: ModbusPlc) -> None:
    await driver.results.publish(result(Verdict.DEFECT_FREE, Destination.SECOND_INSPECTION))
    await acknowledged(driver, plc, 1)
    shown: set[tuple[int, int]] = set()
    plc.peer.holding[0:66] = [0] * 66
    plc.peer.on_write = lambda _address, _words: shown.add((plc.peer.holding[50], plc.peer.holding[41]))
    await plc.when(lambda: plc.peer.holding[0:6] == CONSTANTS)
    await plc.looked_at(3)
    assert shown == {(0, 0)}, "no number and no decision"
    assert plc.peer.holding[30:51] == NOTHING
    await driver.results.publish(result(Verdict.REVIEW))
    assert plc.peer.holding[50] == 2
    assert plc.peer.holding[41:43] == [6, 0xFFF9]


async def test_a_new_connection_does_not_make_an_acknowledged_result_new_either(plc: Plc, driver: ModbusPlc) -> None:
    await driver.results.publish(result())
    await acknowledged(driver, plc, 1)
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    plc.peer.holding[0:66] = [0] * 66  # it was switched off
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.peer.holding[0:6] == CONSTANTS
    assert plc.peer.holding[30:51] == NOTHING


async def test_a_new_connection_to_a_plc_that_has_kept_all_changes_no_result(plc: Plc, driver: ModbusPlc) -> None:
    await driver.results.publish(result())
    await acknowledged(driver, plc, 1)
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.peer.holding[30:51] == [*RESULT, 1]


async def test_a_report_that_the_plc_refused_for_the_moment_is_told_though_nothing_changes_any_more(
    plc: Plc, driver: ModbusPlc
) -> None:
    plc.peer.write_conduct.append("busy")
    with structlog.testing.capture_logs():
        await asyncio.gather(
            driver.results.report(CellReport(11, 1, FAULTS["jig.fault"], 0, 0)), return_exceptions=True
        )
    await plc.when(lambda: plc.peer.holding[11:14] == [11, 1, 3004])


# ---------------------------------------------------------------------- its own half is gone as well


async def test_a_program_that_does_not_run_yet_is_a_plc_that_stands_still_and_no_wrong_map(
    plc: Plc, driver: ModbusPlc
) -> None:
    await tell_all(driver)
    await acknowledged(driver, plc, 1)
    await plc.stop()
    await until(driver, lambda: driver.feed.view.fault)
    assert driver.feed.view.fault is FAULTS["plc.stale"]
    assert not driver.feed.view.permission
    await plc.run()
    await until(driver, lambda: driver.feed.view.fault is None)
    await plc.when(lambda: plc.block() == {**WRITTEN, **dict(enumerate(NOTHING, 30))})
    await driver.results.publish(result(Verdict.REVIEW))
    assert plc.peer.holding[50] == 2


async def test_a_plc_that_has_its_constants_back_must_beat_before_it_is_believed(plc: Plc, driver: ModbusPlc) -> None:
    await plc.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.stale"])
    polls = len(plc.peer.reads)
    plc.peer.holding[98:102] = [1, 0xA55A, 0, 1]
    await plc.when(lambda: len(plc.peer.reads) > polls + 5)
    assert driver.feed.view.fault is FAULTS["plc.stale"]
    assert not driver.feed.view.permission
    plc.peer.holding[100] = 1
    await until(driver, lambda: driver.feed.view.fault is None)


async def test_a_program_that_beats_before_it_has_set_its_constants_has_no_wrong_map_for_a_while(
    plc: Plc, driver: ModbusPlc
) -> None:
    faults: set[str] = set()
    await plc.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.stale"])
    for beaten in range(1, 6):
        plc.peer.holding[100] = beaten
        polls = len(plc.peer.reads)
        await plc.when(lambda polls=polls: len(plc.peer.reads) > polls + 1)  # type: ignore[misc]
        fault = driver.feed.view.fault
        faults.add(fault.code if fault else "")
    assert faults == {"plc.stale"}
    await plc.run()
    await until(driver, lambda: driver.feed.view.fault is None)


async def test_a_connection_that_breaks_meanwhile_makes_no_wrong_map_of_it(plc: Plc, driver: ModbusPlc) -> None:
    await driver.results.report(CellReport(6, 1, None, 0, 0))
    await plc.server.stop()
    await plc.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.stale"])
    await plc.run()
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.peer.holding[11] == 6


async def test_another_map_after_a_lost_connection_is_told_as_such_and_not_as_silence(
    plc: Plc, driver: ModbusPlc
) -> None:
    told: list[str] = []
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    plc.peer.holding[98] = 2
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.wrong_map"])
    for _ in range(3):
        attempts = plc.peer.wire.connections
        await plc.when(lambda n=attempts: plc.peer.wire.connections > n)  # type: ignore[misc]
        fault = driver.feed.view.fault
        told.append(fault.code if fault else "")
    assert told == ["plc.wrong_map"] * 3


# ---------------------------------------------------------------------- a PLC that does not keep what is written


async def test_a_plc_that_clears_the_constants_for_ever_is_told_and_not_flooded(plc: Plc, driver: ModbusPlc) -> None:
    plc.peer.on_write = lambda _address, _words: plc.peer.holding.__setitem__(1, 0)
    plc.peer.holding[1] = 0
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.overwritten"])
    assert FAULTS["plc.overwritten"].number == 5010
    looks, writings = plc.looks(), wholes(plc)
    await plc.looked_at(30)
    assert wholes(plc) - writings <= 5, f"in {plc.looks() - looks} looks"
    assert driver.feed.view.permission, "which is another thing"
    plc.peer.on_write = lambda _address, _words: None
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.peer.holding[0:6] == CONSTANTS


def wholes(plc: Plc) -> int:
    """How often the whole block was written."""
    return sum(address == 0 for address, _words in plc.peer.writes)


@pytest.mark.parametrize("address", [2, 11, 20, 26, 44, 60, 65])
async def test_a_register_that_never_reads_back_is_told_once_in_a_while_and_stops_nothing(
    plc: Plc, driver: ModbusPlc, address: int
) -> None:
    await tell_all(driver)
    plc.peer.on_write = lambda _address, _words: plc.peer.holding.__setitem__(address, 4711)
    plc.peer.holding[address] = 4711
    with structlog.testing.capture_logs() as log:
        writings = wholes(plc)
        await plc.looked_at(30)
    told = [entry["times"] for entry in log if entry["event"] == "plc_block_written_anew"]
    assert 1 <= wholes(plc) - writings <= 6
    assert told == [times for times in (1, 2, 4) if times <= wholes(plc) - writings]
    assert driver.feed.view.fault is None


async def test_a_gateway_that_reads_from_other_registers_than_it_writes_has_what_it_always_had() -> None:
    plc, written = Plc(), dict[int, int]()

    def pass_on(address: int, words: tuple[int, ...]) -> None:
        written.update(enumerate(words, address))
        plc.peer.holding[0:66] = [0] * 66

    plc.peer.on_write = pass_on
    await plc.server.start()
    await plc.run()
    driver = line_plc(settings("client", plc.server.port))
    await driver.connect()
    await tell_all(driver)
    await acknowledged(driver, plc, 1)
    writings = wholes(plc)
    await plc.looked_at(30)
    assert {address: written[address] for address in WRITTEN} == WRITTEN, "the result too"
    assert 1 <= wholes(plc) - writings <= 6
    assert driver.feed.view.fault is None
    await driver.results.publish(result(Verdict.REVIEW))
    assert (written[41], written[42], written[50]) == (6, 0xFFF9, 2)
    assert plc.heart
    plc.heart.cancel()
    await asyncio.wait([plc.heart])
    await driver.close()
    await plc.server.stop()


# ---------------------------------------------------------------------- what it costs


async def test_nothing_is_read_between_a_result_and_its_acknowledgement_but_what_the_plc_says() -> None:
    plc = Plc()
    await plc.server.start()
    await plc.run()
    slow = settings("client", plc.server.port).model_copy(update={"heartbeat_s": 60.0, "stale_after_s": 0.5})
    driver = line_plc(slow)
    await driver.connect()
    driver._peer._copy._readback._due_s = 0.0  # type: ignore[union-attr]
    await plc.looked_at(1)
    await driver.results.publish(result())
    driver._peer._copy._readback._due_s = 0.0  # type: ignore[union-attr]
    looks, polls = plc.looks(), len(plc.peer.reads)
    await plc.when(lambda: len(plc.peer.reads) >= polls + 10)
    assert plc.looks() == looks
    await plc.say(104, [1])
    await plc.looked_at(1)
    assert plc.heart
    plc.heart.cancel()
    await asyncio.wait([plc.heart])
    await driver.close()
    await plc.server.stop()


async def test_what_the_station_is_just_writing_is_not_taken_for_lost(plc: Plc, driver: ModbusPlc) -> None:
    acknowledging = asyncio.ensure_future(_acknowledge(plc))
    with structlog.testing.capture_logs() as log:
        looks = plc.looks()
        for number in range(100):
            reported = driver.results.report(CellReport(6 - number % 2, 1, None, number, 0))
            await asyncio.gather(driver.results.publish(result()), reported)
        assert plc.looks() > looks + 5
    acknowledging.cancel()
    await asyncio.wait([acknowledging])
    assert [entry for entry in log if entry["event"] == "plc_block_written_anew"] == []
    assert plc.peer.holding[50] == 100


async def _acknowledge(plc: Plc) -> None:
    while True:
        await plc.say(104, await plc.sees(50))
        await asyncio.sleep(0.001)


async def test_a_block_that_is_lost_while_results_are_published_never_shows_an_older_number_or_half_a_result(
    plc: Plc, driver: ModbusPlc
) -> None:
    newest = 0
    wrong: list[tuple[int, list[int]]] = []

    def look(_address: int, _words: tuple[int, ...]) -> None:
        nonlocal newest
        number, words = plc.peer.holding[50], plc.peer.holding[41:43]
        if number and (number < newest or words != ([3, 0xFFFC] if number % 2 else [6, 0xFFF9])):
            wrong.append((number, words))
        newest = max(newest, number)

    plc.peer.on_write = look
    acknowledging = asyncio.ensure_future(_acknowledge(plc))
    for number in range(1, 61):
        if number % 3 == 0:
            plc.peer.holding[0:66] = [0] * 66
        await driver.results.publish(result(Verdict.PITS if number % 2 else Verdict.REVIEW))
    acknowledging.cancel()
    await asyncio.wait([acknowledging])
    assert wrong == []
    assert newest == 60


# ---------------------------------------------------------------------- the station serves the registers


@pytest.fixture
async def served() -> AsyncIterator[tuple[ModbusPlc, AskingPlc]]:
    driver = line_plc(settings("server", 0))
    await driver.connect()
    plc = AskingPlc()
    await plc.meet(driver.port)
    heart = asyncio.ensure_future(beat(plc))
    await until(driver, lambda: driver.feed.view.fault is None)
    yield driver, plc
    heart.cancel()
    await asyncio.wait([heart])
    assert plc.client
    plc.client.close()
    await driver.close()


async def test_a_client_that_begins_anew_finds_no_result_that_it_had_acknowledged(
    served: tuple[ModbusPlc, AskingPlc],
) -> None:
    driver, plc = served
    await driver.results.publish(result(Verdict.DEFECT_FREE))
    await plc.say(104, [1])
    assert await plc.sees(50) == [1]
    await plc.say(98, [1, 0xA55A, 0, 1, 0, 0, 0, 0, 0])
    assert await plc.sees(30, 21) == NOTHING
    await driver.results.publish(result(Verdict.REVIEW))
    assert await plc.sees(41, 2) == [6, 0xFFF9]
    assert await plc.sees(50) == [2]


async def test_a_client_that_begins_anew_finds_the_result_that_it_had_not_acknowledged(
    served: tuple[ModbusPlc, AskingPlc],
) -> None:
    driver, plc = served
    await driver.results.publish(result())
    await plc.say(98, [1, 0xA55A, 0, 1, 0, 0, 0, 0, 0])
    assert await plc.sees(30, 21) == [*RESULT, 1]


async def test_a_client_whose_half_begins_at_0_stands_still_and_has_no_wrong_map() -> None:
    driver = line_plc(settings("server", 0))
    await driver.connect()
    plc = AskingPlc()
    await plc.meet(driver.port)
    await plc.say(100, [1])
    await until(driver, lambda: driver.feed.view.fault is None)
    await plc.say(98, [0] * 9)
    assert driver.feed.view.fault is FAULTS["plc.stale"]
    assert not driver.feed.view.permission
    await plc.say(98, [1, 0xA55A, 1, 1, 0, 0, 0, 0, 0])
    await until(driver, lambda: driver.feed.view.fault is None)
    await plc.say(102, [1, 1])
    assert driver.requests.pending() == commanded(1, 1)
    assert plc.client
    plc.client.close()
    await driver.close()


async def test_a_client_that_writes_its_half_in_parts_has_no_wrong_map_before_the_constants_come() -> None:
    driver = line_plc(settings("server", 0))
    await driver.connect()
    plc, faults = AskingPlc(), set[str]()
    plc.own = [0] * 25
    await plc.meet(driver.port, 9)
    for address, words in ((102, [0, 0]), (105, [0, 0]), (110, [0] * 10)):
        await plc.say(address, words)
        fault = driver.feed.view.fault
        faults.add(fault.code if fault else "")
    assert faults == {"plc.stale"}
    assert driver.feed.view.waiting is None
    await plc.say(98, [1, 0xA55A, 1, 1])
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.client
    plc.client.close()
    await driver.close()


async def test_a_client_that_beats_without_constants_and_never_had_them_has_a_wrong_map() -> None:
    driver = line_plc(settings("server", 0))
    await driver.connect()
    plc = AskingPlc()
    plc.own[0:4] = [0, 0, 1, 1]
    await plc.meet(driver.port)
    assert driver.feed.view.fault is FAULTS["plc.wrong_map"]
    assert plc.client
    plc.client.close()
    await driver.close()
