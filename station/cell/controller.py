"""The PackML unit at work: what the cell does in each state, and how it reacts to faults.

One task works through the states; commands (people, the PLC) and faults move the unit, never the work itself. A part in
work is finished whatever is commanded, save Abort, which cancels it and stops the jig.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from station.cell.alarms import Alarms
from station.cell.cell import Cell
from station.cell.line import Line, command_note, first_error
from station.cell.packml import COMPLETED, Change, Command, State, Unit
from station.core.alarms import Alarm
from station.core.errors import FAULTS, BugError, Fault, PlcError, Reaction, StationError
from station.core.events import StateChanged, Watcher
from station.core.part import Announcement
from station.core.ports.line import LinePlc
from station.core.ports.records import PartLedger
from station.core.pulse import first_of
from station.core.reason import Reason
from station.core.settings import Settings

log = structlog.get_logger()

STARVED = Reason(FAULTS["plc.starved"])

_LEAVING = frozenset({State.STOPPING, State.HOLDING, State.SUSPENDING, State.COMPLETING})


class Controller:
    """Runs the cell until it is told to end.

    Args:
        unit: The PackML unit.
        cell: What the cell can do.
        line: The talk with the PLC.
        plc: What the PLC says.
        ledger: Where changes of state are noted.
        settings: The configuration.
        watch: Told of every change of state.
        alarms: What needs a person's action.
    """

    def __init__(
        self,
        unit: Unit,
        cell: Cell,
        line: Line,
        plc: LinePlc,
        ledger: PartLedger,
        settings: Settings,
        watch: Watcher,
        alarms: Alarms,
    ) -> None:
        self._unit = unit
        self._cell = cell
        self._line = line
        self._plc = plc
        self._ledger = ledger
        self._settings = settings
        self._watch = watch
        self._alarms = alarms
        self._parts: int | None = None
        self._pending: StationError | None = None
        self._work: asyncio.Task[None] | None = None
        self._notes: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=1000)
        self._do: dict[State, Callable[[], Awaitable[None]]] = {
            State.RESETTING: cell.get_ready,
            State.UNHOLDING: cell.get_ready,
            State.STARTING: self._nothing,
            State.UNSUSPENDING: self._nothing,
            State.EXECUTE: self._execute,
            State.SUSPENDED: self._wait_for_the_line,
            State.SUSPENDING: self._nothing,
            State.COMPLETING: cell.stand_still,
            State.HOLDING: self._come_to_rest,
            State.STOPPING: self._come_to_rest,
            State.ABORTING: self._abort,
            State.CLEARING: self._nothing,
        }

    # ------------------------------------------------------------------ commands

    def command(self, command: Command, by: str = "an operator") -> None:
        """Carry out a command, and note who gave it.

        Args:
            command: What to do.
            by: Who wants it, for the record of events.

        Raises:
            StationError: `station.illegal_command`: this state does not accept it; nothing changed.
        """
        refused: StationError | None = None
        try:
            self._unit.obey(command)
        except StationError as error:
            refused = error
            raise
        finally:
            self.note(*command_note(command.name.lower(), by, refused))

    def note(self, event: str, detail: str) -> None:
        """Have it written into the record of events; one that cannot keep up loses the note, not the cell."""
        try:
            self._notes.put_nowait((event, detail))
        except asyncio.QueueFull:
            log.error("note_not_kept", fault="record.disk_failed", detail="too many are waiting", note=event)

    def limit_parts(self, parts: int) -> None:
        """Complete after so many parts in all, at once if they are through already."""
        self._parts = parts
        if self._cell.counters.processed >= parts and self._unit.accepts(Command.COMPLETE):
            self._unit.command(Command.COMPLETE)

    def acknowledge(self, code: str | None, by: str) -> None:
        """Acknowledge the alarm with this code, or all of them.

        Raises:
            StationError: `station.no_such_alarm`.
        """
        if code is None:
            self._alarms.acknowledge_all(by)
        else:
            self._alarms.acknowledge(code, by)

    async def reached(self, *states: State) -> State:
        """Return when the unit is in one of these states, and which."""
        while self._unit.state not in states:
            await self._unit.changed()
        return self._unit.state

    @property
    def state(self) -> State:
        """The present state."""
        return self._unit.state

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms on the list, the one raised last at the end."""
        return self._alarms.listed

    @property
    def trouble(self) -> tuple[Fault | None, str]:
        """Why the cell does not run, and the detail."""
        reason = self._unit.reason
        return (reason.fault, reason.detail) if reason else (None, "")

    def on_change(self, change: Change) -> None:
        """To be called by the unit with every change: tells watchers, notes it, and cancels the work on Abort."""
        self._alarms.on_change(change)
        fault, detail = self.trouble
        self._watch(StateChanged(change.before.name, change.after.name, fault, detail))
        self._note(change)
        if change.after is State.ABORTING and self._work is not None:
            self._work.cancel()

    def _note(self, change: Change) -> None:
        """Log it, and have it written into the book."""
        code, detail = (change.reason.fault.code, change.reason.detail) if change.reason else ("", "")
        if change.before is change.after:
            event, states = "reason_changed", {"state": change.after.name}
        else:
            event, states = "state_changed", {"before": change.before.name, "after": change.after.name}
        log.info(event, **states, reason=code, detail=detail)
        self.note(event, " ".join(filter(None, (*states.values(), code, detail))))

    # ------------------------------------------------------------------ the work

    async def run(self) -> None:
        """Serve the line and work through the states until cancelled; then everything is let go.

        Raises:
            StationError: The line PLC cannot be served at all, for example because its port is in use.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._line.serve(), name="line")
                group.create_task(self._keep_notes(), name="notes")
                group.create_task(self._alarms.keep(), name="alarms")
                group.create_task(self._unsuspend(), name="unsuspend")
                group.create_task(self._run_states(), name="work")
        except BaseExceptionGroup as group_error:
            raise first_error(group_error) from group_error
        finally:
            await self._line.say_last()
            await asyncio.gather(self._cell.close(), self._plc.close())
            await self._keep_last()

    async def _run_states(self) -> None:
        while True:
            state = self._unit.state
            if state in self._do:
                await self._work_in(state)
            else:
                await self._unit.changed()

    async def _unsuspend(self) -> None:
        """Unsuspending has no work of its own, and does not wait for the part in work, which may wait for the line."""
        while True:
            await self._unit.changed()
            self._unit.complete(State.UNSUSPENDING)

    async def _work_in(self, state: State) -> None:
        self._work = asyncio.ensure_future(self._do[state]())
        try:
            await self._work
        except asyncio.CancelledError:
            if self._unit.state is not State.ABORTING or asyncio.current_task().cancelling():  # type: ignore[union-attr]
                self._work.cancel()
                raise
        except StationError as error:
            self._react(error)
        except Exception as error:  # the one place where a bug becomes a reaction
            log.exception("bug_met", state=state.name)
            self._react(BugError("station.bug", f"{type(error).__name__}: {error}"))
        finally:
            self._work = None
        if state in COMPLETED:
            self._unit.complete(state)
        if self._pending is not None and self._unit.state not in _LEAVING:
            pending, self._pending = self._pending, None
            self._move(pending)

    def _react(self, error: StationError) -> None:
        """Do as the fault's row of the table says; what a person has to act on becomes an alarm."""
        log.error("fault_met", fault=error.code, text=error.fault.text, detail=error.detail)
        if error.fault.reaction is not Reaction.SUSPEND:
            latching = Reaction.ABORT if error.fault.reaction is Reaction.ABORT else Reaction.HOLD
            self._alarms.raise_(error.fault, latching, error.detail)
        self._move(error)

    def _move(self, error: StationError) -> None:
        wanted = {Reaction.ABORT: Command.ABORT, Reaction.SUSPEND: Command.SUSPEND}.get(
            error.fault.reaction, Command.HOLD
        )
        if self._unit.state in _LEAVING and wanted is not Command.ABORT:
            self._pending = error  # met while leaving for another reason: reacted to when the unit has arrived
            return
        if self._unit.state in (State.HELD, State.STOPPED):
            return
        accepted = next((one for one in (wanted, Command.HOLD, Command.STOP) if self._unit.accepts(one)), None)
        if wanted is Command.SUSPEND and accepted is not Command.SUSPEND:
            self._alarms.raise_(error.fault, Reaction.HOLD, error.detail)
        if accepted is not None:
            self._unit.command(accepted, Reason.of(error))

    async def _execute(self) -> None:
        """Take the next part through, or wait for one; returns at the first command that leads out of Execute."""
        while self._unit.state is State.EXECUTE:
            if self._parts is not None and self._cell.counters.processed >= self._parts:
                self._unit.command(Command.COMPLETE)
                return
            if await self._cell.resume():
                continue
            trouble = self._line_trouble()
            part = self._plc.waiting_part()
            if trouble is not None:
                self._unit.command(Command.SUSPEND, trouble)
            elif part is not None:
                await self._cell.inspect(part)
            elif not await self._a_part_may_come():
                self._unit.command(Command.SUSPEND, STARVED)

    async def _a_part_may_come(self) -> bool:
        try:
            async with asyncio.timeout(self._settings.plc.starved_after_s):
                while (
                    self._unit.state is State.EXECUTE and self._plc.waiting_part() is None and not self._line_trouble()
                ):
                    await first_of(self._plc.changed(), self._unit.changed())
        except TimeoutError:
            return False
        return True

    def _line_trouble(self) -> Reason | None:
        """Why no part may be taken on, and the cell is suspended, or None.

        Raises:
            PlcError: The line is ill in a way that does not pass by itself.
        """
        if (fault := self._plc.health()) is not None:
            if fault.reaction is not Reaction.SUSPEND:
                raise PlcError(fault.code, "seen while the line PLC was listened to")
            return Reason(fault)
        if not self._plc.permission():
            return Reason(FAULTS["plc.no_permission"])
        part: Announcement | None = self._plc.waiting_part()
        if part is not None and self._settings.part_type_of(part.type_code) is None:
            return Reason(FAULTS["part.unknown_type"], f"part {part.part_id} has type code {part.type_code}")
        return None

    async def _wait_for_the_line(self) -> None:
        """Suspended by the line: go on when the line is good and a part waits. An operator's Suspend stays."""
        if self._unit.suspended_by_operator:
            await self._unit.changed()
            return
        while self._unit.state is State.SUSPENDED:
            trouble = self._line_trouble()
            if trouble is None and self._plc.waiting_part() is not None:
                self._unit.command(Command.UNSUSPEND)
                return
            self._unit.explain(trouble or STARVED)
            await first_of(self._plc.changed(), self._unit.changed())

    async def _come_to_rest(self) -> None:
        """Stopping or holding: the jig at standstill; a jig that cannot be reached stops by itself."""
        try:
            await self._cell.stand_still()
        except StationError as error:
            log.error("rest_not_confirmed", fault=error.code, detail=error.detail)
            if error.fault.reaction is Reaction.ABORT:
                raise

    async def _abort(self) -> None:
        try:
            await self._cell.stop_jig()
        except StationError as error:
            log.error("abort_stop_not_confirmed", fault=error.code, detail=error.detail)

    async def _nothing(self) -> None:
        """States whose work is done at once."""

    async def _keep_notes(self) -> None:
        while True:
            await self._keep(await self._notes.get())

    async def _keep_last(self) -> None:
        """Write down what is not written yet."""
        while not self._notes.empty():
            await self._keep(self._notes.get_nowait())
        await self._alarms.keep_last()

    async def _keep(self, note: tuple[str, str]) -> None:
        event, detail = note
        try:
            await self._ledger.note(event, detail)
        except StationError as error:
            log.error("note_not_kept", fault=error.code, detail=error.detail, note=event)
