"""Who commands and who watches: an operator keeps what he needs to know, and nobody can hurt the cell."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog

from station.cell.desk import Commander, Desk
from station.cell.packml import Command, State
from station.cell.reporting import Reporting
from station.core.errors import FAULTS, PlcError, RobotError, StationError
from station.core.events import CellEvent, PartSorted, StateChanged, Watcher
from station.core.ports.line import CellReport
from station.core.reason import Reason
from station.core.watchers import Watchers
from tests.cell.bench import Bench, running, settings, until

BY_OPERATOR = Reason(FAULTS["station.stopped_by_operator"])
REFUSED = Reason(FAULTS["robot.refused"], "what the robot said")


@asynccontextmanager
async def held() -> AsyncIterator[Bench]:
    """A cell that is Held because the robot refuses an order, for a reason that only the detail tells."""
    async with running() as bench:
        await bench.start()

        async def refuse(_order: object) -> object:
            raise RobotError("robot.refused", "what the robot said")

        bench.robot.unload = refuse  # type: ignore[method-assign, assignment]
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        assert bench.desk.view.reason == REFUSED
        yield bench


# ---- what an operator needs to know ----


async def test_a_command_that_is_refused_changes_nothing_of_what_is_seen() -> None:
    async with held() as bench:
        seen = bench.desk.view
        for number in (Command.START, Command.RESET, Command.CLEAR, 99):
            with pytest.raises(StationError) as refused:
                bench.desk.command(number, "anna")
            assert refused.value.code == "station.illegal_command"
            assert bench.desk.view == seen
        await until(lambda: any("99" in detail for event, detail in bench.ledger.events if event == "command_refused"))


async def test_a_command_of_the_plc_that_is_refused_changes_nothing_of_what_is_seen() -> None:
    async with held() as bench:
        seen = bench.desk.view
        refused = bench.line.command("start")
        await until(lambda: bench.line.command_answer() == (refused, "refused"))
        assert bench.desk.view == seen


async def test_a_stop_of_the_plc_in_held_has_no_detail_of_the_fault_before() -> None:
    async with held() as bench:
        bench.line.command("stop")
        await bench.desk.reached(State.STOPPED)
        assert bench.desk.view.reason == BY_OPERATOR
        told = [event for event in bench.events if isinstance(event, StateChanged) and event.after == "STOPPING"]
        assert [event.reason for event in told] == [BY_OPERATOR]
        noted = ("state_changed", f"HELD STOPPING {BY_OPERATOR.fault.code}")
        await until(lambda: noted in bench.ledger.events)


async def test_the_view_has_everything_at_one_moment() -> None:
    async with running() as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        await until(lambda: bench.desk.view.processed)
        view = bench.desk.view
        assert (view.state, view.reason, view.alarms, view.processed, view.defective) == (State.EXECUTE, None, (), 1, 0)
    async with held() as bench:
        view = bench.desk.view
        assert (view.state, view.reason, view.processed) == (State.HELD, REFUSED, 0)
        assert [alarm.fault for alarm in view.alarms] == [REFUSED.fault]
        assert view.summary.newest is REFUSED.fault


class Shown:
    """A line that takes every report at once, and keeps its state."""

    def __init__(self) -> None:
        self.states: list[State] = []

    async def report(self, report: CellReport) -> None:
        self.states.append(State(report.state))


async def test_a_state_that_lasts_no_longer_than_its_work_is_shown_to_the_line_too() -> None:
    shown = Shown()
    async with running() as bench:
        reporting = asyncio.create_task(Reporting(shown).serve(bench.desk))  # type: ignore[arg-type]
        await bench.start()
        await until(lambda: State.EXECUTE in shown.states)
        bench.desk.command(Command.ABORT, "anna")
        await until(lambda: State.ABORTED in shown.states)
        bench.desk.command(Command.CLEAR, "anna")
        await until(lambda: State.STOPPED in shown.states)
        reporting.cancel()
    for passing, lasting in (("STARTING", "EXECUTE"), ("ABORTING", "ABORTED"), ("CLEARING", "STOPPED")):
        assert shown.states.index(State[passing]) + 1 == shown.states.index(State[lasting])


# ---- who watches, and who commands ----


async def sorts_a_part(bench: Bench) -> None:
    """What the cell does if nothing is in its way."""
    await bench.start()
    bench.feed("A1")
    await bench.sorted(1)
    assert bench.floor.sorted_parts == [("A1", "second_inspection")]
    assert (bench.desk.view.state, bench.desk.view.reason, bench.desk.view.alarms) == (State.EXECUTE, None, ())
    changes = [detail.split()[1] for event, detail in bench.ledger.events if event == "state_changed"]
    assert changes == ["RESETTING", "IDLE", "STARTING", "EXECUTE"]


def raising(_event: CellEvent) -> None:
    raise ValueError("a watcher's own fault")


class Raising:
    """A commander that does not see its own mistake."""

    async def serve(self, desk: Desk) -> None:
        desk.command(Command.CLEAR, "a commander")


class Silent:
    """A commander that never says anything."""

    async def serve(self, desk: Desk) -> None:
        await desk.reached(State.ABORTED)


class Stubborn:
    """A commander that wants what is refused, whenever anything changes."""

    async def serve(self, desk: Desk) -> None:
        while True:
            with pytest.raises(StationError):
                desk.command(Command.CLEAR, "a commander")
            await desk.changed()


async def test_a_listener_that_raises_in_the_cells_own_loop_costs_a_line_in_the_log() -> None:
    with structlog.testing.capture_logs() as log:
        async with running(watch=raising) as bench:
            await sorts_a_part(bench)
    assert [entry["event"] for entry in log if entry["log_level"] == "error"] == ["watcher_dropped"]


@pytest.mark.parametrize(
    ("kind", "commander", "dropped"),
    [
        ("raising", Raising(), ["commander_dropped", "watcher_dropped"]),
        ("blocking", Silent(), []),
        ("slow", Stubborn(), []),
    ],
)
async def test_an_observer_and_a_commander_more_that_misbehave_change_nothing(
    kind: str, commander: Commander, dropped: list[str]
) -> None:
    may_go_on = threading.Event()
    observers: dict[str, Watcher] = {
        "raising": raising,
        "blocking": lambda _event: may_go_on.wait(),
        "slow": lambda _event: may_go_on.wait(0.002),
    }
    watchers, told = Watchers(), list[CellEvent]()
    watchers.add(observers[kind])
    watchers.add(told.append)
    with structlog.testing.capture_logs() as log:
        try:
            async with running(watch=watchers.tell, commanders=[commander]) as bench:
                await sorts_a_part(bench)
        finally:
            may_go_on.set()
            await watchers.close()
    assert [type(event) for event in told].count(PartSorted) == 1
    assert sorted(entry["event"] for entry in log if entry["event"].endswith("_dropped")) == dropped


async def test_a_second_commander_commands_in_its_own_name() -> None:
    class Starting:
        async def serve(self, desk: Desk) -> None:
            for state, command in ((State.STOPPED, Command.RESET), (State.IDLE, Command.START)):
                await desk.reached(state)
                desk.command(command, "a second commander")

    async with running(commanders=[Starting()]) as bench:
        await bench.desk.reached(State.EXECUTE)
        await until(lambda: ("command_taken", "start by a second commander") in bench.ledger.events)


async def test_who_is_dismissed_commands_no_more_and_the_line_still_does() -> None:
    class Restless:
        """Resets the cell whenever it is stopped."""

        async def serve(self, desk: Desk) -> None:
            while True:
                await desk.reached(State.STOPPED)
                desk.command(Command.RESET, "a commander")
                await desk.reached(State.IDLE)

    async with running(commanders=[Restless()]) as bench:
        await bench.desk.reached(State.IDLE)
        bench.built.operation.dismiss()
        taken = bench.line.command("stop")
        await bench.desk.reached(State.STOPPED)
        await until(lambda: bench.line.command_answer() == (taken, "taken"))
        assert bench.desk.view.state is State.STOPPED


async def test_a_line_that_cannot_be_served_ends_the_operation() -> None:
    async def refuse() -> None:
        raise PlcError("plc.port_in_use", "planted")

    bench = Bench(settings(), (), None)
    bench.plc.connect = refuse
    try:
        with pytest.raises(PlcError) as ended:
            await bench.built.operation.run()
    finally:
        bench.shut()
    assert ended.value.code == "plc.port_in_use"
