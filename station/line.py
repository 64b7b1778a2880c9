"""The cell's talk with the line PLC: deliveries that must arrive, reports, and the operator's commands.

While the line is down the cell is suspended and a delivery waits; when the cell is being stopped, it gives up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from station.alarms import Alarms
from station.core.errors import FAULTS, Fault, PlcError, Reaction, StationError
from station.core.part import Destination
from station.core.ports import CellReport, LinePlc
from station.packml import Command, State, Unit

log = structlog.get_logger()

T = TypeVar("T")

_GIVING_UP = frozenset({State.STOPPING, State.ABORTING, State.STOPPED, State.ABORTED})


class Line:
    """What the cell says to the PLC and hears from it.

    Args:
        plc: The line PLC.
        unit: The PackML unit.
        alarms: The alarm list, which the PLC shows and acknowledges.
        report: Gives the cell's present state for the PLC.
        reconnect_s: Time between attempts to connect.
    """

    def __init__(
        self, plc: LinePlc, unit: Unit, alarms: Alarms, report: Callable[[], CellReport], reconnect_s: float
    ) -> None:
        self._plc = plc
        self._unit = unit
        self._alarms = alarms
        self._report = report
        self._reconnect_s = reconnect_s

    async def deliver(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send something that the PLC must have, as often as it takes, and return what the sending gave.

        Raises:
            PlcError: The cell is being stopped or aborted before the line is back.
        """
        while True:
            try:
                return await send()
            except PlcError as error:
                log.warning("delivery_failed", fault=error.code, detail=error.detail)
                if self._unit.accepts(Command.SUSPEND):
                    self._unit.command(Command.SUSPEND, error.fault)
                await self._line_is_back(error)

    async def room_for(self, place: Destination) -> None:
        """Return when this place can take a part; while it is full, the cell is suspended.

        In a state that cannot be suspended, as while it is reset, the cell stays in that state; if it lasts, it is an
        alarm all the same.

        Raises:
            PlcError: `plc.bin_full`: the cell is being stopped or aborted before there is room.
        """
        if place not in self._plc.full_bins():
            return
        error = PlcError("plc.bin_full", place.label)
        log.warning("bin_full", bin=place.label)
        if self._unit.accepts(Command.SUSPEND):
            self._unit.command(Command.SUSPEND, error.fault)
        else:
            self._alarms.suspended_by(error.fault)
        await self._until(lambda: place not in self._plc.full_bins(), error)

    async def _line_is_back(self, error: PlcError) -> None:
        await self._until(lambda: self._plc.health() is None, error)

    async def _until(self, well: Callable[[], bool], error: PlcError) -> None:
        while not well():
            if self._unit.state in _GIVING_UP:
                raise error
            await first_of(self._plc.changed(), self._unit.changed())

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
                self._unit.command(Command(command.command), operator_reason(Command(command.command)))
            except StationError as error:
                refused = PlcError("plc.illegal_command", error.detail)
            except ValueError:
                refused = PlcError("plc.illegal_command", f"{command.command} is no PackML command")
            log.info("command_answered", command=command.command, refused=refused and refused.detail)
            await self.deliver(lambda c=command, r=refused: self._plc.answer(c, r and r.fault))  # type: ignore[misc]

    async def _answer_acknowledgements(self) -> None:
        while True:
            asked = self._plc.next_acknowledgement()
            if asked is None:
                await self._plc.changed()
                continue
            refused = None
            try:
                self._alarms.acknowledge_number(asked.fault_number, "plc")
            except StationError as error:
                refused = error.fault
            await self.deliver(lambda a=asked, r=refused: self._plc.answer_acknowledgement(a, r))  # type: ignore[misc]

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


def operator_reason(command: Command) -> Fault | None:
    """Why the cell leaves Execute when a person or the PLC commands it."""
    leaving = (Command.STOP, Command.HOLD, Command.SUSPEND, Command.ABORT)
    return FAULTS["station.stopped_by_operator"] if command in leaving else None


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first fault of a task group, or its first exception where there is no fault."""
    error: BaseException = group.subgroup(StationError) or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def first_of(*waits: Coroutine[Any, Any, None]) -> None:
    """Return when the first of these waits is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
