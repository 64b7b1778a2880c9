"""Live: the cell as it is now, to be read from three metres."""

import asyncio

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from station.cell.packml import COMMANDS
from station.core.errors import PageError
from station.host.control import ask
from station.page.audit import Deed
from station.page.commanding import MINUTES
from station.page.forms import json_object
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.roles import AT_THE_CELL, EVERY_ROLE, WHO_COMMAND
from station.page.stream import EventStream

ACCEPTED = {command.name.lower(): [state.name for state in states] for command, states in COMMANDS.items()}
"""In which states each command is taken."""


async def show_live(visit: Visit) -> Response:
    """The screen."""
    role = visit.who.role
    return painted(
        visit, "live", may_operate=role in AT_THE_CELL, may_command=role in WHO_COMMAND, accepted=ACCEPTED,
        minutes=MINUTES,
    )  # fmt: skip


async def events(visit: Visit) -> ASGIApp:
    """What happens, for as long as the browser looks and the person is signed in."""

    async def still_there() -> bool:
        return await asyncio.to_thread(visit.desk.doors.sessions.of, visit.token) is not None

    return EventStream(visit.desk.follower, still_there)


async def acknowledge(visit: Visit) -> Response:
    """The person has seen an alarm.

    Raises:
        PageError: `page.refused`: no code, or the station has no such alarm.
        ControlError: The station does not answer.
    """
    code = (await json_object(visit.request)).get("code")
    if not isinstance(code, str) or not code.isprintable() or " " in code or not code:
        raise PageError("page.refused", "this is no code of an alarm")
    answer = await ask(visit.desk.folder, f"ack {code} for {visit.who.name}")
    if answer["refused"]:
        raise PageError("page.refused", answer["refused"])
    await asyncio.to_thread(
        visit.desk.doors.audit.write, Deed(visit.who.name, visit.address, "alarm_acknowledged", code)
    )
    return JSONResponse({"acknowledged": code})


ENTRIES = (
    Entry("/", "GET", EVERY_ROLE, show_live),
    Entry("/events", "GET", EVERY_ROLE, events, touches=False),
    Entry("/acknowledge", "POST", AT_THE_CELL, acknowledge),
)
