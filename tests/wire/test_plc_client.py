"""The line PLC as Modbus server: restarts, lost connections, and torn reads."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.plc.plc import ModbusPlc
from station.core.errors import FAULTS, PlcError
from station.core.part import Announcement
from station.core.ports.line import CellReport, LineView
from tests.housings import Destination, line_plc
from tests.wire.modbus_peer import Conduct
from tests.wire.plc_peers import (
    ID_WORDS,
    ServingPlc,
    beat,
    inspection,
    result,
    seen,
    settings,
    until,
)


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
    driver = line_plc(settings("client", plc.server.port))
    yield driver
    await driver.close()


@pytest.fixture
async def brief(plc: ServingPlc) -> AsyncIterator[ModbusPlc]:
    """One that gives a busy PLC half a second."""
    quick = settings("client", plc.server.port)
    driver = line_plc(quick.model_copy(update={"link": quick.link.model_copy(update={"request_timeout_s": 0.5})}))
    yield driver
    await driver.close()


async def test_after_a_restart_the_numbers_go_on_and_nothing_is_taken_twice(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[20:27] = [17, 0, 0, 0, 501, 1, 0]
    plc.peer.holding[41:51] = [3, 0xFFFC, 3, 0, 9876, 2, 5, 0, 12, 57]
    plc.peer.holding[64:66] = [71, 1]
    plc.peer.holding[102:107] = [2, 501, 57, 3004, 71]
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    assert driver.feed.view.waiting is None
    assert driver.requests.pending() is None
    assert plc.peer.holding[64:66] == [71, 1]
    assert plc.peer.holding[41:43] == [3, 0xFFFC]
    assert plc.peer.holding[50] == 57
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 58


async def test_a_part_that_was_accepted_before_a_restart_can_be_given_back(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[20] = 17
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    assert driver.feed.view.waiting is None
    await driver.feed.accept(inspection())
    await driver.feed.give_back(inspection())
    assert plc.peer.holding[20] == 0
    assert driver.feed.view.waiting == inspection().part


async def test_a_result_from_before_a_restart_is_still_held(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[41:43] = [3, 0xFFFC]
    plc.peer.holding[50] = 57
    plc.peer.holding[104] = 56
    driver.results._taken_within_s = 0.3
    await driver.connect()
    with pytest.raises(PlcError, match="result 57"):
        await driver.results.publish(result())


async def test_where_a_part_lies_is_confirmed_under_the_number_that_stood_there_before_a_restart(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[30:32] = [1, 70000 - 65536]
    plc.peer.holding[41:43] = [3, 0xFFFC]
    plc.peer.holding[44] = Destination.BIN_PITS.code
    plc.peer.holding[50] = 57
    plc.peer.holding[104] = 56
    await driver.connect()
    confirming = asyncio.ensure_future(driver.results.confirm(result(confirmed=Destination.BIN_PITS)))
    await until(driver, lambda: driver.feed.view.fault is None)
    assert not confirming.done()
    plc.peer.holding[104] = 57
    async with asyncio.timeout(20):
        await confirming
        await driver.results.confirm(result(confirmed=Destination.BIN_PITS))
    assert plc.peer.holding[50] == 57
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 58


@pytest.mark.parametrize("place", [0, Destination.BIN_PITS.code])
@pytest.mark.parametrize("stands", [0, 56])
async def test_where_a_part_lies_is_told_anew_where_it_does_not_stand_under_a_new_number_after_a_restart(
    plc: ServingPlc, driver: ModbusPlc, stands: int, place: int
) -> None:
    """It stands beside the number before where the station was killed while it wrote its block, the number last."""
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[30:32] = [1, 70000 - 65536]
    plc.peer.holding[41:43] = [3, 0xFFFC]
    plc.peer.holding[44] = place
    plc.peer.holding[50] = stands
    plc.peer.holding[104] = 56
    await driver.connect()
    confirming = asyncio.ensure_future(driver.results.confirm(result(confirmed=Destination.BIN_PITS)))
    await seen(plc, 50, lambda words: words[0] == 57)
    assert plc.peer.holding[44] == Destination.BIN_PITS.code
    assert not confirming.done()
    plc.peer.holding[104] = 57
    async with asyncio.timeout(20):
        await confirming


async def test_a_result_that_no_plc_would_believe_is_not_taken_over_after_a_restart(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    plc.peer.holding[0:2] = [1, 0xA55A]
    plc.peer.holding[41:43] = [3, 0xFFFC ^ 0x0101]
    plc.peer.holding[50] = 57
    plc.peer.holding[104] = 56
    await driver.connect()
    assert plc.peer.holding[30:51] == [0] * 21
    await driver.results.publish(result())
    assert plc.peer.holding[41:43] == [3, 0xFFFC]
    assert plc.peer.holding[50] == 58


async def test_a_result_has_no_number_before_the_plc_was_heard(driver: ModbusPlc) -> None:
    with pytest.raises(PlcError) as caught:
        await driver.results.publish(result())
    assert caught.value.code == "plc.unreachable"


async def test_registers_that_the_station_never_wrote_are_not_taken_over(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[20:51] = [0xFFFF] * 31
    await driver.connect()
    assert plc.peer.holding[41:43] == [0, 0]
    assert plc.peer.holding[50] == 0
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 1


async def test_only_registers_of_the_map_are_ever_written(plc: ServingPlc, driver: ModbusPlc) -> None:
    gaps = [8, 9, 18, 19, 21, 22, 23, 27, 28, 29, *range(51, 60), 63, *range(66, 98)]
    for place in gaps:
        plc.peer.holding[place] = 4711
    await driver.connect()
    await driver.results.publish(result())
    assert all(plc.peer.holding[place] == 4711 for place in gaps)
    assert all(address + len(words) <= 98 for address, words in plc.peer.writes)


BETWEEN_ITS_OWN = [*range(107, 110), 120, 121]


async def test_a_plc_that_has_exactly_the_registers_of_the_map_is_served(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.absent = {8, 9, 18, 19, *range(21, 24), *range(27, 30), *range(51, 60), 63, *range(66, 98)}
    plc.peer.absent |= {*BETWEEN_ITS_OWN, *range(123, 200)}
    await driver.connect()
    await until(driver, lambda: driver.feed.view.fault is None)
    await plc.say(110, [*ID_WORDS, 3, 17])
    await plc.say(122, [0b100])
    await until(driver, lambda: driver.feed.view.waiting)
    assert driver.feed.view.full == {Destination.BIN_PITS}
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 1
    plc.peer.holding[0:66] = [0] * 66  # its program begins anew
    await seen(plc, 50, lambda words: words[0] == 1)
    assert plc.peer.holding[1] == 0xA55A


async def test_a_plc_without_a_register_of_the_map_is_told_which(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.absent = {*BETWEEN_ITS_OWN, 112}
    with pytest.raises(PlcError, match="holding 110 to 119: exception 02") as caught:
        await driver.connect()
    assert caught.value.code == "plc.wrong_map"


async def test_a_result_that_the_plc_acknowledges_and_goes_on_with_is_delivered(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()
    await until(driver, lambda: driver.feed.view.fault is None)
    plc.peer.write_conduct.extend(["begun"] * 1000)
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 1
    plc.peer.write_conduct.clear()


@pytest.mark.parametrize("conduct", ["busy", "no path", "no target"])
async def test_a_result_for_which_the_plc_has_no_time_is_written_again_as_soon_as_it_has(
    plc: ServingPlc, brief: ModbusPlc, conduct: Conduct
) -> None:
    await brief.connect()
    await until(brief, lambda: brief.feed.view.fault is None)
    plc.peer.write_conduct.extend([conduct] * 3)
    await brief.results.publish(result())
    assert plc.peer.holding[50] == 1
    assert plc.peer.wire.connections == 1
    assert brief.feed.view.fault is None


async def test_a_plc_that_stays_busy_is_asked_at_the_pace_of_the_looks_and_told_by_its_exception(
    plc: ServingPlc, brief: ModbusPlc
) -> None:
    await brief.connect()
    await until(brief, lambda: brief.feed.view.fault is None)
    plc.peer.write_conduct.extend(["busy"] * 1000)
    with pytest.raises(PlcError, match="exception 06, device busy") as caught:
        await brief.results.publish(result())
    assert caught.value.code == "plc.unreachable"
    assert len(plc.peer.write_conduct) > 700, "in half a second, with the heartbeats"
    plc.peer.write_conduct.clear()
    await brief.results.publish(result())
    assert plc.peer.holding[50] == 1, "the same result has the same number"


async def refused(plc: ServingPlc, count: int) -> None:
    """Return when the PLC has refused so many more requests."""
    left = len(plc.peer.write_conduct) - count
    while len(plc.peer.write_conduct) > left:  # noqa: ASYNC110  # a peer has no events
        await asyncio.sleep(0)


async def test_what_is_written_late_is_what_stands_then(plc: ServingPlc, brief: ModbusPlc) -> None:
    await brief.connect()
    await until(brief, lambda: brief.feed.view.fault is None)
    plc.peer.write_conduct.extend(["busy"] * 1000)
    late = asyncio.ensure_future(brief.results.report(CellReport(6, 1, None, 5, 1)))
    await refused(plc, 5)
    brief._outbox.put({"state_current": 11})
    await refused(plc, 10)
    plc.peer.write_conduct.clear()
    await late
    assert plc.peer.holding[11] == 11


@pytest.mark.parametrize("word", [(98, 2), (99, 0)])
async def test_another_map_is_refused(plc: ServingPlc, driver: ModbusPlc, word: tuple[int, int]) -> None:
    plc.peer.holding[word[0]] = word[1]
    with pytest.raises(PlcError, match=f"holding {word[0]}") as caught:
        await driver.connect()
    assert caught.value.code == "plc.wrong_map"
    assert not plc.peer.writes


async def test_a_plc_that_is_gone_is_noticed_and_gets_everything_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    await driver.results.report(CellReport(6, 1, None, 5, 1))
    await driver.results.publish(result())
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    with pytest.raises(PlcError):
        await driver.results.report(CellReport(5, 1, FAULTS["plc.unreachable"], 5, 1))
    plc.peer.holding[0:98] = [0] * 98  # it was switched off
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is None)
    assert plc.peer.holding[0:2] == [1, 0xA55A]
    assert plc.peer.holding[11:14] == [5, 1, 5001]
    assert plc.peer.holding[41:43] == [3, 0xFFFC]
    assert plc.peer.holding[50] == 1


async def test_a_result_whose_number_got_no_answer_keeps_its_number_when_it_is_sent_again(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()

    beaten = asyncio.Event()
    plc.peer.on_write = lambda address, _words: beaten.set() if address == 10 else None
    await beaten.wait()  # the next beat is far, so the answer that is lost is the result's
    plc.peer.write_conduct.extend(["swallow"] * 20)
    with pytest.raises(PlcError):
        await driver.results.publish(result())
    assert plc.peer.holding[50] == 1
    plc.peer.write_conduct.clear()
    await until(driver, lambda: driver.feed.view.fault is None)
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 1


async def test_a_result_whose_number_got_no_answer_is_not_sent_again_when_it_was_acknowledged_meanwhile(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()
    beaten = asyncio.Event()
    plc.peer.on_write = lambda address, _words: beaten.set() if address == 10 else None
    await beaten.wait()
    plc.peer.write_conduct.extend(["swallow"] * 20)
    with pytest.raises(PlcError):
        await driver.results.publish(result())
    plc.peer.write_conduct.clear()
    await plc.say(104, [1])
    async with asyncio.timeout(20):
        while driver._outbox.last_taken != 1:  # noqa: ASYNC110  # it is heard with a poll
            await asyncio.sleep(0.002)
    plc.peer.holding[0:66] = [0] * 66  # its program begins anew
    await plc.say(104, [0])
    await seen(plc, 0, lambda words: words[1] == 0xA55A)
    await driver.results.publish(result())
    assert plc.peer.holding[50] == 0
    await driver.results.publish(result(confirmed=Destination.BIN_PITS))
    assert plc.peer.holding[50] == 2


async def test_a_part_whose_acceptance_failed_is_offered_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    await until(driver, lambda: driver.feed.view.waiting)
    await plc.server.stop()
    with pytest.raises(PlcError):
        await driver.feed.accept(inspection())
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.waiting)
    assert plc.peer.holding[20] == 0
    await driver.feed.accept(inspection())
    assert plc.peer.holding[20] == 17


async def test_a_plc_that_lost_its_memory_may_give_the_accepted_number_to_another_part(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    await until(driver, lambda: driver.feed.view.waiting)
    await driver.feed.accept(inspection())
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    plc.peer.holding[0:98] = [0] * 98
    plc.peer.holding[113] = 0x3433  # its program has begun anew and announces SMH-0043, with the same number
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.waiting)
    assert driver.feed.view.waiting == Announcement(17, "SMH-0043", 3)
    await seen(plc, 20, lambda words: words[0] == 0)


async def test_a_connection_that_broke_makes_no_announcement_new(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await driver.connect()
    await until(driver, lambda: driver.feed.view.waiting)
    await driver.feed.accept(inspection())
    await plc.server.stop()
    await until(driver, lambda: driver.feed.view.fault is FAULTS["plc.unreachable"])
    plc.peer.holding[113] = 0x3433  # the id of the next part, whose number comes later
    await plc.server.start()
    await until(driver, lambda: driver.feed.view.fault is None)
    assert driver.feed.view.waiting is None
    assert plc.peer.holding[20] == 17


async def test_a_look_asks_the_plc_after_the_call(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    before = len(plc.peer.reads)
    await driver.feed.read_now()
    assert len(plc.peer.reads) > before


async def test_words_that_changed_during_a_read_are_read_again(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    before = len(plc.peer.reads)
    plc.peer.holding[110:120] = [*ID_WORDS, 3, 17]
    await until(driver, lambda: driver.feed.view.waiting)
    assert len(plc.peer.reads) >= before + 2


async def test_nobody_there_is_unreachable_and_leaves_nothing_running(plc: ServingPlc, driver: ModbusPlc) -> None:
    await plc.server.stop()
    with pytest.raises(PlcError) as caught:
        await driver.connect()
    assert caught.value.code == "plc.unreachable"
    assert driver.feed.view.fault is FAULTS["plc.unreachable"]


async def test_a_poller_that_died_is_the_stations_own_fault_and_nothing_is_believed(
    plc: ServingPlc, driver: ModbusPlc, monkeypatch: pytest.MonkeyPatch
) -> None:
    await driver.connect()
    await until(driver, lambda: driver.feed.view.permission)

    async def broken(_: object, __: object) -> list[int]:
        raise RuntimeError("broken")

    monkeypatch.setattr("drivers.modbus.reading.Reading.read", broken)
    await until(driver, lambda: driver.feed.view == LineView(FAULTS["station.bug"]))
    with pytest.raises(PlcError, match="poller of the plc ended") as caught:
        await driver.feed.read_now()
    assert caught.value.code == "station.bug"
