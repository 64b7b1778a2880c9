"""A day of a cell in some seconds: suspensions, alarms, parts, pruning and a stepped date, each at its moment."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from station.cell.packml import State
from station.core.events import AlarmsChanged, StateChanged
from station.core.settings import RecordSettings, WatchdogSettings
from station.host.housekeeping import LOOK_S, PRUNE_S, keep_house
from station.host.watchdog import CLOCKS_COMPARED_S, Notifier, Watchdog
from tests.cell.bench import Bench, running, settings
from tests.contract.fake_ledger import FakeLedger
from tests.virtual_time import LoopClock, in_virtual_time

DAY_S, ROUND_S = 86_400.0, 1_800.0
ROUNDS = int(DAY_S / ROUND_S)
SETTINGS = settings()
STARVED_S, ALARM_S = SETTINGS.plc.starved_after_s, SETTINGS.alarms.suspended_after_s


class BusyLedger(FakeLedger):
    """Counts what the housekeeping asks of it."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self.asked: Counter[str] = Counter()

    async def look(self) -> None:
        self.asked["look"] += 1

    async def prune(self) -> int:
        self.asked["prune"] += 1
        return 0


async def one_round(bench: Bench, number: int) -> None:
    """Half an hour: a part, a wait for the next one, and the line withdraws its permission: shortly, then for long."""
    end_s = asyncio.get_running_loop().time() + ROUND_S
    bench.feed(f"P{number}")
    await bench.sorted(number)
    await bench.desk.reached(State.SUSPENDED)
    for lasts_s in (ALARM_S - 1, 10 * ALARM_S):
        bench.line.permit("withdrawn")
        await asyncio.sleep(lasts_s)
        bench.line.permit("given")
        await asyncio.sleep(60)
    await asyncio.sleep(end_s - asyncio.get_running_loop().time())


def raised_at(bench: Bench) -> list[datetime]:
    """When alarms were raised or counted up, each once."""
    changes = [event.alarms for event in bench.events if isinstance(event, AlarmsChanged)]
    return [alarms[-1].last_at for alarms in changes if alarms and alarms[-1].active]


@in_virtual_time
async def test_a_day_of_parts_and_suspensions_is_told_to_the_second_and_nothing_is_forgotten() -> None:
    clock = LoopClock()
    began = clock.now()
    ledger = BusyLedger(clock)
    async with running(SETTINGS, ledger=ledger, clock=clock) as bench:
        bench.ledger = ledger
        house = asyncio.create_task(keep_house(ledger, bench.built.alarms, RecordSettings()))
        await bench.start()
        for number in range(1, ROUNDS + 1):
            await one_round(bench, number)
        dog = asyncio.create_task(Watchdog({}, ledger, clock, WatchdogSettings()).run(Notifier(None, None)))
        await asyncio.sleep(LOOK_S / 2)
        clock.step(7200)
        await asyncio.sleep(2 * CLOCKS_COMPARED_S)
        for task in (house, dog):
            task.cancel()
        await asyncio.wait([house, dog])

    # the parts, and the book of them
    assert bench.floor.sorted_parts == [(f"P{number}", "second_inspection") for number in range(1, ROUNDS + 1)]
    entered = [entry.inspection.entered_at for entry in ledger.entries.values()]
    assert entered == [began + timedelta(seconds=ROUND_S * number) for number in range(ROUNDS)]
    assert {entry.state for entry in ledger.entries.values()} == {"sorted"}

    # one alarm a round, for the long suspension alone
    first_s = STARVED_S + (ALARM_S - 1) + 60 + ALARM_S
    assert raised_at(bench) == [began + timedelta(seconds=ROUND_S * number + first_s) for number in range(ROUNDS)]
    (alarm,) = bench.desk.view.alarms
    assert (alarm.fault.code, alarm.count, alarm.active, alarm.latched) == ("plc.no_permission", ROUNDS, False, False)
    assert ledger.alarms == [alarm]

    # the states, and what was noted
    left = [event.reason.fault.code for event in bench.events if isinstance(event, StateChanged)
            and (event.before, event.after) == ("EXECUTE", "SUSPENDING") and event.reason]  # fmt: skip
    assert left == ["plc.starved"] * ROUNDS
    noted = Counter(event for event, _detail in ledger.events)
    assert noted["reason_changed"] == 4 * ROUNDS
    assert [detail for event, detail in ledger.events if event == "clock_stepped"] == ["+7200.000 s"]

    # the house
    assert ledger.asked == {"look": DAY_S / LOOK_S + 1, "prune": DAY_S / PRUNE_S + 1}
