"""What is done beside the work: how often, and what becomes an alarm, over a day."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from station.cell.alarms import Alarms
from station.core.broadcast import Broadcast
from station.core.errors import RecordError
from station.core.events import AlarmsChanged, CellEvent
from station.core.ports.records import LedgerRoom
from station.core.room import MB
from station.core.settings import AlarmSettings, RecordSettings
from station.host.housekeeping import JOURNAL_BYTES, LOOK_S, PRUNE_S, keep_house
from tests.contract.fake_ledger import FakeLedger
from tests.virtual_time import LoopClock, in_virtual_time

DAY_S = 86_400.0
LOW_MB = 1000


class WatchedLedger(FakeLedger):
    """Notes when it was looked after; `broken` is raised instead while it is given."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self._time = clock
        self.looked: list[float] = []
        self.pruned: list[float] = []
        self.broken: RecordError | None = None
        self.free, self.journal_bytes = 2 * LOW_MB * MB, 0

    async def look(self) -> None:
        self._happens(self.looked)

    async def prune(self) -> int:
        self._happens(self.pruned)
        return 0

    async def room(self) -> LedgerRoom:
        self._happens([])
        return LedgerRoom(self.free, self.journal_bytes)

    async def readers(self) -> str:
        return "process 7 (backup)"

    def _happens(self, at: list[float]) -> None:
        at.append(self._time.elapsed_s)
        if self.broken is not None:
            raise self.broken


class House:
    """A ledger that is looked after, and the alarms."""

    def __init__(self) -> None:
        clock = LoopClock()
        self.events: list[CellEvent] = []
        self.ledger = WatchedLedger(clock)
        self.alarms = Alarms((), self.ledger, clock, AlarmSettings(), Broadcast(self.events.append))

    def standing(self) -> list[tuple[str, int, str]]:
        return [(alarm.fault.code, alarm.count, alarm.detail) for alarm in self.alarms.listed if alarm.active]


@asynccontextmanager
async def kept() -> AsyncIterator[House]:
    house = House()
    rules = RecordSettings(reserve_mb=1, low_mb=LOW_MB)
    keeping = asyncio.create_task(keep_house(house.ledger, house.alarms, rules))
    try:
        yield house
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
    assert keeping.cancelled()


@in_virtual_time
async def test_files_are_looked_after_every_few_seconds_and_scans_every_hour_all_day() -> None:
    async with kept() as house:
        await asyncio.sleep(DAY_S - 1)
        assert house.ledger.looked == [LOOK_S * number for number in range(int(DAY_S / LOOK_S))]
        assert house.ledger.pruned == [PRUNE_S * number for number in range(24)]
        assert (house.standing(), house.events) == ([], [])


@in_virtual_time
async def test_a_disk_that_fails_for_an_hour_is_told_once_and_looked_after_all_the_same() -> None:
    with capture_logs() as logs:
        async with kept() as house:
            for broken in (RecordError("record.disk_failed", "planted"), None, RecordError("record.disk_failed", "2")):
                house.ledger.broken = broken
                await asyncio.sleep(PRUNE_S - 1)  # so that no change comes in the same moment as a look
            assert len(house.ledger.looked) == 3 * PRUNE_S / LOOK_S
    told = [(line["event"], line["detail"]) for line in logs]
    assert told == [
        ("files_not_in_place", "planted"), ("scans_not_pruned", "planted"),
        ("files_not_in_place", "2"), ("scans_not_pruned", "2"),
    ]  # fmt: skip


@in_virtual_time
async def test_a_disk_that_fills_is_one_alarm_at_the_next_look_and_over_when_there_is_clearly_more_room() -> None:
    low = ("record.disk_low", 1, f"{LOW_MB - 1} MB are free where the records lie, records.low_mb is {LOW_MB}")
    async with kept() as house:
        await asyncio.sleep(LOOK_S / 2)
        house.ledger.free = (LOW_MB - 1) * MB
        await asyncio.sleep(LOOK_S / 4)
        assert house.standing() == []
        await asyncio.sleep(LOOK_S)
        assert house.standing() == [low]
        house.ledger.free = LOW_MB * MB
        await asyncio.sleep(DAY_S)
        assert house.standing() == [low], "neither over nor raised again"
        house.ledger.free = round(1.1 * LOW_MB * MB)
        await asyncio.sleep(LOOK_S)
        assert house.standing() == []
        assert sum(isinstance(event, AlarmsChanged) for event in house.events) == 2


@in_virtual_time
async def test_a_journal_that_grows_is_an_alarm_that_names_who_reads_and_over_when_it_is_half_as_large() -> None:
    async with kept() as house:
        await asyncio.sleep(LOOK_S / 2)
        house.ledger.journal_bytes = JOURNAL_BYTES + 1
        await asyncio.sleep(LOOK_S)
        ((code, _count, detail),) = house.standing()
        assert (code, detail) == ("record.journal_grows", f"it has {JOURNAL_BYTES / MB:.0f} MB; process 7 (backup)")
        house.ledger.journal_bytes = JOURNAL_BYTES // 2
        await asyncio.sleep(LOOK_S)
        assert len(house.standing()) == 1
        house.ledger.journal_bytes -= 1
        await asyncio.sleep(LOOK_S)
        assert house.standing() == []
