"""What every ledger does: the one in memory, and the one on the disk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from station.core.alarms import Alarm, AlarmList
from station.core.errors import FAULTS, BugError, Reaction
from station.core.part import Inspection, ModelIdentity, Order, Receipt
from station.core.ports.records import PartLedger
from station.core.spent import Spent
from tests.contract.fake_ledger import FakeLedger
from tests.housings import Destination, Verdict
from tests.record_samples import (
    INTERRUPTED,
    JUDGED_BY,
    MODEL,
    PART_TYPE,
    START,
    decision,
    judgement,
    open_ledger,
    part,
    scores,
)

LOST = FAULTS["robot.part_lost"]
WITHDRAWN = FAULTS["part.withdrawn"]
Step = Callable[[PartLedger, Inspection], Awaitable[None]]


@pytest.fixture(params=["memory", "disk"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PartLedger]:
    made: PartLedger = FakeLedger() if request.param == "memory" else await open_ledger(tmp_path)
    yield made
    await made.close()


STEPS: dict[str, Step] = {
    "judged": lambda ledger, inspection: ledger.judged(inspection, judgement()),
    "interrupted": lambda ledger, inspection: ledger.interrupted(inspection, INTERRUPTED, "stopped"),
    "sorted": lambda ledger, inspection: ledger.sorted(inspection, Destination.BIN_PITS),
    "lost": lambda ledger, inspection: ledger.lost(inspection, LOST, "dropped"),
    "withdrawn": lambda ledger, inspection: ledger.withdrawn(inspection, WITHDRAWN, "another id"),
}


async def test_where_a_part_lies_is_to_be_told_from_the_moment_its_record_is_closed(ledger: PartLedger) -> None:
    entered = [await ledger.enter(part(f"SMH-000{number}"), PART_TYPE) for number in (1, 2, 3)]
    for inspection in entered:
        await ledger.judged(inspection, judgement())
    await ledger.lost(entered[1], LOST, "dropped")
    assert await ledger.untold() == []
    await ledger.sorted(entered[0], Destination.BIN_PITS)
    await ledger.interrupted(entered[2], INTERRUPTED, "stopped")
    await ledger.sorted(entered[2], Destination.BIN_REVIEW)
    first, last = await ledger.untold()
    assert (first.inspection, first.confirmed) == (entered[0], Destination.BIN_PITS)
    assert (first.decision.verdict, first.ms_after_last_line) == (decision().verdict, judgement().ms_after_last_line)
    assert (last.inspection, last.confirmed, last.decision.fault) == (entered[2], Destination.BIN_REVIEW, INTERRUPTED)
    await ledger.told(entered[0])
    await ledger.told(entered[0])
    assert [one.inspection for one in await ledger.untold()] == [entered[2]]


@pytest.mark.parametrize(
    "way",
    [
        "judged sorted",
        "judged lost",
        "judged interrupted sorted",
        "judged interrupted lost",
        "interrupted sorted",
        "interrupted interrupted sorted",
        "interrupted lost",
        "lost",
        "withdrawn",
    ],
)
async def test_an_inspection_is_open_until_it_is_sorted_or_lost(ledger: PartLedger, way: str) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    for step in way.split():
        assert list(await ledger.open_inspections()) == [inspection]
        await STEPS[step](ledger, inspection)
    assert list(await ledger.open_inspections()) == []


@pytest.mark.parametrize(
    ("way", "refused"),
    [
        ("", "sorted"),
        ("judged", "judged"),
        ("interrupted", "judged"),
        ("judged sorted", "judged"),
        ("judged sorted", "interrupted"),
        ("judged sorted", "sorted"),
        ("judged sorted", "lost"),
        ("lost", "judged"),
        ("lost", "interrupted"),
        ("lost", "sorted"),
        ("lost", "lost"),
        ("judged", "withdrawn"),
        ("interrupted", "withdrawn"),
        ("lost", "withdrawn"),
        ("withdrawn", "withdrawn"),
        ("withdrawn", "judged"),
        ("withdrawn", "lost"),
        ("withdrawn", "sorted"),
        ("withdrawn", "interrupted"),
    ],
)
async def test_what_cannot_follow_is_refused_and_changes_nothing(ledger: PartLedger, way: str, refused: str) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    for step in way.split():
        await STEPS[step](ledger, inspection)
    before = list(await ledger.open_inspections())
    with pytest.raises(BugError) as caught:
        await STEPS[refused](ledger, inspection)
    assert caught.value.code == "station.bug"
    assert list(await ledger.open_inspections()) == before


@pytest.mark.parametrize("step", STEPS)
async def test_an_inspection_that_never_entered_is_refused(ledger: PartLedger, step: str) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    with pytest.raises(BugError):
        await STEPS[step](ledger, replace(inspection, inspection_id="20260501T060000000-0000000"))


async def test_inspections_are_numbered_from_one_and_have_ids_of_their_own(ledger: PartLedger) -> None:
    inspections = [await ledger.enter(part("SAME"), PART_TYPE) for _ in range(5)]
    assert [inspection.number for inspection in inspections] == [1, 2, 3, 4, 5]
    assert len({inspection.inspection_id for inspection in inspections}) == 5
    assert all(len(inspection.inspection_id) <= 26 for inspection in inspections)


async def test_open_inspections_come_back_whole_and_oldest_first(ledger: PartLedger) -> None:
    first, second, third = [await ledger.enter(part(name, 9), PART_TYPE) for name in ("B", "A", "C")]
    await ledger.judged(second, judgement())
    await ledger.sorted(second, Destination.BIN_PITS)
    await ledger.judged(third, judgement())
    assert list(await ledger.open_inspections()) == [first, third]


async def test_calls_at_the_same_time_get_numbers_of_their_own(ledger: PartLedger) -> None:
    entered = await asyncio.gather(*[ledger.enter(part(), PART_TYPE) for _ in range(20)])
    orders = await asyncio.gather(*[ledger.order("jig", "stop", 0, None) for _ in range(20)])
    assert sorted(inspection.number for inspection in entered) == list(range(1, 21))
    assert sorted(order.number for order in orders) == list(range(1, 21))


async def test_each_device_counts_its_orders_by_itself(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    assert await ledger.order("robot", "load", 0, inspection) == Order("robot", 1, "load", 0)
    assert await ledger.order("jig", "spin", 1066, inspection) == Order("jig", 1, "spin", 1066)
    assert await ledger.order("robot", "unload", 3, inspection) == Order("robot", 2, "unload", 3)
    assert await ledger.order("jig", "stop", 0, None) == Order("jig", 2, "stop", 0)


@pytest.mark.parametrize(
    ("own", "device_last", "next_number"),
    [
        (0, 0, 1),  # both new
        (0, 17, 18),  # the database is new, the device is not
        (0, 40_000, 40_001),
        (0, 65_535, 1),
        (5, 0, 6),  # the device was switched off and on
        (5, 5, 6),  # as it was left
        (6, 5, 7),  # an order was written and never went out
        (5, 9, 10),  # an old database was put back
        (5, 30_000, 30_001),
        (65_535, 0, 1),  # never 0
        (65_535, 65_535, 1),
        (65_534, 65_535, 1),
        (65_535, 3, 4),  # the device went round already
        (3, 65_535, 4),  # the ledger went round already
        (30_000, 29_000, 30_001),
    ],
)
async def test_order_numbers_go_on_after_those_of_device_and_ledger(
    ledger: PartLedger, own: int, device_last: int, next_number: int
) -> None:
    await ledger.adopt_order_number("robot", own)
    await ledger.adopt_order_number("robot", device_last)
    assert (await ledger.order("robot", "home", 0, None)).number == next_number
    assert (await ledger.order("jig", "stop", 0, None)).number == 1


async def test_an_order_has_one_receipt(ledger: PartLedger) -> None:
    order = await ledger.order("robot", "home", 0, None)
    await ledger.receipt(Receipt(order, 0, 10, 20))
    with pytest.raises(BugError):
        await ledger.receipt(Receipt(order, 0, 10, 20))
    with pytest.raises(BugError):
        await ledger.receipt(Receipt(Order("robot", 2, "home"), 0, 10, 20))
    with pytest.raises(BugError):
        await ledger.receipt(Receipt(Order("jig", 1, "stop"), 0, 10, 20))


async def test_an_order_for_an_inspection_that_never_entered_takes_no_number(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    with pytest.raises(BugError):
        await ledger.order("robot", "load", 0, replace(inspection, inspection_id="unknown"))
    assert (await ledger.order("robot", "load", 0, inspection)).number == 1


async def test_a_judgement_without_scan_is_taken(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    nothing = replace(judgement(decision(Verdict.REVIEW, INTERRUPTED)), roi=None, blocks=(), ms_after_last_line=None)
    await ledger.judged(inspection, nothing)
    await ledger.sorted(inspection, Destination.BIN_REVIEW)
    await ledger.note("part_sorted", "by hand")
    assert list(await ledger.open_inspections()) == []


async def test_the_journal_tells_how_far_an_inspection_came(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part("A1"), PART_TYPE)
    assert (await ledger.journal(inspection)).decision is None
    load = await ledger.order("robot", "load", 0, inspection)
    await ledger.receipt(Receipt(load, 0, 1, 2))
    await ledger.judged(inspection, judgement())
    unload = await ledger.order("robot", "unload", 3, inspection)
    journal = await ledger.journal(inspection)
    assert journal.decision is not None
    assert journal.decision.verdict == decision().verdict
    assert [(one.order, one.confirmed) for one in journal.orders] == [(load, 0), (unload, None)]
    assert journal.robot_order("unload") == journal.orders[-1]
    assert journal.robot_order("home") is None


async def test_the_last_order_of_a_device_is_known_with_its_end(ledger: PartLedger) -> None:
    assert await ledger.last_order("robot") is None
    home = await ledger.order("robot", "home", 0, None)
    await ledger.order("jig", "stop", 0, None)
    last = await ledger.last_order("robot")
    assert last is not None
    assert (last.order, last.inspection_id, last.confirmed) == (home, None, None)
    await ledger.receipt(Receipt(home, 0, 1, 2))
    last = await ledger.last_order("robot")
    assert last is not None
    assert last.confirmed == 0


async def test_the_journal_tells_the_verdict_as_it_stands_and_on_what_grounds(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, judgement(decision(Verdict.DEFECT_FREE, probabilities=scores(4))))
    judged = (await ledger.journal(inspection)).decision
    assert judged is not None
    assert (judged.verdict, judged.fault, judged.detail) == (Verdict.DEFECT_FREE, None, "as measured")
    await ledger.interrupted(inspection, INTERRUPTED, "left on the jig")
    now = (await ledger.journal(inspection)).decision
    assert now is not None
    assert (now.verdict, now.fault, now.detail) == (Verdict.REVIEW, INTERRUPTED, "left on the jig")
    assert (now.algorithm1, now.confidence, now.deciding_patch, now.defect_patches) == (Verdict.PITS, 0.75, 5, 3)
    assert np.array_equal(now.probabilities, scores(4))


async def test_the_journal_of_a_part_that_was_interrupted_before_it_was_judged_is_review(ledger: PartLedger) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.interrupted(inspection, INTERRUPTED, "power failed")
    journal = await ledger.journal(inspection)
    assert journal.decision is not None
    assert (journal.decision.verdict, journal.decision.fault) == (Verdict.REVIEW, INTERRUPTED)
    assert (journal.decision.algorithm1, journal.decision.probabilities.size) == (None, 0)
    assert journal.ms_after_last_line is None


@pytest.mark.parametrize("classes", [(), ("good",), ("a", "b", "c", "d"), ("a", "b", "c", "d", "e", "f")])
async def test_scores_without_a_name_for_each_of_their_columns_are_refused(
    ledger: PartLedger, classes: tuple[str, ...]
) -> None:
    inspection = await ledger.enter(part(), PART_TYPE)
    with pytest.raises(BugError):
        await ledger.judged(inspection, replace(judgement(), by=replace(JUDGED_BY, classes=classes)))
    assert (await ledger.journal(inspection)).decision is None
    await ledger.judged(inspection, judgement())


async def test_what_was_taken_on_last_is_what_was_not_withdrawn(ledger: PartLedger) -> None:
    assert await ledger.last_taken_on() is None
    taken = [await ledger.enter(part(name, number), PART_TYPE) for number, name in enumerate("AB", 7)]
    assert await ledger.last_taken_on() == taken[1].part
    await ledger.withdrawn(taken[1], WITHDRAWN, "")
    assert await ledger.last_taken_on() == taken[0].part


async def test_the_last_model_is_that_of_the_part_that_was_taken_on_last_of_those_judged(ledger: PartLedger) -> None:
    assert await ledger.last_model() is None
    other = ModelIdentity("inception-cnn-2", "cd" * 32)
    first, second = [await ledger.enter(part(name), PART_TYPE) for name in "AB"]
    await ledger.judged(first, judgement())
    assert await ledger.last_model() == MODEL
    await ledger.judged(second, replace(judgement(), by=replace(JUDGED_BY, model=other)))
    assert await ledger.last_model() == other


async def test_a_ledger_looks_after_itself(ledger: PartLedger) -> None:
    await ledger.answers()
    await ledger.look()
    assert await ledger.prune() == 0
    room = await ledger.room()
    assert room.free > 0
    assert room.journal >= 0
    assert await ledger.readers() == ""


async def test_a_ledger_may_be_closed_twice(ledger: PartLedger) -> None:
    await ledger.close()
    await ledger.close()


MOMENT = START.replace(microsecond=250_000)


async def kept(ledger: PartLedger, *changes: Alarm) -> list[Alarm]:
    for alarm in changes:
        await ledger.keep_alarm(alarm)
    return list(await ledger.listed_alarms())


async def test_an_alarm_stays_on_the_list_until_it_is_over_and_acknowledged(ledger: PartLedger) -> None:
    book, at = AlarmList(), MOMENT
    raised = book.raise_(FAULTS["jig.fault"], Reaction.HOLD, "fault 7", at)
    assert await kept(ledger, raised) == [raised]
    again = book.raise_(FAULTS["jig.fault"], Reaction.HOLD, "fault 9", at + timedelta(seconds=1))
    assert await kept(ledger, again) == [again]
    cleared = book.clear(at + timedelta(seconds=2))
    assert await kept(ledger, *cleared) == cleared
    assert await kept(ledger, book.acknowledge("jig.fault", at + timedelta(seconds=3), "anna")) == []


async def test_alarms_are_listed_with_the_one_raised_last_at_the_end(ledger: PartLedger) -> None:
    book, at = AlarmList(), MOMENT
    for second, code in enumerate(("jig.fault", "camera.lost", "plc.stale", "jig.fault")):
        reaction = FAULTS[code].reaction
        await ledger.keep_alarm(book.raise_(FAULTS[code], reaction, "", at + timedelta(seconds=second)))
    assert await ledger.listed_alarms() == list(book.alarms)
    assert [alarm.fault.code for alarm in book.alarms] == ["camera.lost", "plc.stale", "jig.fault"]


async def test_a_fault_that_comes_back_after_it_was_done_with_is_an_alarm_of_its_own(ledger: PartLedger) -> None:
    book, at = AlarmList(), MOMENT
    await ledger.keep_alarm(book.raise_(FAULTS["jig.fault"], Reaction.HOLD, "", at))
    await ledger.keep_alarm(book.acknowledge("jig.fault", at, "plc"))
    over = book.clear(at)
    assert await kept(ledger, *over, *over) == []
    again = book.raise_(FAULTS["jig.fault"], Reaction.HOLD, "", at)
    assert again.count == 1
    assert await kept(ledger, again) == [again]


async def test_what_was_spent_of_budgets_is_told_without_parts_that_try_the_station(ledger: PartLedger) -> None:
    begun = START - timedelta(days=1)
    assert await ledger.spent(begun) == Spent()
    cheaper, golden = FAULTS["part.review_cheaper"], FAULTS["part.golden"]
    for number, fault in enumerate((None, cheaper, golden, *(None,) * 98)):
        inspection = await ledger.enter(part(f"P{number}", number + 1), PART_TYPE)
        verdict = Verdict.DEFECT_FREE if fault is None else Verdict.REVIEW
        await ledger.judged(inspection, judgement(decision(verdict, fault)))
    spent = await ledger.spent(begun)
    assert spent == Spent((), {PART_TYPE.name: (True, *(False,) * 98)}), "of the last 99 parts of production"
    await ledger.note("part_looked_at_again", "I1 part.unknown: as unlike as none")
    await ledger.note("part_rescanned", "I1 scan.incomplete: lines are missing")
    assert len((await ledger.spent(begun)).second_looks) == 1
    assert (await ledger.spent(datetime.now(UTC) + timedelta(hours=1))).second_looks == ()
