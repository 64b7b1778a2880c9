"""The cell's alarms: what becomes one, when it is over, who acknowledges it, and that a restart forgets none."""

import asyncio
from pathlib import Path

import pytest

from station.cell.packml import Command, State
from station.core.alarms import Alarm
from station.core.clock import SystemClock
from station.core.errors import FAULTS, ModelError, Reaction, RecordError, StationError
from station.core.events import AlarmsChanged
from station.core.reason import Reason
from station.records.alarms import read_stops
from station.records.ledger import SqliteLedger
from tests.cell.bench import Bench, running, settings, until

ENGINE = FAULTS["model.engine_failed"]
SOON, LONG = {"suspended_after_s": 0.02}, {"suspended_after_s": 60.0}


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


async def test_an_operators_stop_is_no_alarm() -> None:
    async with running(settings(alarms=SOON)) as bench:
        await bench.start()
        for command, state in ((Command.SUSPEND, State.SUSPENDED), (Command.STOP, State.STOPPED)):
            bench.give(command)
            await bench.desk.reached(state)
            await asyncio.sleep(0.05)
        assert standing(bench) == []


async def test_a_suspension_is_an_alarm_only_when_it_lasts_and_is_over_by_itself() -> None:
    for lasts, listed in ((LONG, []), (SOON, [("plc.no_permission", 1, True, False)])):
        async with running(settings(alarms=lasts)) as bench:
            await bench.start()
            bench.line.permit("withdrawn")
            await bench.desk.reached(State.SUSPENDED)
            await until(lambda now=bench, wanted=listed: standing(now) == wanted)
            await _given_back(bench, listed)


async def _given_back(bench: Bench, listed: list[tuple[str, int, bool, bool]]) -> None:
    """The line gives its permission again: what was listed is over by itself, and nothing else is."""
    assert not any(alarm.latched for alarm in bench.desk.view.alarms)
    bench.line.permit("given")
    bench.feed("A1")
    await bench.sorted(1)
    assert standing(bench) == [(code, count, False, seen) for code, count, _active, seen in listed]


async def _alarmed(bench: Bench) -> None:
    async with asyncio.timeout(5):
        await bench.built.alarms.changed()


async def test_a_cell_that_waits_for_parts_is_no_alarm_but_a_line_that_dies_meanwhile_is() -> None:
    async with running(settings(alarms=SOON, plc={"starved_after_s": 0.01})) as bench:
        await bench.start()
        await bench.desk.reached(State.SUSPENDED)
        await asyncio.sleep(0.06)
        assert standing(bench) == []
        bench.line.disconnect()
        await _alarmed(bench)
        assert standing(bench) == [("plc.unreachable", 1, True, False)]
        bench.line.cut = False
        change = bench.built.alarms.changed()
        bench.line.notice()
        await change
        assert standing(bench) == [("plc.unreachable", 1, False, False)]
        assert bench.desk.view.state is State.SUSPENDED


async def test_a_suspension_whose_reason_changes_its_name_all_the_time_is_an_alarm_and_no_flood() -> None:
    async with running(settings(alarms={"suspended_after_s": 0.1})) as bench:
        await bench.start()
        bench.line.permit("withdrawn")
        await bench.desk.reached(State.SUSPENDED)
        loop = asyncio.get_running_loop()
        began, changes = loop.time(), 0
        while loop.time() - began < 0.5:
            for code in ("plc.stale", "plc.unreachable"):
                bench.built.alarms.suspended_by(Reason(FAULTS[code]))
                changes += 1
            await asyncio.sleep(0.001)
        times = sum(count for _code, count, _active, _seen in standing(bench))
        assert 1 <= times <= 1 + (loop.time() - began) / 0.1 < changes, "one in the time that a suspension may last"


async def test_each_trouble_of_a_suspension_is_an_alarm_of_its_own_that_ends_with_its_trouble() -> None:
    async with running(settings(alarms=SOON)) as bench:
        await bench.start()
        bench.line.permit("withdrawn")
        await bench.desk.reached(State.SUSPENDED)
        await _alarmed(bench)
        assert standing(bench) == [("plc.no_permission", 1, True, False)]
        bench.line.disconnect()
        await until(lambda: len(standing(bench)) == 2)
        assert standing(bench) == [("plc.no_permission", 1, False, False), ("plc.unreachable", 1, True, False)]
        bench.line.cut = False
        bench.line.notice()
        await until(lambda: standing(bench)[-1] == ("plc.no_permission", 2, True, False))
        assert standing(bench)[0] == ("plc.unreachable", 1, False, False)
        bench.line.permit("given")
        await until(lambda: not any(active for _code, _count, active, _seen in standing(bench)))
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


async def test_an_alarm_that_the_disk_does_not_take_stands_and_is_written_when_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("station.cell.alarms.SAVE_AGAIN_S", 0.01)
    async with running() as bench:
        keep, tried = bench.ledger.keep_alarm, []

        async def failing(alarm: Alarm) -> None:
            tried.append(alarm)
            raise RecordError("record.disk_failed", "planted")

        bench.ledger.keep_alarm = failing  # type: ignore[method-assign]
        bench.built.alarms.raise_(FAULTS["record.disk_failed"], Reaction.HOLD, "planted")
        await until(lambda: len(tried) > 1)
        for _ in range(3):
            bench.built.alarms.raise_(FAULTS["record.disk_failed"], Reaction.HOLD, "planted")
        assert standing(bench) == [("record.disk_failed", 4, True, False)]
        bench.ledger.keep_alarm = keep  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            while [alarm.count for alarm in bench.ledger.alarms] != [4]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert bench.ledger.alarms == list(bench.desk.view.alarms)
