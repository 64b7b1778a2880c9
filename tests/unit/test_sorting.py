"""From the decision to the bin: who has it first, what is stopped whatever happens, and what is counted."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from station.cell.concluding import Judged
from station.cell.counters import Counters
from station.cell.sorting import Recorded, Sorting
from station.core.broadcast import Broadcast
from station.core.clock import SystemClock
from station.core.drift.course import Seen, Watched
from station.core.errors import FAULTS, PlcError, RecordError, RobotError
from station.core.events import CellEvent, PartLost, PartSorted, StepStarted
from station.core.judgement import Defect, Judgement, Published
from station.core.part import Inspection, Order, Receipt
from station.core.reason import Reason
from station.core.timeline import Delivery, SettleTimes
from tests.contract.fake_ledger import FakeLedger
from tests.housings import TABLE, Destination, Verdict
from tests.record_samples import PART_TYPE, decision, judgement, part

FOUND = Defect("pits", 5, 0.75, 12.0, 3.0, 0.5, 0.5)
GONE = PlcError("plc.unreachable", "cut")
SETTLED = SettleTimes(Delivery(1, 2), 3)
CODE = Destination.BIN_PITS.code


class FullLedger(FakeLedger):
    """Has no room for a judgement."""

    async def judged(self, inspection: Inspection, judgement: Judgement) -> None:
        raise RecordError("record.disk_failed", f"no room for {inspection.inspection_id}: {judgement.decision.detail}")


@dataclass
class Yard:
    """Everything around the sorting: what was done is written down in order.

    Attributes:
        done: What was done.
        events: What was told.
        confirmed: The place that the robot confirms.
        line_error: What the line fails with, or None.
        rest: Set when the jig may come to rest.
        ledger: The records.
    """

    done: list[str] = field(default_factory=list)
    events: list[CellEvent] = field(default_factory=list)
    confirmed: int = CODE
    line_error: PlcError | None = None
    rest: asyncio.Event = field(default_factory=asyncio.Event)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def __post_init__(self) -> None:
        self.rest.set()
        self.told_when_published = -1
        self.counters = Counters()
        self.broadcast = Broadcast(self.events.append)
        yard: Any = self
        self.sorting = Sorting(
            yard, self.ledger, yard, yard, self.counters, SystemClock(), self.broadcast, TABLE
        )  # fmt: skip

    # ---- jig and robot

    async def stop(self, _inspection: Inspection | None) -> None:
        self.done.append("stop")
        await self.rest.wait()
        self.done.append("rest")

    async def unload(self, _inspection: Inspection, destination: object) -> Receipt:
        self.done.append(f"unload {destination.name}")  # type: ignore[attr-defined]
        return Receipt(Order("robot", 1, "unload", CODE), self.confirmed, 1, 2)

    # ---- the line

    async def publish(self, result: Published) -> Delivery:
        self.done.append(f"publish {result.confirmed.name if result.confirmed else 'decision'}")
        await asyncio.sleep(0)
        self.told_when_published = len(self.events)
        if self.line_error is not None:
            raise self.line_error
        return Delivery(1, 2)

    async def room_for(self, place: object) -> None:
        self.done.append(f"room {place.name}")  # type: ignore[attr-defined]

    async def list_defects(self, _inspection: Inspection, defects: tuple[Defect, ...]) -> None:
        self.done.append(f"{len(defects)} defects")

    # ---- the compute thread

    async def find(self, *_arguments: object) -> tuple[Defect, ...]:
        self.done.append("locate")
        return (FOUND,)

    # ---- parts

    async def entered(self) -> Inspection:
        return await self.ledger.enter(part(), PART_TYPE)

    async def judged(self) -> Inspection:
        """An inspection whose decision is recorded."""
        inspection = await self.entered()
        await self.ledger.judged(inspection, judgement())
        return inspection

    def state(self, inspection: Inspection) -> str:
        return self.ledger.entries[inspection.inspection_id].state

    def counted(self) -> tuple[int, int]:
        return self.counters.processed, [type(event) for event in self.events].count(PartSorted)


JUDGED = Judged(judgement(), None)
RECIPE: Any = None


async def test_the_line_has_the_decision_first_and_the_jig_rests_before_the_robot_may_be_ordered() -> None:
    yard = Yard()
    yard.rest.clear()
    inspection = await yard.entered()
    recording = asyncio.ensure_future(yard.sorting.publish_and_record(inspection, JUDGED, RECIPE))
    while yard.state(inspection) != "judged":  # noqa: ASYNC110  # the fake has no events
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert yard.done == ["publish decision", "stop", "locate"]
    assert not recording.done()
    yard.rest.set()
    recorded = await recording
    assert yard.done[-1] == "rest"
    assert recorded.judged.judgement.defects == (FOUND,)
    entry = yard.ledger.entries[inspection.inspection_id]
    assert entry.judgement is not None
    assert entry.judgement.defects == (FOUND,)


async def test_what_a_scan_shows_beside_its_part_is_reckoned_when_the_line_has_the_decision_and_is_recorded() -> None:
    yard = Yard()
    inspection = await yard.entered()
    watched = Watched(Seen(lamp=12.5))

    def watching() -> Watched:
        yard.done.append("watch")
        return watched

    recorded = await yard.sorting.publish_and_record(inspection, replace(JUDGED, watching=watching), RECIPE)
    assert yard.done == ["publish decision", "stop", "rest", "locate", "watch"]
    assert recorded.judged.judgement.watched == watched
    entry = yard.ledger.entries[inspection.inspection_id]
    assert entry.judgement is not None
    assert entry.judgement.watched == watched


async def test_the_jig_is_stopped_although_the_line_is_gone_for_good_and_nothing_is_recorded() -> None:
    yard = Yard(line_error=GONE)
    inspection = await yard.entered()
    with pytest.raises(PlcError):
        await yard.sorting.publish_and_record(inspection, JUDGED, RECIPE)
    assert yard.done == ["publish decision", "stop", "rest"]
    assert yard.state(inspection) == "open"


async def test_the_jig_is_stopped_although_the_record_cannot_be_written() -> None:
    yard = Yard(ledger=FullLedger())
    with pytest.raises(RecordError):
        await yard.sorting.publish_and_record(await yard.entered(), JUDGED, RECIPE)
    assert yard.done == ["publish decision", "stop", "rest", "locate"]


@pytest.mark.parametrize("error", [None, GONE])
async def test_what_waited_for_the_decision_is_told_when_it_has_arrived_or_cannot(error: PlcError | None) -> None:
    yard = Yard(line_error=error)
    inspection = await yard.entered()
    waiting = StepStarted(inspection, "decide")
    yard.broadcast.hold()
    yard.broadcast.tell(waiting)
    await asyncio.gather(yard.sorting.publish_and_record(inspection, JUDGED, RECIPE), return_exceptions=True)
    assert yard.told_when_published == 0
    assert yard.events == [waiting]


async def test_a_part_is_laid_down_closed_published_and_counted_once_in_this_order() -> None:
    yard = Yard()
    inspection = await yard.judged()
    recorded = Recorded(Judged(judgement(), None), SETTLED)
    await yard.sorting.unload(inspection, recorded, 0)
    assert yard.done == ["room bin_pits", "unload bin_pits", "publish bin_pits"]
    assert yard.state(inspection) == "sorted"
    assert yard.counted() == (1, 1)
    assert yard.counters.defective == 1


async def test_what_was_found_on_a_part_is_shown_to_the_line() -> None:
    yard = Yard()
    await yard.sorting.list_defects(await yard.judged(), Recorded(Judged(judgement(), None), SETTLED))
    assert yard.done == ["0 defects"]


Way = Callable[[Yard, Inspection], Awaitable[None]]


async def unloads(yard: Yard, inspection: Inspection) -> None:
    await yard.sorting.unload(inspection, Recorded(JUDGED, SETTLED), 0)


async def sends_to_review(yard: Yard, inspection: Inspection) -> None:
    await yard.sorting.send_to_review(inspection, decision(Verdict.REVIEW, FAULTS["part.interrupted"]), None)


@pytest.mark.parametrize("way", [unloads, sends_to_review])
async def test_a_part_in_another_bin_is_closed_where_it_lies_counted_and_then_an_error(way: Way) -> None:
    yard = Yard(confirmed=Destination.SECOND_INSPECTION.code)
    inspection = await yard.judged()
    with pytest.raises(RobotError, match="confirmed second_inspection"):
        await way(yard, inspection)
    assert yard.state(inspection) == "sorted"
    assert yard.done[-1] == "publish second_inspection"
    assert yard.counted() == (1, 1)


@pytest.mark.parametrize("way", [unloads, sends_to_review])
async def test_a_part_in_no_bin_at_all_keeps_its_record_open_and_is_not_counted(way: Way) -> None:
    yard = Yard(confirmed=0)
    inspection = await yard.judged()
    with pytest.raises(RobotError, match="confirmed place code 0"):
        await way(yard, inspection)
    assert yard.state(inspection) == "judged"
    assert yard.counted() == (0, 0)


async def test_a_part_that_a_stop_has_left_is_published_given_room_laid_down_and_counted_once() -> None:
    yard = Yard(confirmed=Destination.BIN_REVIEW.code)
    inspection = await yard.judged()
    await sends_to_review(yard, inspection)
    assert yard.done == ["publish decision", "room bin_review", "unload bin_review", "publish bin_review"]
    assert yard.counted() == (1, 1)
    (event,) = yard.events
    assert isinstance(event, PartSorted)
    assert (event.confirmed, event.scan_valid) == (Destination.BIN_REVIEW, False)


async def test_a_lost_part_is_closed_and_told_and_not_counted() -> None:
    yard = Yard()
    inspection = await yard.judged()
    await yard.sorting.lose(inspection, Reason(FAULTS["part.interrupted"], "nowhere to be seen"))
    assert yard.state(inspection) == "lost"
    assert [type(event) for event in yard.events] == [PartLost]
    assert yard.counted() == (0, 0)
