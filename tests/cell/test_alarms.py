"""The cell's alarms: what becomes one, when it is over, who acknowledges it, and that a restart forgets none."""

import asyncio
from pathlib import Path

import pytest

from station.cell.alarms import SAVE_AGAIN_S
from station.cell.packml import Command, State
from station.core.alarms import Alarm
from station.core.clock import SystemClock
from station.core.errors import FAULTS, ModelError, Reaction, RecordError, StationError
from station.core.events import AlarmsChanged
from station.core.reason import Reason
from station.records.events import read_stops
from station.records.ledger import SqliteLedger
from tests.cell.bench import Bench, running, settings, until
from tests.virtual_time import in_virtual_time

ENGINE = FAULTS["model.engine_failed"]
HOUR_S = 3600.0
SUSPENDED_AFTER_S = settings().alarms.suspended_after_s


def standing(bench: Bench) -> list[tuple[str, int, bool, bool]]:
    return [(a.fault.code, a.count, a.active, a.acknowledged) for a in bench.desk.view.alarms]


async def book(folder: Path) -> SqliteLedger:
    configuration = settings()
    told = (configuration.sha256, configuration.model_dump_json())
    return await SqliteLedger.open(folder, configuration.records, SystemClock(), told, configuration.table)


async def hold(bench: Bench, part_id: str = "A1") -> None:
    bench.classifier.failure = ModelError("model.engine_failed", "planted")
    bench.feed(part_id)
    await bench.desk.reached(State.HELD)
    bench.classifier.failure = None


async def test_a_fault_that_holds_the_cell_is_an_alarm_until_the_cell_runs_and_a_person_has_seen_it() -> None:
    async with running() as bench:
        await bench.start()
        assert standing(bench) == []
        await hold(bench)
        assert standing(bench) == [("model.engine_failed", 1, True, False)]
        assert bench.desk.view.alarms[0].latched
        await until(lambda: bench.line.alarms() == (1, 1, ENGINE.number))
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE)
        assert standing(bench) == [("model.engine_failed", 1, False, False)]
        await until(lambda: bench.line.alarms() == (0, 1, ENGINE.number))
        bench.desk.acknowledge("model.engine_failed", "anna")
        assert standing(bench) == []
        await until(lambda: bench.line.alarms() == (0, 0, 0))
        await until(lambda: bench.ledger.alarms and not bench.ledger.alarms[-1].listed)
        assert bench.ledger.alarms[-1].acknowledged_by == "anna"
        assert bench.desk.view.state is State.EXECUTE


async def test_the_same_fault_again_counts_up_and_wants_to_be_seen_again() -> None:
    def still_failing() -> None:
        raise ModelError("model.engine_failed", "still")

    async with running() as bench:
        await bench.start()
        await hold(bench)
        bench.desk.acknowledge("model.engine_failed", "anna")
        bench.classifier.warm_up = still_failing  # type: ignore[method-assign]
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.STOPPED)
        assert standing(bench) == [("model.engine_failed", 2, True, False)]
        bench.give(Command.RESET)
        await bench.desk.reached(State.RESETTING)
        await bench.desk.reached(State.STOPPED)
        assert standing(bench) == [("model.engine_failed", 3, True, False)]
        assert len(bench.ledger.alarms) == 1


async def test_a_fault_that_costs_only_the_part_is_no_alarm() -> None:
    async with running() as bench:
        bench.classifier.probability = 0.4
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        assert standing(bench) == []


@in_virtual_time
async def test_an_operators_stop_is_no_alarm_however_long_it_lasts() -> None:
    async with running() as bench:
        await bench.start()
        for command, state in ((Command.SUSPEND, State.SUSPENDED), (Command.STOP, State.STOPPED)):
            bench.give(command)
            await bench.desk.reached(state)
            await asyncio.sleep(HOUR_S)
        assert standing(bench) == []


@in_virtual_time
async def test_a_suspension_is_an_alarm_only_when_it_lasts_and_is_over_by_itself() -> None:
    async with running() as bench:
        await bench.start()
        for number, (lasts_s, listed) in enumerate(
            [(SUSPENDED_AFTER_S - 0.001, []), (SUSPENDED_AFTER_S, [("plc.no_permission", 1, True, False)])], start=1
        ):
            bench.line.permit("withdrawn")
            await bench.desk.reached(State.SUSPENDED)
            await asyncio.sleep(lasts_s)
            await asyncio.sleep(0)
            assert standing(bench) == listed
            await _given_back(bench, number, listed)


async def _given_back(bench: Bench, number: int, listed: list[tuple[str, int, bool, bool]]) -> None:
    """The line gives its permission again: what was listed is over by itself, and nothing else is."""
    assert not any(alarm.latched for alarm in bench.desk.view.alarms)
    bench.line.permit("given")
    bench.feed(f"A{number}")
    await bench.sorted(number)
    assert standing(bench) == [(code, count, False, seen) for code, count, _active, seen in listed]


async def alarmed(bench: Bench) -> float:
    """Wait for the next change of the list; the seconds until then."""
    change, loop = bench.built.alarms.changed(), asyncio.get_running_loop()
    began_s = loop.time()
    await change
    return loop.time() - began_s


@in_virtual_time
async def test_a_cell_that_waits_for_parts_is_no_alarm_but_a_line_that_dies_meanwhile_is() -> None:
    async with running() as bench:
        await bench.start()
        await bench.desk.reached(State.SUSPENDED)
        await asyncio.sleep(HOUR_S)
        assert standing(bench) == []
        bench.line.disconnect()
        assert await alarmed(bench) == SUSPENDED_AFTER_S
        assert standing(bench) == [("plc.unreachable", 1, True, False)]
        bench.line.cut = False
        bench.line.notice()
        assert await alarmed(bench) == 0
        assert standing(bench) == [("plc.unreachable", 1, False, False)]
        assert bench.desk.view.state is State.SUSPENDED


@in_virtual_time
async def test_a_suspension_whose_reason_changes_its_name_all_the_time_is_an_alarm_and_no_flood() -> None:
    async with running() as bench:
        await bench.start()
        bench.line.permit("withdrawn")
        await bench.desk.reached(State.SUSPENDED)
        changes = int(HOUR_S / 0.7)
        for number in range(changes):
            bench.built.alarms.suspended_by(Reason(FAULTS[("plc.stale", "plc.unreachable")[number % 2]]))
            await asyncio.sleep(0.7)
        times = sum(count for _code, count, _active, _seen in standing(bench))
        assert HOUR_S / (SUSPENDED_AFTER_S + 2 * 0.7) <= times <= HOUR_S / SUSPENDED_AFTER_S, "one in that time"


@in_virtual_time
async def test_each_trouble_of_a_suspension_is_an_alarm_of_its_own_that_ends_with_its_trouble() -> None:
    async with running() as bench:
        await bench.start()
        bench.line.permit("withdrawn")
        assert await alarmed(bench) == SUSPENDED_AFTER_S
        assert standing(bench) == [("plc.no_permission", 1, True, False)]
        bench.line.disconnect()
        assert await alarmed(bench) == 0
        assert standing(bench) == [("plc.no_permission", 1, False, False)]
        assert await alarmed(bench) == SUSPENDED_AFTER_S
        assert standing(bench) == [("plc.no_permission", 1, False, False), ("plc.unreachable", 1, True, False)]
        bench.line.cut = False
        bench.line.notice()
        assert await alarmed(bench) == 0
        assert await alarmed(bench) == SUSPENDED_AFTER_S
        assert standing(bench) == [("plc.unreachable", 1, False, False), ("plc.no_permission", 2, True, False)]
        bench.line.permit("given")
        assert await alarmed(bench) == 0
        assert not any(active for _code, _count, active, _seen in standing(bench))
        assert bench.desk.view.state is State.SUSPENDED


async def test_the_plc_acknowledges_by_number_and_is_told_when_there_is_no_such_alarm() -> None:
    async with running() as bench:
        await bench.start()
        await hold(bench)
        taken = bench.line.acknowledge(ENGINE.number)
        await until(lambda: bench.line.acknowledgement_answer() == (taken, "taken"))
        assert standing(bench) == [("model.engine_failed", 1, True, True)]
        assert bench.desk.view.alarms[0].acknowledged_by == "plc"
        await until(lambda: bench.line.alarms() == (1, 0, 0))
        for number in (0, 65535, FAULTS["jig.fault"].number):
            refused = bench.line.acknowledge(number)
            await until(lambda wanted=refused: bench.line.acknowledgement_answer() == (wanted, "refused"))
        assert standing(bench) == [("model.engine_failed", 1, True, True)]


async def test_an_unknown_alarm_is_refused() -> None:
    async with running() as bench:
        with pytest.raises(StationError) as refused:
            bench.desk.acknowledge("camera.lost", "anna")
        assert refused.value.code == "station.no_such_alarm"
        bench.desk.acknowledge(None, "anna")


async def test_a_watcher_sees_every_change_of_the_list() -> None:
    async with running() as bench:
        await bench.start()
        await hold(bench)
        bench.desk.acknowledge(None, "anna")
        seen = [event.alarms for event in bench.events if isinstance(event, AlarmsChanged)]
        assert [[alarm.acknowledged for alarm in alarms] for alarms in seen] == [[False], [True]]


async def test_alarms_and_their_acknowledgement_survive_a_restart_and_end_with_the_next_reset(tmp_path: Path) -> None:
    ledger = await book(tmp_path)
    async with running(ledger=ledger) as bench:
        await bench.start()
        await hold(bench)
        bench.built.alarms.raise_(FAULTS["camera.lost"], Reaction.HOLD, "")
        bench.desk.acknowledge("model.engine_failed", "anna")
    await ledger.close()
    ledger = await book(tmp_path)
    left = await ledger.listed_alarms()
    assert [(a.fault.code, a.active, a.acknowledged_by) for a in left] == [
        ("model.engine_failed", True, "anna"), ("camera.lost", True, ""),
    ]  # fmt: skip
    async with running(ledger=ledger, alarms=left) as bench:
        await until(lambda: bench.line.alarms() == (2, 1, FAULTS["camera.lost"].number))
        bench.give(Command.RESET)
        await bench.desk.reached(State.IDLE)
        assert standing(bench) == [("camera.lost", 1, False, False)]
    await ledger.close()


async def test_every_leave_of_execute_is_kept_with_its_reason(tmp_path: Path) -> None:
    ledger = await book(tmp_path)
    async with running(ledger=ledger) as bench:
        await bench.start()
        await hold(bench)
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE)
        bench.line.permit("withdrawn")
        await bench.desk.reached(State.SUSPENDED)
        bench.line.permit("given")
        bench.feed("A2")
        await bench.desk.reached(State.EXECUTE)
        bench.give(Command.STOP)
        await bench.desk.reached(State.STOPPED)
    await ledger.close()
    assert [(stop["state"], stop["reason"], stop["detail"]) for stop in read_stops(tmp_path, 10)] == [
        ("STOPPING", "station.stopped_by_operator", ""),
        ("SUSPENDING", "plc.no_permission", ""),
        ("HOLDING", "model.engine_failed", "planted"),
    ]


@in_virtual_time
async def test_an_alarm_that_the_disk_does_not_take_stands_and_is_written_when_it_does() -> None:
    async with running() as bench:
        keep, tried, loop = bench.ledger.keep_alarm, list[float](), asyncio.get_running_loop()
        began_s = loop.time()

        async def failing(alarm: Alarm) -> None:
            tried.append(loop.time() - began_s)
            raise RecordError("record.disk_failed", "planted")

        bench.ledger.keep_alarm = failing  # type: ignore[method-assign]
        bench.built.alarms.raise_(FAULTS["record.disk_failed"], Reaction.HOLD, "planted")
        await asyncio.sleep(3 * SAVE_AGAIN_S - 1)
        assert tried == [0, SAVE_AGAIN_S, 2 * SAVE_AGAIN_S]
        for _ in range(3):
            bench.built.alarms.raise_(FAULTS["record.disk_failed"], Reaction.HOLD, "planted")
        assert standing(bench) == [("record.disk_failed", 4, True, False)]
        bench.ledger.keep_alarm = keep  # type: ignore[method-assign]
        assert bench.ledger.alarms == []
        await asyncio.sleep(1)
        await asyncio.sleep(0)
        assert [alarm.count for alarm in bench.ledger.alarms] == [4]
        assert bench.ledger.alarms == list(bench.desk.view.alarms)
