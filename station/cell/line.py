"""The cell's talk with the line PLC: deliveries that must arrive, reports, and the operator's commands.

While the line is down a delivery waits, and the cell with it: it is Suspended when nothing moves any more, by what is
true at the time, and goes on when the wait is over. When the cell is being stopped or held, the wait is given up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from station.cell.alarms import Alarms
from station.cell.packml import Command, State, Unit
from station.core.errors import FAULTS, PlcError, Reaction, StationError
from station.core.ports.line import CellReport, LinePlc
from station.core.pulse import first_of
from station.core.reason import Reason
from station.core.verdicts import Place

log = structlog.get_logger()

T = TypeVar("T")

_GIVING_UP = frozenset(
    {State.STOPPING, State.ABORTING, State.HOLDING, State.STOPPED, State.ABORTED, State.HELD},
)


class Line:
    """What the cell says to the PLC and hears from it.

    Args:
        plc: The line PLC.
        unit: The PackML unit.
        alarms: The alarm list, which the PLC shows and acknowledges.
        report: Gives the cell's present state for the PLC.
        reconnect_s: Time between attempts to connect.
        still: Set while the jig does not turn; None where it never does.
        note: Takes an event and its detail for the record of events; None for nowhere.
    """

    def __init__(
        self,
        plc: LinePlc,
        unit: Unit,
        alarms: Alarms,
        report: Callable[[], CellReport],
        reconnect_s: float,
        still: asyncio.Event | None = None,
        note: Callable[[str, str], None] | None = None,
    ) -> None:
        self._plc = plc
        self._unit = unit
        self._alarms = alarms
        self._report = report
        self._reconnect_s = reconnect_s
        self._still = still or _always()
        self._note = note or (lambda _event, _detail: None)

    # ------------------------------------------------------------------ what the part in work waits for

    async def deliver(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send something that the PLC must have, as often as it takes, and return what the sending gave.

        Raises:
            PlcError: The cell is being stopped, held or aborted before the line is back.
        """
        waited = False
        while True:
            try:
                sent = await send()
            except PlcError as error:
                await self._wait_out(error)
                waited = True
                continue
            if waited:
                await self._go_on()
            return sent

    async def ride_out(self, error: PlcError) -> None:
        """Wait until the PLC can be talked with again, and let the unit go on: for what moves something then.

        Raises:
            PlcError: The cell is being stopped, held or aborted before the line is back.
        """
        await self._wait_out(error)
        await self._go_on()

    async def _wait_out(self, error: PlcError) -> None:
        log.warning("delivery_failed", fault=error.code, detail=error.detail)
        self._rest(Reason.of(error))
        await self._until_nothing_hinders(self._silence)

    async def room_for(self, place: Place) -> None:
        """Return when this place can take a part; while it is full, the cell is suspended.

        A PLC that is not believed does not say that there is room. In a state that cannot be suspended, as while it is
        reset, the cell stays in that state; if it lasts, it is an alarm all the same.

        Raises:
            PlcError: `plc.bin_full`: the cell is being stopped, held or aborted before there is room.
        """

        def hindrance() -> Reason | None:
            full = place in self._plc.full_bins()
            return self._silence() or (Reason(FAULTS["plc.bin_full"], place.name) if full else None)

        if (reason := hindrance()) is not None:
            log.warning("no_room_for_part", bin=place.name, fault=reason.fault.code)
            await self._until_nothing_hinders(hindrance)
            await self._go_on()

    def _silence(self) -> Reason | None:
        """Why the PLC cannot be talked with, or None; a wrong announcement does not hinder that.

        What was told in detail of the same fault stays.
        """
        fault, known = self._plc.health(), self._unit.reason
        if fault is None or fault is FAULTS["part.bad_id"]:
            return None
        return known if known is not None and known.fault is fault else Reason(fault)

    async def _until_nothing_hinders(self, hindrance: Callable[[], Reason | None]) -> None:
        while (reason := hindrance()) is not None:
            self._rest(reason)
            waits = [self._plc.changed(), self._unit.changed()]
            if not self._still.is_set():
                waits.append(_set(self._still))
            await first_of(*waits)

    def _rest(self, reason: Reason) -> None:
        """The part in work waits for this: the unit is suspended, and Suspended as soon as nothing moves.

        Raises:
            PlcError: The cell is being stopped, held or aborted, or what it waits for cannot come.
        """
        if self._unit.state in _GIVING_UP or reason.fault.reaction is Reaction.ABORT:
            raise PlcError(reason.fault.code, reason.detail)
        if self._unit.accepts(Command.SUSPEND):
            self._unit.command(Command.SUSPEND, reason)
        elif not self._unit.suspended_by_operator:
            self._unit.explain(reason)
        if self._still.is_set():
            self._unit.complete(State.SUSPENDING)

    async def _go_on(self) -> None:
        """Nothing hinders the part in work any more; an operator who has suspended the cell is waited for too."""
        while self._unit.suspended_by_operator and self._unit.state is State.SUSPENDED:
            await self._unit.changed()
        if self._unit.accepts(Command.UNSUSPEND):
            self._unit.command(Command.UNSUSPEND)
            self._unit.complete(State.UNSUSPENDING)
        elif self._unit.state not in _GIVING_UP and not self._unit.suspended_by_operator:
            self._unit.explain(None)

    # ------------------------------------------------------------------ what the PLC asks and is told

    async def serve(self) -> None:
        """Connect, then answer what the PLC asks and publish every change of state or alarms; until cancelled."""
        await self._connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_commands(), name="plc commands")
            group.create_task(self._answer_acknowledgements(), name="plc acknowledgements")
            group.create_task(self._publish_reports(), name="plc reports")

    async def say_last(self) -> None:
        """Publish the state a last time before the station goes, if the line still takes it."""
        try:
            await self._plc.report(self._report())
        except PlcError as error:
            log.warning("last_report_failed", fault=error.code, detail=error.detail)

    async def _connect(self) -> None:
        told = ""
        while True:
            try:
                return await self._plc.connect()
            except PlcError as error:
                if error.fault.reaction is Reaction.REFUSE:
                    raise
                if told != str(error):
                    told = str(error)
                    log.warning("line_not_connected", fault=error.code, detail=error.detail)
                await asyncio.sleep(self._reconnect_s)

    async def _answer_commands(self) -> None:
        while True:
            command = self._plc.next_command()
            if command is None:
                await self._plc.changed()
                continue
            refused = None
            try:
                self._unit.obey(Command(command.command))
            except StationError as error:
                refused = PlcError("plc.illegal_command", error.detail)
            except ValueError:
                refused = PlcError("plc.illegal_command", f"{command.command} is no PackML command")
            log.info("command_answered", command=command.command, refused=refused and refused.detail, by=command.peer)
            by = f"{_plc(command.peer)}, number {command.sequence}"
            self._note(*command_note(_name_of(command.command), by, refused))
            await self._answer(lambda c=command, r=refused: self._plc.answer(c, r and r.fault))  # type: ignore[misc]

    async def _answer_acknowledgements(self) -> None:
        while True:
            asked = self._plc.next_acknowledgement()
            if asked is None:
                await self._plc.changed()
                continue
            refused = None
            try:
                self._alarms.acknowledge_number(asked.fault_number, _plc(asked.peer))
            except StationError as error:
                refused = error.fault
            await self._answer(lambda a=asked, r=refused: self._plc.answer_acknowledgement(a, r))  # type: ignore[misc]

    async def _answer(self, send: Callable[[], Awaitable[None]]) -> None:
        """Answer when the line takes it. That is no part's work: no state waits for it, and none ends it."""
        while True:
            try:
                return await send()
            except PlcError as error:
                log.warning("answer_failed", fault=error.code, detail=error.detail)
            while self._silence() is not None:
                await self._plc.changed()

    async def _publish_reports(self) -> None:
        while True:
            changes = [asyncio.ensure_future(self._unit.changed()), asyncio.ensure_future(self._alarms.changed())]
            try:
                await self._report_once()
                await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for change in changes:
                    change.cancel()

    async def _report_once(self) -> None:
        try:
            await self._plc.report(self._report())
        except PlcError as error:
            log.warning("report_failed", fault=error.code, detail=error.detail)


def command_note(command: str, by: str, refused: StationError | None) -> tuple[str, str]:
    """A command for the record of events: what was commanded, by whom, and why it was refused, if it was."""
    if refused is None:
        return "command_taken", f"{command} by {by}"
    return "command_refused", f"{command} by {by}: {refused.detail}"


def _name_of(number: int) -> str:
    return Command(number).name.lower() if number in set(Command) else f"command {number}"


def _plc(peer: str) -> str:
    return f"plc {peer}".rstrip()


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first fault of a task group, or its first exception where there is no fault."""
    error: BaseException = group.subgroup(StationError) or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _set(event: asyncio.Event) -> None:
    await event.wait()


def _always() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
