"""The line PLC at the desk: it commands, acknowledges alarms, and is shown the view, and where parts lie.

The station is not to run without it: a line that cannot be served at all, as when its port is in use, ends the station.
"""

import asyncio

import structlog

from station.cell.delivery import AGAIN_S
from station.cell.desk import Desk
from station.cell.hearing import Hearing
from station.cell.reporting import Reporting
from station.cell.telling import Tellings
from station.core.broadcast import Broadcast
from station.core.errors import FAULTS, Fault, PlcError, Reaction, StationError
from station.core.ports.line import CommandWish, LineLink, LineRequest

log = structlog.get_logger()


class PlcCommander:
    """Connects the line, answers what it asks, shows it every change, and tells what it says.

    Args:
        link: The line PLC.
        reconnect_s: Time between attempts to connect.
        broadcast: Told what the line says.
        tellings: Tell the line where parts lie, as far as it does not know that yet.
    """

    def __init__(self, link: LineLink, reconnect_s: float, broadcast: Broadcast, tellings: Tellings) -> None:
        self._link = link
        self._tellings = tellings
        self._reconnect_s = reconnect_s
        self._reporting = Reporting(link.results)
        self._hearing = Hearing(link.feed, broadcast)

    async def serve(self, desk: Desk) -> None:
        """Connect, then answer and report until cancelled.

        Raises:
            StationError: The line PLC cannot be served at all.
        """
        await self._connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_requests(desk), name="plc requests")
            group.create_task(self._reporting.serve(desk), name="plc reports")
            group.create_task(self._hearing.serve(), name="plc words")
            group.create_task(self._tellings.serve(), name="plc places")

    async def leave(self, desk: Desk) -> None:
        """Show the last view, if the line still takes it."""
        await self._reporting.report_final_state(desk)

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def _connect(self) -> None:
        told = ""
        while True:
            try:
                return await self._link.connect()
            except PlcError as error:
                if error.fault.reaction is Reaction.REFUSE:
                    raise
                if told != str(error):
                    told = str(error)
                    log.warning("line_not_connected", fault=error.code, detail=error.detail)
                await asyncio.sleep(self._reconnect_s)

    async def _answer_requests(self, desk: Desk) -> None:
        requests = self._link.requests
        while True:
            request = requests.pending()
            if request is None:
                await requests.changed()
            elif isinstance(request.wish, CommandWish):
                await self._answer(request, _command(desk, request, request.wish.number))
            else:
                await self._answer(request, _acknowledge(desk, request, request.wish.fault_number))

    async def _answer(self, request: LineRequest, refused: Fault | None) -> None:
        """Answer when the line takes it. That is no part's work: no state waits for it, and none ends it."""
        while True:
            try:
                return await self._link.requests.answer(request, refused)
            except PlcError as error:
                log.warning("answer_failed", fault=error.code, detail=error.detail)
            if not self._is_away():
                await asyncio.sleep(AGAIN_S)
            while self._is_away():
                await self._link.feed.changed()

    def _is_away(self) -> bool:
        """Whether the line cannot be talked with; a wrong announcement does not hinder that."""
        return self._link.feed.view.fault not in (None, FAULTS["part.bad_id"])


def _command(desk: Desk, request: LineRequest, number: int) -> Fault | None:
    """Take the line's command to the desk; why it is refused, or None."""
    refused: StationError | None = None
    try:
        desk.command(number, f"{_plc(request)}, number {request.sequence}")
    except StationError as error:
        refused = error
    log.info("command_answered", command=number, refused=refused and refused.detail, by=request.peer)
    return FAULTS["plc.illegal_command"] if refused else None


def _acknowledge(desk: Desk, request: LineRequest, fault_number: int) -> Fault | None:
    try:
        desk.acknowledge(fault_number, _plc(request))
    except StationError as error:
        return error.fault
    return None


def _plc(request: LineRequest) -> str:
    return f"plc {request.peer}".rstrip()
