"""The cell as a PackML unit: states, commands and modes as tables, and the one object that holds the present state.

Source: ANSI/ISA-TR88.00.02-2022, base state model; the numbers are those of PackTags StateCurrent, CntrlCmd and
UnitModeCurrent. Held is the station's own trouble, Suspended is the line's (starved, blocked, no permission).
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from station.core.errors import FAULTS, StationError
from station.core.pulse import Pulse
from station.core.reason import Reason


class State(IntEnum):
    """PackML StateCurrent."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Command(IntEnum):
    """PackML CntrlCmd."""

    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


class Mode(IntEnum):
    """PackML UnitModeCurrent."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3


S, C = State, Command

COMMANDS: dict[Command, dict[State, State]] = {
    C.RESET: {S.STOPPED: S.RESETTING, S.COMPLETE: S.RESETTING},
    C.START: {S.IDLE: S.STARTING},
    C.HOLD: {S.EXECUTE: S.HOLDING, S.SUSPENDED: S.HOLDING},
    C.UNHOLD: {S.HELD: S.UNHOLDING},
    C.SUSPEND: {S.EXECUTE: S.SUSPENDING},
    C.UNSUSPEND: {S.SUSPENDED: S.UNSUSPENDING},
    C.CLEAR: {S.ABORTED: S.CLEARING},
    C.COMPLETE: {S.EXECUTE: S.COMPLETING, S.HELD: S.COMPLETING, S.SUSPENDED: S.COMPLETING},
    C.STOP: {
        state: S.STOPPING for state in S if state not in {S.ABORTED, S.ABORTING, S.CLEARING, S.STOPPING, S.STOPPED}
    },
    C.ABORT: {state: S.ABORTING for state in S if state not in {S.ABORTING, S.ABORTED}},
}
"""Which command is accepted in which state, and the acting state that it starts."""

COMPLETED: dict[State, State] = {
    S.CLEARING: S.STOPPED,
    S.STARTING: S.EXECUTE,
    S.STOPPING: S.STOPPED,
    S.ABORTING: S.ABORTED,
    S.HOLDING: S.HELD,
    S.UNHOLDING: S.EXECUTE,
    S.SUSPENDING: S.SUSPENDED,
    S.UNSUSPENDING: S.EXECUTE,
    S.RESETTING: S.IDLE,
    S.COMPLETING: S.COMPLETE,
}
"""Acting states, and where they lead when their work is complete."""

MODE_CHANGES = frozenset({S.STOPPED, S.IDLE, S.ABORTED})
"""States in which the mode may change."""

MAY_MOVE = frozenset(
    {S.EXECUTE, S.RESETTING, S.STOPPING, S.HOLDING, S.SUSPENDING, S.COMPLETING, S.STARTING, S.UNHOLDING, S.UNSUSPENDING}
)
"""States in which robot or jig may be set in motion; in all others the only order is the jig's stop."""


SUSPENSION = frozenset({S.SUSPENDING, S.SUSPENDED})
"""States in which the unit waits for the line, or is about to."""

LEAVES_EXECUTE = frozenset({C.STOP, C.HOLD, C.SUSPEND, C.ABORT})
"""Commands that are themselves the reason why the unit does not run, when an operator gives them."""

FORGETS = frozenset({C.RESET, C.COMPLETE})
"""Commands after which what was the reason before is none any more."""


BY_OPERATOR = Reason(FAULTS["station.stopped_by_operator"])


@dataclass(frozen=True, slots=True)
class Change:
    """One change: from, to, and the fault or command that caused it (None when work was complete).

    Where `before` is `after`, only the reason has changed; None: nothing hinders any more.
    """

    before: State
    after: State
    reason: Reason | None


class Unit:
    """The present state, mode and reason; the only place that assigns them."""

    def __init__(self) -> None:
        self._state = State.STOPPED
        self._mode = Mode.PRODUCTION
        self._reason: Reason | None = None
        self._subscribers: list[Callable[[Change], None]] = []
        self._pulse = Pulse()

    def subscribe(self, on_change: Callable[[Change], None]) -> None:
        """Have somebody called with every change, at once, from the event loop, after those who subscribed before."""
        self._subscribers.append(on_change)

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    @property
    def mode(self) -> Mode:
        """The present mode."""
        return self._mode

    @property
    def reason(self) -> Reason | None:
        """Why the unit does not run; None while it runs."""
        return self._reason

    @property
    def suspended_by_operator(self) -> bool:
        """Whether an operator has suspended it: then only an operator lets it go on."""
        return self._state in SUSPENSION and self._reason is BY_OPERATOR

    def accepts(self, command: Command) -> bool:
        """Whether the present state accepts this command."""
        return self._state in COMMANDS[command]

    def obey(self, command: Command) -> None:
        """Carry out the command of an operator, or of the PLC in place of one.

        Raises:
            StationError: `station.illegal_command`, and nothing changed.
        """
        self.command(command, BY_OPERATOR if command in LEAVES_EXECUTE else None)

    def command(self, command: Command, reason: Reason | None = None) -> None:
        """Carry out a command, with what caused it.

        Raises:
            StationError: `station.illegal_command`, and nothing changed.
        """
        after = COMMANDS[command].get(self._state)
        if after is None:
            raise StationError("station.illegal_command", f"{command.name} in {self._state.name}")
        if command in FORGETS:
            self._reason = None
        self._go(after, reason)

    def explain(self, reason: Reason | None) -> None:
        """Another reason holds now, or none, in the same state; harmless where nothing changes, and while it runs."""
        if self._state is not State.EXECUTE and reason != self._reason:
            self._reason = reason
            self._tell(Change(self._state, self._state, reason))

    def complete(self, acting: State) -> None:
        """The work of this acting state is complete; harmless when a command has led elsewhere meanwhile."""
        if self._state is acting:
            self._go(COMPLETED[acting], None)

    def set_mode(self, mode: Mode) -> None:
        """Change the mode.

        Raises:
            StationError: `station.illegal_command` outside Stopped, Idle and Aborted.
        """
        if self._state not in MODE_CHANGES:
            raise StationError("station.illegal_command", f"mode {mode.name} in {self._state.name}")
        self._mode = mode

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change of state or reason after this call, however late it is awaited."""
        return self._pulse.changed()

    def _go(self, after: State, reason: Reason | None) -> None:
        before, self._state = self._state, after
        if reason is not None:
            self._reason = reason
        elif after is State.EXECUTE:
            self._reason = None
        self._tell(Change(before, after, reason))

    def _tell(self, change: Change) -> None:
        self._pulse.beat()
        for on_change in self._subscribers:
            on_change(change)
