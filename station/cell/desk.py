"""The desk: the one way into the cell, and the one view out of it.

    line PLC, command line, automatic reset, … ── command, acknowledge ──▶ Desk ──▶ unit, alarms
                                               ◀── view, changed ──────────┘

Who commands is a commander; nothing that one does or fails at can hurt the cell or another.
"""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from station.cell.alarms import Alarms
from station.cell.counters import Counters
from station.cell.hand import Grip, Hand
from station.cell.notes import Notes
from station.cell.packml import Command, Mode, State, Unit
from station.cell.quota import Quota
from station.cell.references import References
from station.core.alarms import Alarm, AlarmSummary
from station.core.errors import StationError
from station.core.pulse import Pulse
from station.core.reason import Reason
from station.core.study import Study

CHALLENGE = 100
"""The number, beside PackML's commands, with which the line PLC asks for the golden parts of all types."""


@dataclass(frozen=True, slots=True)
class DeskView:
    """All that is to be seen of the cell, at one moment.

    Attributes:
        state: The present state.
        mode: The present mode.
        reason: Why the cell does not run, or None.
        alarms: The alarms on the list, the one raised last at the end.
        summary: The list in numbers.
        processed: Parts sorted since the start.
        defective: Parts sorted as anything but defect-free since the start.
    """

    state: State
    mode: Mode
    reason: Reason | None
    alarms: tuple[Alarm, ...]
    summary: AlarmSummary
    processed: int
    defective: int


class Desk:
    """Where the cell is commanded and looked at; used from its event loop.

    Args:
        unit: Is commanded.
        alarms: Are acknowledged.
        counters: Are shown.
        quota: How many parts are wanted.
        notes: Where it is noted who commanded what.
        references: Golden parts are asked for, studies begun.
        hand: Who may command for a time, beside the line PLC.
    """

    def __init__(
        self,
        unit: Unit,
        alarms: Alarms,
        counters: Counters,
        quota: Quota,
        notes: Notes,
        references: References,
        hand: Hand,
    ) -> None:
        self._unit = unit
        self._alarms = alarms
        self._counters = counters
        self._quota = quota
        self._notes = notes
        self._references = references
        self._hand = hand
        self._pulse = Pulse()
        unit.subscribe(lambda _change: self._pulse.beat())
        alarms.subscribe(self._pulse.beat)

    # ------------------------------------------------------------------ in

    def command(self, number: int, by: str) -> None:
        """Carry out a command, and note who gave it; whoever had the hand has it no more.

        Args:
            number: A `Command`, or `CHALLENGE`; any other number is refused.
            by: Who wants it, for the record of events.

        Raises:
            StationError: `station.illegal_command`: this state does not accept it, or it is none; nothing changed.
        """
        self._hand.end(f"{_name_of(number)} by {by}")
        if number == CHALLENGE:
            self.challenge(None, "asked for", by)
        else:
            self._obey(number, by)

    def command_in_hand(self, number: int, grip: Grip) -> None:
        """Carry out a command of the one who has the hand.

        Raises:
            StationError: As for `command`; `hand.gone`: nothing changed.
        """
        grip.require()
        self._obey(number, f"{grip.holder.who}, who has the hand")

    def take_hand(self, who: str, why: str, seconds: int) -> Grip:
        """Let somebody command for a time.

        Raises:
            StationError: As for `Hand.take`.
        """
        return self._hand.take(who, why, seconds)

    def challenge(self, part_type: str | None, cause: str, by: str) -> None:
        """Have the golden parts of a type, or of all, judged before any other part of it.

        Args:
            part_type: Name of the type, or None.
            cause: Why, in words.
            by: Who wants it.

        Raises:
            StationError: There are no such golden parts.
        """
        with self._noted("challenge", by):
            self._references.challenge.demand(part_type, f"{cause}, by {by}")
        self._references.asked.beat()

    def begin_study(self, study: Study, by: str) -> None:
        """Have each part turned and judged several times from now on, and go back to people.

        Raises:
            StationError: Another study is under way.
        """
        with self._noted(f"begin study {study.name}", by):
            self._references.study.begin(study)
        self._references.asked.beat()

    def end_study(self, by: str) -> None:
        """Have parts sorted again.

        Raises:
            StationError: No study is under way.
        """
        with self._noted("end study", by):
            self._references.study.end()
        self._references.asked.beat()

    def acknowledge(self, which: str | int | None, by: str) -> None:
        """Somebody has seen an alarm.

        Args:
            which: The fault's code, or its number; None for all alarms.
            by: Who has seen it.

        Raises:
            StationError: `station.no_such_alarm`.
        """
        if which is None:
            self._alarms.acknowledge_all(by)
        elif isinstance(which, int):
            self._alarms.acknowledge_number(which, by)
        else:
            self._alarms.acknowledge(which, by)

    def limit_parts(self, parts: int) -> None:
        """Complete after so many parts in all, at once if they are through already."""
        self._quota.limit(parts)
        if self._quota.met and self._unit.accepts(Command.COMPLETE):
            self._unit.command(Command.COMPLETE)

    @contextmanager
    def _noted(self, command: str, by: str) -> Iterator[None]:
        """Note a command, and why it was refused, if it was."""
        refused: StationError | None = None
        try:
            yield
        except StationError as error:
            refused = error
            raise
        finally:
            self._notes.command(command, by, refused)

    def _obey(self, number: int, by: str) -> None:
        with self._noted(_name_of(number), by):
            self._unit.obey(_command(number))

    # ------------------------------------------------------------------ out

    @property
    def view(self) -> DeskView:
        """What is to be seen now."""
        unit, alarms, counters = self._unit, self._alarms, self._counters
        return DeskView(
            unit.state, unit.mode, unit.reason, alarms.listed, alarms.summary, counters.processed, counters.defective
        )

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change of state, reason or alarms after this call, however late it is awaited.

        It wakes without a detour, so that whoever looks then sees a state, too, whose work is over in a moment.
        """
        return self._pulse.changed()

    async def reached(self, *states: State) -> State:
        """Return when the unit is in one of these states, and which."""
        while self._unit.state not in states:
            await self._unit.changed()
        return self._unit.state


class Commander(Protocol):
    """Who commands the cell, as long as it is served."""

    async def serve(self, desk: Desk) -> None:
        """Command, acknowledge and look at the desk until cancelled; one that raises is dropped, as the log tells."""


def _command(number: int) -> Command:
    try:
        return Command(number)
    except ValueError:
        raise StationError("station.illegal_command", f"{number} is no PackML command") from None


def _name_of(number: int) -> str:
    return Command(number).name.lower() if number in set(Command) else f"command {number}"
