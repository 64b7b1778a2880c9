"""The PackML unit at work: what the cell does in each state.

One task works through the states; commands (people, the PLC) and faults move the unit, never the work itself. A part in
work is finished whatever is commanded, save Abort, which cancels it and stops the jig.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from station.cell.cell import Cell
from station.cell.packml import COMPLETED, Change, Command, State, Unit
from station.cell.quota import Quota
from station.cell.reactions import Reactions
from station.cell.supply import STARVED, Supply
from station.core.broadcast import Broadcast
from station.core.errors import BugError, Reaction, StationError
from station.core.events import StateChanged

log = structlog.get_logger()


class Controller:
    """Works through the unit's states until cancelled.

    Args:
        unit: The PackML unit.
        cell: What the cell can do.
        supply: What the line offers.
        quota: How many parts are wanted.
        reactions: What is done about faults.
        broadcast: Told of every change of state.
    """

    def __init__(
        self, unit: Unit, cell: Cell, supply: Supply, quota: Quota, reactions: Reactions, broadcast: Broadcast
    ) -> None:
        self._unit = unit
        self._cell = cell
        self._supply = supply
        self._quota = quota
        self._reactions = reactions
        self._broadcast = broadcast
        self._work: asyncio.Task[None] | None = None
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
        unit.subscribe(self._on_change)

    async def run(self) -> None:
        """Do what each state is for, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._unsuspend(), name="unsuspend")
            group.create_task(self._run_states(), name="work")

    def _on_change(self, change: Change) -> None:
        """Tell of the change, and cancel the work on Abort."""
        self._broadcast.tell(StateChanged(change.before.name, change.after.name, self._unit.reason))
        if change.after is State.ABORTING and self._work is not None:
            self._work.cancel()

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
            self._reactions.react(error)
        except Exception as error:  # the one place where a bug becomes a reaction
            log.exception("bug_met", state=state.name)
            self._reactions.react(BugError("station.bug", f"{type(error).__name__}: {error}"))
        finally:
            self._work = None
        if state in COMPLETED:
            self._unit.complete(state)
        self._reactions.catch_up()

    # ------------------------------------------------------------------ the work

    async def _execute(self) -> None:
        """Take the next part through, or wait for one; returns at the first command that leads out of Execute."""
        while self._unit.state is State.EXECUTE:
            if self._quota.met:
                self._unit.command(Command.COMPLETE)
            elif not await self._cell.resume():
                await self._take_next()

    async def _take_next(self) -> None:
        hindrance, part = self._supply.hindrance(), self._supply.waiting
        if hindrance is not None:
            self._unit.command(Command.SUSPEND, hindrance)
        elif part is not None:
            await self._cell.inspect(part)
        elif not await self._supply.next():
            self._unit.command(Command.SUSPEND, STARVED)

    async def _wait_for_the_line(self) -> None:
        """Suspended by the line: go on when the line is good and a part waits. An operator's Suspend stays."""
        if self._unit.suspended_by_operator:
            await self._unit.changed()
            return
        while self._unit.state is State.SUSPENDED:
            hindrance = self._supply.hindrance()
            if hindrance is None and self._supply.waiting is not None:
                self._unit.command(Command.UNSUSPEND)
                return
            self._unit.explain(hindrance or STARVED)
            await self._supply.changed()

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
