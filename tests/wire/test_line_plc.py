"""The line PLC driver in both roles against a PLC written word by word: what is the same in both."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from drivers.plc.plc import ModbusPlc
from station.core.alarms import AlarmSummary
from station.core.errors import FAULTS, PlcError
from station.core.judgement import Published
from station.core.part import Announcement, Decision
from station.core.ports.line import CellReport
from tests.housings import TABLE, Destination, Verdict, line_plc
from tests.wire.plc_peers import (
    ID_WORDS,
    AskingPlc,
    ServingPlc,
    alarm_seen,
    beat,
    commanded,
    inspection,
    result,
    seen,
    settings,
    until,
)


class Pair:
    """A connected station driver and its PLC."""

    def __init__(self, driver: ModbusPlc, plc: ServingPlc | AskingPlc) -> None:
        self.driver = driver
        self.plc = plc
        self.heart = asyncio.ensure_future(beat(plc))

    async def stop_heart(self) -> None:
        self.heart.cancel()
        await asyncio.wait([self.heart])


@pytest.fixture(params=["client", "server"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    serving, asking = ServingPlc(), AskingPlc()
    if request.param == "client":
        await serving.server.start()
        driver = line_plc(settings("client", serving.server.port))
        pair = Pair(driver, serving)
        await driver.connect()
    else:
        driver = line_plc(settings("server", 0))
        await driver.connect()
        await asking.meet(driver.port)
        pair = Pair(driver, asking)
    await until(driver, lambda: driver.feed.view.fault is None)
    yield pair
    await pair.stop_heart()
    if asking.client:
        asking.client.close()
    await driver.close()
    await serving.server.stop()


async def test_the_constants_stand_where_an_integrator_checks_them(pair: Pair) -> None:
    assert await pair.plc.sees(0, 8) == [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678, 0x4142, 0x4344]


async def test_the_station_shows_its_heartbeat(pair: Pair) -> None:
    first = (await pair.plc.sees(10))[0]
    await seen(pair.plc, 10, lambda words: words[0] >= first + 3)


async def test_the_cells_state_has_its_registers(pair: Pair) -> None:
    await pair.driver.results.report(CellReport(11, 1, FAULTS["jig.fault"], 70001, 2))
    assert await pair.plc.sees(11, 7) == [11, 1, 3004, 1, 4465, 0, 2]


async def test_a_result_is_complete_in_its_registers_before_its_number(pair: Pair) -> None:
    await pair.driver.results.publish(result())
    words = await pair.plc.sees(30, 21)
    assert words == [1, 4464, *ID_WORDS, 3, 3, 0xFFFC, 3, 0, 9876, 2, 5, 0, 12, 1]
    await pair.plc.say(104, [1])
    await pair.driver.results.publish(result(confirmed=Destination.BIN_PITS))
    assert await pair.plc.sees(44) == [3]
    assert await pair.plc.sees(50) == [2]


async def test_what_is_not_known_of_a_result_reads_so(pair: Pair) -> None:
    decision = Decision(Verdict.REVIEW, None, FAULTS["scan.late"], "", 0.0, None, 0, np.zeros((0, 5), np.float32))
    await pair.driver.results.publish(Published(inspection(), decision, None, None))
    assert await pair.plc.sees(41, 9) == [6, 0xFFF9, 6, 0, 0, 0, 0, 2003, 65535]


async def test_a_result_is_held_until_the_one_before_is_acknowledged(pair: Pair) -> None:
    await pair.driver.results.publish(result())
    second = asyncio.ensure_future(pair.driver.results.publish(result(Verdict.REVIEW)))
    await asyncio.sleep(0.05)
    assert not second.done()
    assert await pair.plc.sees(41) == [3]
    await pair.plc.say(104, [1])
    await second
    assert await pair.plc.sees(41) == [6]
    assert await pair.plc.sees(50) == [2]


async def test_a_result_that_is_never_acknowledged_is_a_fault_and_changes_nothing(pair: Pair) -> None:
    await pair.driver.results.publish(result())
    pair.driver.results._taken_within_s = 0.3
    with pytest.raises(PlcError, match="result 1 is not acknowledged") as caught:
        await pair.driver.results.publish(result(Verdict.REVIEW))
    assert caught.value.code == "plc.result_not_taken"
    assert await pair.plc.sees(41) == [3]
    assert await pair.plc.sees(50) == [1]


async def test_an_announced_part_waits_until_it_is_accepted(pair: Pair) -> None:
    assert pair.driver.feed.view.waiting is None
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.waiting == Announcement(17, "SMH-0042", 3)
    await pair.driver.feed.accept(inspection())
    assert pair.driver.feed.view.waiting is None
    assert await pair.plc.sees(20) == [17]
    await pair.plc.say(119, [18])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.waiting == Announcement(18, "SMH-0042", 3)


FILLED_WITH_BLANKS = [0x4142, 0x2D31, 0x3233, 0x3420, 0x2020, 0x2020, 0x2020, 0x2020]  # "AB-1234" and nine blanks


async def test_blanks_that_fill_an_id_are_no_part_of_it(pair: Pair) -> None:
    await pair.plc.say(110, [*FILLED_WITH_BLANKS, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.waiting == Announcement(17, "AB-1234", 3)


OTHER_ID = [0x534D, 0x482D, 0x3030, 0x3433, 0, 0, 0, 0]  # "SMH-0043"


async def accepted(pair: Pair) -> None:
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    await pair.driver.feed.accept(inspection())


async def test_a_part_that_is_given_back_shows_in_the_register(pair: Pair) -> None:
    await accepted(pair)
    assert await pair.plc.sees(20) == [17]
    await pair.driver.feed.give_back(inspection())
    assert await pair.plc.sees(20) == [0]
    assert pair.driver.feed.view.waiting == Announcement(17, "SMH-0042", 3)


async def test_the_next_part_whose_id_is_written_before_its_number_is_not_offered_yet(pair: Pair) -> None:
    await accepted(pair)
    await pair.plc.say(110, [*OTHER_ID, 3])
    await pair.driver.feed.read_now()
    assert pair.driver.feed.view.waiting is None
    assert pair.driver.feed.view.announced == Announcement(17, "SMH-0043", 3)
    await pair.plc.say(119, [18])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.waiting == Announcement(18, "SMH-0043", 3)


async def test_a_program_that_counts_anew_may_give_the_accepted_number_to_another_part(pair: Pair) -> None:
    await accepted(pair)
    await pair.plc.say(119, [0])
    await pair.driver.feed.read_now()
    assert pair.driver.feed.view.announced is None
    await pair.plc.say(110, [*OTHER_ID, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.waiting == Announcement(17, "SMH-0043", 3)
    await seen(pair.plc, 20, lambda words: words[0] == 0)


async def test_a_program_that_finds_its_old_announcement_again_offers_nothing(pair: Pair) -> None:
    await accepted(pair)
    await pair.plc.say(110, [0] * 10)
    await pair.driver.feed.read_now()
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await pair.driver.feed.read_now()
    assert pair.driver.feed.view.announced == Announcement(17, "SMH-0042", 3)
    assert pair.driver.feed.view.waiting is None
    await pair.plc.say(110, [*OTHER_ID, 3])
    await pair.driver.feed.read_now()
    assert pair.driver.feed.view.waiting is None, "its number has not come yet"


async def test_a_look_hears_what_was_said_before_it_ends(pair: Pair) -> None:
    await accepted(pair)
    for permission in (0, 1, 0, 1):
        await pair.plc.say(101, [permission])
        await pair.driver.feed.read_now()
        assert pair.driver.feed.view.permission is bool(permission)


@pytest.mark.parametrize(
    "words",
    [[0] * 8, [0x2020] * 8, [0x4100, 0x4200, *[0] * 6], [0xC3A9, *[0] * 7], [0xFFFF] * 8, [0x410A, *[0] * 7]],
    ids=["empty", "spaces", "a hole", "not ASCII", "ones", "a control character"],
)
async def test_a_part_with_a_malformed_id_is_not_offered_and_the_health_says_why(pair: Pair, words: list[int]) -> None:
    await pair.plc.say(110, [*words, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.fault)
    assert pair.driver.feed.view.fault is FAULTS["part.bad_id"]
    assert pair.driver.feed.view.waiting is None
    assert pair.driver.feed.view.permission
    await pair.plc.say(110, ID_WORDS)
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.fault is None


async def test_permission_comes_and_goes(pair: Pair) -> None:
    await until(pair.driver, lambda: pair.driver.feed.view.permission)
    await pair.plc.say(101, [0])
    await until(pair.driver, lambda: not pair.driver.feed.view.permission)
    assert pair.driver.feed.view.fault is None


@pytest.mark.parametrize(
    ("word", "places"),
    [
        (0b1, {Destination.SECOND_INSPECTION}),
        (0b100100, {Destination.BIN_PITS, Destination.BIN_REVIEW}),
        (0b111111, set(TABLE.places)),
        (0xFFC0, set[Destination]()),
    ],
)
async def test_a_bit_of_the_register_is_a_full_place(pair: Pair, word: int, places: set[Destination]) -> None:
    await pair.plc.say(122, [0b10])
    await until(pair.driver, lambda: pair.driver.feed.view.full)
    assert pair.driver.feed.view.full == {Destination.BIN_IMPRINTED}
    await pair.plc.say(122, [word])
    await until(pair.driver, lambda: pair.driver.feed.view.full == places)
    await pair.stop_heart()
    await until(pair.driver, lambda: pair.driver.feed.view.fault is FAULTS["plc.stale"])
    assert not pair.driver.feed.view.full


async def test_commands_are_kept_in_order_until_they_are_answered(pair: Pair) -> None:
    driver = pair.driver
    assert driver.requests.pending() is None
    await pair.plc.say(102, [1, 501])
    await until(driver, driver.requests.pending)
    await pair.plc.say(102, [2, 502])
    await until(driver, lambda: len(driver._inbox.requests.waiting) == 2)
    assert driver.requests.pending() == commanded(501, 1)
    await driver.requests.answer(commanded(501, 1), None)
    assert await pair.plc.sees(24, 3) == [501, 1, 0]
    assert driver.requests.pending() == commanded(502, 2)
    await driver.requests.answer(commanded(502, 2), FAULTS["plc.illegal_command"])
    assert await pair.plc.sees(24, 3) == [502, 2, 5003]
    assert driver.requests.pending() is None


async def test_the_alarms_have_their_registers(pair: Pair) -> None:
    await pair.driver.results.report(
        CellReport(11, 1, FAULTS["jig.fault"], 0, 0, AlarmSummary(1, 2, FAULTS["camera.lost"]))
    )
    assert await pair.plc.sees(60, 6) == [1, 2, 1003, 0, 0, 0]


async def test_acknowledgements_are_kept_in_order_until_they_are_answered(pair: Pair) -> None:
    driver = pair.driver
    await pair.plc.say(105, [3004, 71])
    await until(driver, driver.requests.pending)
    await pair.plc.say(105, [1003, 72])
    await until(driver, lambda: len(driver._inbox.requests.waiting) == 2)
    assert driver.requests.pending() == alarm_seen(71, 3004)
    await driver.requests.answer(alarm_seen(71, 3004), None)
    assert await pair.plc.sees(64, 2) == [71, 1]
    await driver.requests.answer(alarm_seen(72, 1003), FAULTS["station.no_such_alarm"])
    assert await pair.plc.sees(64, 2) == [72, 2]
    assert driver.requests.pending() is None


@pytest.mark.parametrize("command", [0, 11, 255, 65535])
async def test_a_change_request_without_a_command_is_one_to_be_refused_and_the_rest_is_taken(
    pair: Pair, command: int
) -> None:
    await pair.plc.say(101, [0, command, 501])
    await until(pair.driver, pair.driver.requests.pending)
    assert pair.driver.requests.pending() == commanded(501, command)
    await pair.driver.requests.answer(commanded(501, command), FAULTS["plc.illegal_command"])
    assert await pair.plc.sees(24, 3) == [501, 2, 5003]
    assert not pair.driver.feed.view.permission
    assert pair.driver.feed.view.fault is None
    await pair.plc.say(101, [1, 2, 502])
    await until(pair.driver, pair.driver.requests.pending)
    assert pair.driver.requests.pending() == commanded(502, 2)
    assert pair.driver.feed.view.permission


async def test_a_plc_whose_heart_stands_still_is_not_believed_and_believed_again(pair: Pair) -> None:
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    await pair.stop_heart()
    await until(pair.driver, lambda: pair.driver.feed.view.fault)
    assert pair.driver.feed.view.fault is FAULTS["plc.stale"]
    assert not pair.driver.feed.view.permission
    assert pair.driver.feed.view.waiting is None
    await pair.plc.say(102, [2, 7])
    await asyncio.sleep(0.03)
    assert pair.driver.requests.pending() is None
    pair.heart = asyncio.ensure_future(beat(pair.plc))
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    assert pair.driver.feed.view.fault is None
    assert pair.driver.requests.pending() == commanded(7, 2)


@pytest.mark.parametrize("words", [[0, 0], [0xFFFF, 0xFFFF], [0, 0xA55A], [2, 0xA55A]])
async def test_a_frame_of_zeros_or_ones_is_a_wrong_map_and_no_permission(pair: Pair, words: list[int]) -> None:
    await pair.plc.say(98, words)
    await until(pair.driver, lambda: pair.driver.feed.view.fault)
    assert not pair.driver.feed.view.permission
    await until(pair.driver, lambda: pair.driver.feed.view.fault is FAULTS["plc.wrong_map"])
    assert not pair.driver.feed.view.permission


async def test_the_number_of_a_result_never_is_0(pair: Pair) -> None:
    pair.driver._outbox.put({"result_sequence": 65535})
    await pair.plc.say(104, [65535])
    await pair.driver.results.publish(result())
    assert await pair.plc.sees(50) == [1]


async def test_a_wait_for_a_change_begins_with_the_call(pair: Pair) -> None:
    change = pair.driver.feed.changed()
    await pair.plc.say(110, [*ID_WORDS, 3, 17])
    await until(pair.driver, lambda: pair.driver.feed.view.waiting)
    await asyncio.wait_for(change, 20)


async def test_after_closing_and_connecting_anew_whoever_waits_is_told_of_a_heart_that_stands_still(pair: Pair) -> None:
    await pair.stop_heart()
    await pair.driver.close()
    await pair.driver.connect()
    if isinstance(pair.plc, AskingPlc):
        await pair.plc.meet(pair.driver.port)
    pair.heart = asyncio.ensure_future(beat(pair.plc))
    await until(pair.driver, lambda: pair.driver.feed.view.fault is None)
    await pair.stop_heart()
    async with asyncio.timeout(20):
        await pair.driver.feed.changed()
    assert pair.driver.feed.view.fault is FAULTS["plc.stale"]


async def test_a_driver_whose_own_task_died_does_not_look_healthy(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await pair.driver.connect()  # harmless when connected

    async def broken(_: object, __: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("drivers.plc.writer.BlockWriter.tell", broken)
    await until(pair.driver, lambda: pair.driver.feed.view.fault)
    assert pair.driver.feed.view.fault is FAULTS["station.bug"]
    assert not pair.driver.feed.view.permission
