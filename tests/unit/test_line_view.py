"""What the line PLC's driver makes of words, and of their absence, by exact times. Words are typed in."""

import asyncio

import pytest

from station.core.errors import FAULTS, PlcError
from station.core.part import Announcement
from station.core.ports.line import LineView
from station.core.settings import PlcSettings
from tests.housings import Destination, Verdict, line_plc
from tests.virtual_time import in_virtual_time
from tests.wire.plc_peers import ID_WORDS, alarm_seen, commanded, inspection, result

STALE_S, TAKEN_WITHIN_S = 2.0, 10.0
HEARTBEAT, PERMISSION, COMMAND, RESULT, ACKNOWLEDGE, PART, BINS = 100, 101, 102, 104, 105, 110, 122
SHOWN = Announcement(17, "SMH-0042", 3)


class Line:
    """The driver, and a PLC whose words come to it by themselves."""

    def __init__(self) -> None:
        self.words = [0] * 25
        self.say(98, 1, 0xA55A, 0, 1)
        settings = {"role": "server", "link": {"kind": "tcp"}, "stale_after_s": STALE_S, "heartbeat_s": 0.5}
        self.plc = line_plc(PlcSettings.model_validate({**settings, "result_timeout_s": TAKEN_WITHIN_S}))

    @property
    def view(self) -> LineView:
        return self.plc.feed.view

    def say(self, address: int, *words: int) -> None:
        """Set some of its registers; the station hears them with the next beat."""
        self.words[address - 98 : address - 98 + len(words)] = words

    def beat(self, times: int = 1) -> None:
        """Beat, and be heard."""
        for _ in range(times):
            self.words[HEARTBEAT - 98] += 1
            self.hear()

    def hear(self) -> None:
        self.plc._inbox.hear(self.words, "10.0.0.1:502")


@in_virtual_time
async def test_a_line_that_falls_silent_is_stale_at_the_moment_and_whoever_waits_is_woken() -> None:
    loop, line = asyncio.get_running_loop(), Line()
    line.say(PART, *ID_WORDS, 3, 17)
    line.say(BINS, 0b100)
    line.beat(2)
    heard_s = loop.time()
    assert line.view == LineView(None, True, SHOWN, SHOWN, frozenset({Destination.BIN_PITS}))
    await line.plc.feed.changed()
    assert loop.time() == pytest.approx(heard_s + STALE_S)
    assert line.view == LineView(FAULTS["plc.stale"])


@in_virtual_time
async def test_a_view_that_nobody_waits_for_expires_too() -> None:
    line = Line()
    line.beat(2)
    assert line.view.permission
    await asyncio.sleep(STALE_S - 0.001)
    assert line.view.permission
    await asyncio.sleep(0.002)
    assert line.view == LineView(FAULTS["plc.stale"])


@in_virtual_time
async def test_a_line_that_beats_is_the_same_view_for_hours_and_wakes_nobody() -> None:
    line = Line()
    line.beat(2)
    view, change = line.view, asyncio.ensure_future(line.plc.feed.changed())
    for _ in range(3600):
        await asyncio.sleep(1.0)
        line.beat()
    assert line.view.fault is None
    assert line.view == view
    assert not change.done()
    change.cancel()


@in_virtual_time
async def test_the_first_word_is_no_beat_yet() -> None:
    line = Line()
    line.say(HEARTBEAT, 7)
    line.hear()
    assert line.view == LineView(FAULTS["plc.stale"])
    line.beat()
    assert line.view.fault is None


@in_virtual_time
async def test_registers_of_zeros_pass_for_a_program_that_begins_as_long_as_a_heartbeat_may_stand() -> None:
    loop, line = asyncio.get_running_loop(), Line()
    line.beat(2)
    line.say(98, 0, 0, 77, 0)
    line.hear()
    gone_s = loop.time()
    assert line.view == LineView(FAULTS["plc.stale"])
    await line.plc.feed.changed()
    assert loop.time() == pytest.approx(gone_s + STALE_S)
    assert line.view == LineView(FAULTS["plc.wrong_map"])


@in_virtual_time
async def test_requests_of_both_kinds_come_in_the_order_in_which_they_were_heard() -> None:
    line = Line()
    line.beat(2)
    asked = [commanded(1, 2), alarm_seen(9, 3004), commanded(2, 1)]
    for address, words in ((COMMAND, (2, 1)), (ACKNOWLEDGE, (3004, 9)), (COMMAND, (1, 2))):
        line.say(address, *words)
        line.beat()
    for request in asked:
        assert line.plc.requests.pending() == request
        await line.plc.requests.answer(request, None)
        await line.plc.requests.answer(request, None)  # harmless
    assert line.plc.requests.pending() is None


@in_virtual_time
async def test_requests_of_one_kind_wait_outside_when_there_are_too_many_and_the_other_kind_is_taken() -> None:
    line = Line()
    line.beat(2)
    for number in range(1, 18):
        line.say(COMMAND, 2, number)
        line.beat()
    line.say(ACKNOWLEDGE, 3004, 9)
    line.beat()
    taken = []
    while (request := line.plc.requests.pending()) is not None:
        taken.append(request)
        await line.plc.requests.answer(request, None)
    assert taken == [*(commanded(number, 2) for number in range(1, 17)), alarm_seen(9, 3004)]
    line.beat()
    assert line.plc.requests.pending() == commanded(17, 2)


@in_virtual_time
async def test_who_waits_for_requests_is_woken_by_a_request_and_when_the_line_is_lost_or_back() -> None:
    line = Line()
    line.beat(2)
    change = line.plc.requests.changed()
    line.say(COMMAND, 2, 1)
    line.beat()
    await change
    change = line.plc.requests.changed()
    await change  # the line falls silent
    assert line.view.fault is FAULTS["plc.stale"]
    change = line.plc.requests.changed()
    line.beat()
    await change


@in_virtual_time
async def test_what_is_no_request_wakes_nobody_who_waits_for_one() -> None:
    line = Line()
    line.beat(2)
    change = asyncio.ensure_future(line.plc.requests.changed())
    line.say(PART, *ID_WORDS, 3, 17)
    line.say(PERMISSION, 0)
    line.beat()
    await asyncio.sleep(0.1)
    assert line.view.waiting == SHOWN
    assert not change.done()
    change.cancel()


@in_virtual_time
async def test_a_result_waits_for_the_acknowledgement_of_the_one_before_until_its_deadline() -> None:
    loop, line = asyncio.get_running_loop(), Line()
    line.beat(2)
    await line.plc.results.publish(result())
    began_s = loop.time()
    with pytest.raises(PlcError, match="result 1 is not acknowledged after 10 s"):
        await line.plc.results.publish(result(Verdict.REVIEW))
    assert loop.time() == pytest.approx(began_s + TAKEN_WITHIN_S)
    waiting = asyncio.ensure_future(line.plc.results.publish(result(Verdict.REVIEW)))
    await asyncio.sleep(3.0)
    line.say(RESULT, 1)
    line.beat()
    acknowledged_s = loop.time()
    await waiting
    assert loop.time() == acknowledged_s
    assert line.plc._outbox.number("result_sequence") == 2


@in_virtual_time
async def test_a_part_that_was_taken_on_is_shown_and_does_not_wait() -> None:
    line = Line()
    line.say(PART, *ID_WORDS, 3, 17)
    line.beat(2)
    await line.plc.feed.accept(inspection())
    assert (line.view.announced, line.view.waiting) == (SHOWN, None)
    await line.plc.feed.give_back(inspection())
    assert (line.view.announced, line.view.waiting) == (SHOWN, SHOWN)


@in_virtual_time
async def test_the_stations_heart_beats_at_its_pace_and_goes_on_where_it_was() -> None:
    line = Line()
    line.plc._heart.start(65530, lambda: None)
    await asyncio.sleep(4.75)
    assert line.plc._outbox.number("heartbeat") == 5, "beats 65531 to 65535, and 1 to 5"
    await line.plc._heart.stop()
    await asyncio.sleep(60)
    assert line.plc._outbox.number("heartbeat") == 5
