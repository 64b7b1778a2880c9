"""The PackML table against the published one, typed in again by hand, over every state and command."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.errors import FAULTS, StationError
from station.packml import COMMANDS, COMPLETED, Change, Command, Mode, State, Unit

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


@given(st.lists(st.one_of(st.sampled_from(list(Command)), st.none()), max_size=60))
def test_any_sequence_reports_each_change_once_and_keeps_the_reason_until_the_unit_runs(
    steps: list[Command | None],
) -> None:
    changes: list[Change] = []
    unit = Unit(changes.append)
    for step in steps:
        before = unit.state
        if step is None:
            unit.complete(before) if before in COMPLETED else None
        elif unit.accepts(step):
            unit.command(step, FAULTS["camera.lost"] if step in (Command.HOLD, Command.ABORT) else None)
        if unit.state is not before:
            assert changes[-1].before is before
            assert changes[-1].after is unit.state
        if unit.state is State.EXECUTE:
            assert unit.reason is None
    assert len(changes) == len([1 for change in changes if change.before is not change.after])


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
