"""Where parts lie is told to the line whatever ends in between: once read, once more at the most, never out of turn.

A life of the station is killed at each moment; the ledger is what is on the disk, the line is what the PLC remembers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from station.cell.counters import Counters
from station.cell.delivery import LineResults
from station.cell.packml import Command, Unit
from station.cell.sorting import Sorting
from station.cell.telling import DISK_PAUSE_S, Tellings
from station.core.broadcast import Broadcast
from station.core.clock import SystemClock
from station.core.errors import FAULTS, PlcError, RecordError
from station.core.judgement import Published
from station.core.part import Inspection
from station.core.ports.line import LineView
from station.core.pulse import Pulse
from station.core.timeline import Delivery
from tests.contract.fake_ledger import FakeLedger
from tests.housings import TABLE, Destination
from tests.record_samples import PART_TYPE, judgement, part
from tests.virtual_time import in_virtual_time, turn

PLACE = Destination.BIN_PITS


@dataclass
class Line:
    """The line PLC: it reads what stands in its registers, and remembers the result that it read last.

    Attributes:
        serves: The registers are its own, and outlive the station.
        reads: Whether its program runs.
        away: Whether it can be talked with.
        stands: The result in the registers.
        seen: Every result that it took for a new number.
        counted: Those that it took for another part's, or another place.
    """

    serves: bool
    reads: bool = True
    away: bool = False
    stands: Published | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read: Published | None = None
        self.pulse = Pulse()

    def look(self) -> None:
        """Its program runs once."""
        if self.reads and self.stands is not None and self.read is not self.stands:
            self.read = self.stands
            what = _named(self.stands)
            self.seen.append(what)
            if what not in self.counted[-1:]:
                self.counted.append(what)
            self.pulse.beat()

    def back(self) -> None:
        """It is there again, and its program runs."""
        self.away, self.reads = False, True
        self.look()
        self.pulse.beat()


def _named(result: Published) -> tuple[str, str]:
    return result.inspection.part.part_id, result.confirmed.name if result.confirmed else ""


class Life:
    """What one life of the station has in its memory: a sink and a feed, as the driver's."""

    def __init__(self, line: Line, ledger: FakeLedger) -> None:
        self.line = line
        if not line.serves:
            line.stands = None
        talk: Any = self
        self.tellings = Tellings(talk, talk, ledger)
        self.unit = Unit()
        self.results = LineResults(talk, talk, self.unit, asyncio.Event(), self.tellings)
        self.sorting = Sorting(
            talk, ledger, self.results, talk, Counters(), SystemClock(), Broadcast(lambda _event: None), TABLE
        )  # fmt: skip
        self.on_written: Callable[[], None] = lambda: None
        self.on_acknowledged: Callable[[], None] = lambda: None

    @property
    def view(self) -> LineView:
        return LineView(FAULTS["plc.unreachable"] if self.line.away else None)

    def changed(self) -> Coroutine[Any, Any, None]:
        return self.line.pulse.changed()

    async def publish(self, result: Published) -> Delivery:
        if self.line.away:
            raise PlcError("plc.unreachable", "away")
        if self.line.stands is None or _named(self.line.stands) != _named(result) or not result.confirmed:
            await self._acknowledged()
            self.line.stands = result
            self.on_written()
            self.line.look()
        return Delivery(1, 2)

    async def confirm(self, result: Published) -> None:
        await self.publish(result)
        await self._acknowledged()
        self.on_acknowledged()

    async def _acknowledged(self) -> None:
        while self.line.stands is not None and self.line.read is not self.line.stands:
            await self.line.pulse.changed()


@asynccontextmanager
async def living(line: Line, ledger: FakeLedger) -> AsyncIterator[Life]:
    """A life of the station, which is killed at the end: nothing of its memory is left."""
    life = Life(line, ledger)
    serving = asyncio.ensure_future(life.tellings.serve())
    await turn()  # it has looked what was left
    try:
        yield life
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def judged(ledger: FakeLedger, number: int = 1) -> Inspection:
    inspection = await ledger.enter(part(f"SMH-{number:04}"), PART_TYPE)
    await ledger.judged(inspection, judgement())
    return inspection


def decided(inspection: Inspection, confirmed: Destination | None = None) -> Published:
    return Published(inspection, judgement().decision, 12.5, confirmed)


async def settled(holds: Callable[[], bool]) -> None:
    for _turn in range(200):
        if holds():
            return
        await turn()
    assert holds()


async def laid_down(life: Life, inspection: Inspection) -> None:
    await life.sorting.close_recovered(inspection, judgement().decision, PLACE)
    await life.tellings.settle()


class Killed(BaseException):
    """Nothing runs after this moment."""


def kill() -> None:
    raise Killed


Kill = Callable[[Life, FakeLedger], None]


def before_it_is_published(life: Life, _ledger: FakeLedger) -> None:
    async def publish(_result: Published) -> Delivery:
        raise Killed

    life.publish = publish  # type: ignore[method-assign]


def when_it_is_written(life: Life, _ledger: FakeLedger) -> None:
    life.line.reads = False
    life.on_written = kill


def when_it_is_acknowledged(life: Life, _ledger: FakeLedger) -> None:
    life.on_acknowledged = kill


def before_the_acknowledgement_is_written_down(_life: Life, ledger: FakeLedger) -> None:
    async def told(_inspection: Inspection) -> None:
        raise Killed

    ledger.told = told  # type: ignore[method-assign]


MOMENTS: list[Kill] = [
    before_it_is_published, when_it_is_written, when_it_is_acknowledged, before_the_acknowledgement_is_written_down,
]  # fmt: skip


@pytest.mark.parametrize("serves", [True, False])
@pytest.mark.parametrize("moment", MOMENTS)
@in_virtual_time
async def test_a_place_is_told_whenever_the_station_is_killed(moment: Kill, serves: bool) -> None:  # noqa: FBT001
    line, ledger = Line(serves), FakeLedger()
    inspection = await judged(ledger)
    life = Life(line, ledger)
    moment(life, ledger)
    with pytest.raises(Killed):
        await laid_down(life, inspection)
    vars(ledger).pop("told", None)
    assert await ledger.open_inspections() == []
    async with living(line, ledger):
        line.back()
        await settled(lambda: ledger.entries[inspection.inspection_id].told)
    assert line.counted == [("SMH-0001", PLACE.name)]
    acknowledged = moment in (when_it_is_acknowledged, before_the_acknowledgement_is_written_down)
    assert len(line.seen) == 1 + (acknowledged and not serves), "once more where the registers were the station's"
    async with living(line, ledger) as another:
        await another.tellings.settle()
    assert len(line.counted) == 1


@in_virtual_time
async def test_a_place_that_was_given_up_at_a_stop_is_told_when_the_line_is_back() -> None:
    line, ledger = Line(serves=True, away=True), FakeLedger()
    inspection = await judged(ledger)
    async with living(line, ledger) as life:
        with pytest.raises(PlcError):  # a unit that was never reset is stopped
            await life.sorting.close_recovered(inspection, judgement().decision, PLACE)
        await asyncio.sleep(3600)
        assert line.seen == []
        line.back()
        await settled(lambda: ledger.entries[inspection.inspection_id].told)
    assert line.seen == [("SMH-0001", PLACE.name)]


@in_virtual_time
async def test_a_place_is_told_although_the_work_was_aborted_when_its_record_was_being_closed() -> None:
    line, ledger = Line(serves=True), FakeLedger()
    inspection, close = await judged(ledger), ledger.sorted

    async def closed(*said: Any) -> None:
        await close(*said)
        raise asyncio.CancelledError

    ledger.sorted = closed  # type: ignore[method-assign]
    async with living(line, ledger) as life:
        with pytest.raises(asyncio.CancelledError):
            await life.sorting.close_recovered(inspection, judgement().decision, PLACE)
        await settled(lambda: ledger.entries[inspection.inspection_id].told)
    assert line.seen == [("SMH-0001", PLACE.name)]


@in_virtual_time
async def test_nothing_is_published_before_it_is_written_down_that_the_place_before_it_was_acknowledged() -> None:
    line, ledger = Line(serves=True), FakeLedger()
    inspection, next_one = await judged(ledger), await judged(ledger, 2)
    slow, tell = asyncio.Event(), ledger.told

    async def told(one: Inspection) -> None:
        await slow.wait()
        await tell(one)

    ledger.told = told  # type: ignore[method-assign]
    async with living(line, ledger) as life:
        await life.sorting.close_recovered(inspection, judgement().decision, PLACE)
        publishing = asyncio.ensure_future(life.results.publish(decided(next_one)))
        await asyncio.sleep(60)
        assert line.seen == [("SMH-0001", PLACE.name)]
        slow.set()
        await publishing
    assert line.seen == [("SMH-0001", PLACE.name), ("SMH-0002", "")]


@in_virtual_time
async def test_what_an_earlier_life_left_untold_is_told_before_anything_else() -> None:
    line, ledger = Line(serves=False), FakeLedger()
    inspection, next_one = await judged(ledger), await judged(ledger, 2)
    await ledger.sorted(inspection, PLACE)
    life = Life(line, ledger)  # nobody serves: the result that comes first tells it
    await life.results.publish(decided(next_one))
    assert line.seen == [("SMH-0001", PLACE.name), ("SMH-0002", "")]


@in_virtual_time
async def test_a_disk_that_fails_holds_up_what_is_published_and_is_tried_again() -> None:
    line, ledger = Line(serves=True), FakeLedger()
    inspection, next_one = await judged(ledger), await judged(ledger, 2)

    async def fails(_inspection: Inspection) -> None:
        raise RecordError("record.disk_failed", "full")

    ledger.told = fails  # type: ignore[method-assign]
    async with living(line, ledger) as life:
        await life.sorting.close_recovered(inspection, judgement().decision, PLACE)
        with pytest.raises(RecordError):
            await life.results.publish(decided(next_one))
        assert line.seen == [("SMH-0001", PLACE.name)]
        vars(ledger).pop("told")
        await asyncio.sleep(DISK_PAUSE_S)
        await settled(lambda: ledger.entries[inspection.inspection_id].told)
        await life.results.publish(decided(next_one))
    assert line.seen == [("SMH-0001", PLACE.name), ("SMH-0002", "")]


@in_virtual_time
async def test_a_delivery_that_fails_at_once_lets_others_run_until_it_goes_through() -> None:
    line, ledger = Line(serves=True), FakeLedger()
    inspection = await judged(ledger)
    life = Life(line, ledger)
    life.unit.command(Command.RESET)
    publish, failing = life.publish, True

    async def fails(result: Published) -> Delivery:
        if failing:
            raise PlcError("plc.unreachable", "being opened anew, which the line's view does not show yet")
        return await publish(result)

    life.publish = fails  # type: ignore[method-assign]
    publishing = asyncio.ensure_future(life.results.publish(decided(inspection)))
    await asyncio.sleep(1)
    assert not publishing.done()
    failing = False
    await publishing
    assert line.seen == [("SMH-0001", "")]
