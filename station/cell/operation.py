"""Everything of one cell that runs side by side, from the first connection to the last word."""

import asyncio
from collections.abc import Sequence

import structlog

from station.cell.alarms import Alarms
from station.cell.cell import Cell
from station.cell.controller import Controller
from station.cell.desk import Commander, Desk
from station.cell.notes import Notes
from station.cell.plc_commander import PlcCommander
from station.cell.references import References
from station.core.errors import StationError

log = structlog.get_logger()


class Operation:
    """The cell in operation: it works, the line is served, what happens is written down, and whoever may commands.

    Args:
        controller: Works through the states.
        cell: Is closed at the end.
        desk: Where the cell is commanded.
        line: The line's own commander, without which the station does not run.
        commanders: Who else commands.
        notes: Are saved.
        alarms: Are saved.
        references: Are saved.
    """

    def __init__(
        self,
        controller: Controller,
        cell: Cell,
        desk: Desk,
        line: PlcCommander,
        commanders: Sequence[Commander],
        notes: Notes,
        alarms: Alarms,
        references: References,
    ) -> None:
        self._controller = controller
        self._cell = cell
        self._desk = desk
        self._line = line
        self._commanders = commanders
        self._notes = notes
        self._alarms = alarms
        self._references = references
        self._commanding: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Run until cancelled; then everything is let go.

        Raises:
            StationError: The line PLC cannot be served at all, for example because its port is in use.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._line.serve(self._desk), name="line")
                group.create_task(self._notes.save(), name="notes")
                group.create_task(self._alarms.save(), name="alarms")
                group.create_task(self._references.save(), name="references")
                group.create_task(self._controller.run(), name="controller")
                self._commanding = [group.create_task(self._serve(one), name=_name(one)) for one in self._commanders]
        except BaseExceptionGroup as group_error:
            raise first_error(group_error) from group_error
        finally:
            await self._line.leave(self._desk)
            await asyncio.gather(self._cell.close(), self._line.close())
            await self._notes.flush()
            await self._alarms.flush()
            await self._references.flush()

    def dismiss(self) -> None:
        """From now on nobody but the line commands, and who holds the desk."""
        for commanding in self._commanding:
            commanding.cancel()

    async def _serve(self, commander: Commander) -> None:
        """Let somebody command; whatever that fails at costs nobody else anything."""
        try:
            await commander.serve(self._desk)
        except Exception:  # whatever it is, the cell does not depend on it
            log.exception("commander_dropped", commander=_name(commander))


def _name(commander: Commander) -> str:
    return type(commander).__name__


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first fault of a task group, or its first exception where there is no fault."""
    error: BaseException = group.subgroup(StationError) or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
