"""The PackML table against the published one, typed in again by hand, over every state and command."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cell.packml import BY_OPERATOR, COMMANDS, COMPLETED, Change, Command, Mode, State, Unit
from station.core.errors import FAULTS, StationError
from station.core.reason import Reason

PUBLISHED = {
    "ABORT": ("every state but ABORTING ABORTED", "ABORTING"),
    "CLEAR": ("ABORTED", "CLEARING"),
    "STOP": ("every state but ABORTED ABORTING CLEARING STOPPING STOPPED", "STOPPING"),
    "RESET": ("STOPPED COMPLETE", "RESETTING"),
    "START": ("IDLE", "STARTING"),
    "HOLD": ("EXECUTE SUSPENDED", "HOLDING"),
    "UNHOLD": ("HELD", "UNHOLDING"),
    "SUSPEND": ("EXECUTE", "SUSPENDING"),
    "UNSUSPEND": ("SUSPENDED", "UNSUSPENDING"),
    "COMPLETE": ("EXECUTE HELD SUSPENDED", "COMPLETING"),
}
NUMBERS = {
    "RESET": 1,
    "START": 2,
    "STOP": 3,
    "HOLD": 4,
    "UNHOLD": 5,
    "SUSPEND": 6,
    "UNSUSPEND": 7,
    "ABORT": 8,
    "CLEAR": 9,
}


def accepted(rule: str) -> set[str]:
    words = rule.split()
    every = {state.name for state in State}
    return every - set(words[3:]) if words[0] == "every" else set(words)


def unit_in(state: State) -> Unit:
    unit = Unit()
    unit._state = state
    return unit


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("state", list(State))
def test_a_command_does_what_the_published_table_says(state: State, command: Command) -> None:
    rule, target = PUBLISHED[command.name]
    unit = unit_in(state)
    if state.name in accepted(rule):
        assert unit.accepts(command)
        unit.command(command)
        assert unit.state.name == target
    else:
        with pytest.raises(StationError) as refused:
            unit.command(command)
        assert refused.value.code == "station.illegal_command"
        assert unit.state is state


def test_numbers_are_those_of_the_packtags() -> None:
    assert {name: Command[name].value for name in NUMBERS} == NUMBERS
    assert State.STOPPED == 2
    assert State.EXECUTE == 6
    assert State.COMPLETE == 17
    assert [mode.value for mode in Mode] == [1, 2, 3]


def test_every_acting_state_leads_to_a_waiting_state_or_execute() -> None:
    acting = {state for state in State if state.name.endswith("ING")}
    assert set(COMPLETED) == acting
    assert {after.name for after in COMPLETED.values()} == {
        "STOPPED", "EXECUTE", "ABORTED", "HELD", "SUSPENDED", "IDLE", "COMPLETE",
    }  # fmt: skip


def test_completion_of_another_acting_state_changes_nothing() -> None:
    unit = unit_in(State.STOPPING)
    unit.complete(State.RESETTING)
    assert unit.state is State.STOPPING


LOST, FULL, SILENT = (Reason(FAULTS[code], code) for code in ("camera.lost", "plc.bin_full", "plc.stale"))
STEPS = st.one_of(st.sampled_from(list(Command)), st.sampled_from([FULL, SILENT, "nothing", "complete"]))


@given(st.lists(STEPS, max_size=60))
def test_any_sequence_reports_each_change_once_and_keeps_the_reason_until_the_unit_runs_or_another_holds(
    steps: list[Command | Reason | str],
) -> None:
    changes: list[Change] = []
    unit = Unit()
    unit.subscribe(changes.append)
    for step in steps:
        before, reason, told = unit.state, unit.reason, len(changes)
        if step == "complete":
            unit.complete(before) if before in COMPLETED else None
        elif isinstance(step, Reason) or step == "nothing":
            unit.explain(step if isinstance(step, Reason) else None)
        elif unit.accepts(step):
            unit.command(step, LOST if step in (Command.HOLD, Command.ABORT) else None)
        moved, explained = unit.state is not before, unit.state is before and unit.reason != reason
        assert len(changes) == told + (moved or explained)
        if moved or explained:
            assert (changes[-1].before, changes[-1].after) == (before, unit.state)
        if explained:
            assert changes[-1].reason == unit.reason
        if unit.state is State.EXECUTE:
            assert unit.reason is None


@pytest.mark.parametrize("command", list(Command))
def test_an_operators_command_is_the_reason_where_it_leads_out_of_execute_and_a_refused_one_changes_nothing(
    command: Command,
) -> None:
    for state in State:
        unit = unit_in(state)
        unit._reason = FULL
        try:
            unit.obey(command)
        except StationError:
            assert (unit.state, unit.reason) == (state, FULL)
            continue
        if command in (Command.STOP, Command.HOLD, Command.SUSPEND, Command.ABORT):
            assert unit.reason is BY_OPERATOR
        else:
            assert unit.reason is (None if command in (Command.RESET, Command.COMPLETE) else FULL)


def test_a_suspension_is_an_operators_as_long_as_that_is_its_reason() -> None:
    unit = unit_in(State.EXECUTE)
    unit.obey(Command.SUSPEND)
    assert unit.suspended_by_operator
    unit.complete(State.SUSPENDING)
    assert unit.suspended_by_operator
    unit.obey(Command.HOLD)
    assert (unit.reason, unit.suspended_by_operator) == (BY_OPERATOR, False)
    unit = unit_in(State.EXECUTE)
    unit.command(Command.SUSPEND, Reason.of(StationError("plc.bin_full", "bin_pits")))
    assert (unit.reason, unit.suspended_by_operator) == (Reason(FAULTS["plc.bin_full"], "bin_pits"), False)


@pytest.mark.parametrize("state", list(State))
def test_the_mode_changes_only_in_stopped_idle_and_aborted(state: State) -> None:
    unit = unit_in(state)
    if state in (State.STOPPED, State.IDLE, State.ABORTED):
        unit.set_mode(Mode.MAINTENANCE)
        assert unit.mode is Mode.MAINTENANCE
    else:
        with pytest.raises(StationError):
            unit.set_mode(Mode.MAINTENANCE)
        assert unit.mode is Mode.PRODUCTION


async def test_a_waiter_is_woken_by_the_next_change() -> None:

    unit = Unit()
    waiter = asyncio.ensure_future(unit.changed())
    await asyncio.sleep(0)
    assert not waiter.done()
    unit.command(Command.RESET)
    await waiter
    assert COMMANDS[Command.RESET][State.STOPPED] is unit.state


def test_a_unit_that_runs_again_has_no_reason_any_more() -> None:
    unit = unit_in(State.UNHOLDING)
    unit._reason = FULL
    unit.complete(State.UNHOLDING)
    assert (unit.state, unit.reason) == (State.EXECUTE, None)
