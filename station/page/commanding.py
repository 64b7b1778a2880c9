"""Commanding the cell from the page: Stop and Abort at once, everything else by who has the hand."""

import asyncio

from starlette.responses import JSONResponse, Response

from station.cell.packml import Command
from station.core.errors import ControlError, PageError
from station.host.control import ask
from station.host.wishes import ALWAYS_OPEN
from station.page.audit import Deed
from station.page.forms import json_object
from station.page.guard import Entry, Visit
from station.page.hands import Wish
from station.page.roles import AT_THE_CELL, WHO_COMMAND
from station.page.said import one_line

MINUTES = (5, 15, 30, 60)
"""For how long the hand may be taken."""
NAMES = {command.name.lower(): command for command in Command}
OPEN = {command.name.lower() for command in ALWAYS_OPEN}


async def take(visit: Visit) -> Response:
    """The person takes the hand.

    Raises:
        PageError: `page.refused`: without a reason, or for another time.
        StationError: `hand.taken`.
        ControlError: The station does not answer.
    """
    sent = await json_object(visit.request)
    minutes = sent.get("minutes")
    if minutes not in MINUTES:
        raise PageError("page.refused", f"the hand is taken for {', '.join(map(str, MINUTES))} minutes")
    wish = Wish(visit.token, visit.hand, one_line(sent.get("why"), "a reason"), 60 * minutes)
    return JSONResponse({"until": await visit.desk.hands.take(wish)})


async def give_back(visit: Visit) -> Response:
    """The person gives the hand back."""
    visit.desk.hands.give_back(visit.token)
    return Response(status_code=204)


async def command(visit: Visit) -> Response:
    """The person commands.

    Raises:
        PageError: `page.refused`: it is no command, or the cell's state does not take it.
        StationError: `hand.needed`.
        ControlError: The station does not answer.
    """
    word = (await json_object(visit.request)).get("command")
    if word not in NAMES:
        raise PageError("page.refused", f"commands are {', '.join(NAMES)}")
    refused = await _carried_out(visit, word)
    told = f"{word}: {refused}" if refused else word
    await asyncio.to_thread(visit.desk.doors.audit.write, Deed(visit.who.name, visit.address, "commanded", told))
    if refused:
        raise PageError("page.refused", refused)
    return JSONResponse({"commanded": word})


ENTRIES = (
    Entry("/hand", "POST", WHO_COMMAND, take),
    Entry("/hand/back", "POST", WHO_COMMAND, give_back),
    Entry("/command", "POST", AT_THE_CELL, command),
)


async def _carried_out(visit: Visit, word: str) -> str | None:
    """Have it carried out; why it was refused, or None. A Stop that finds the hand gone goes without it."""
    hands = visit.desk.hands
    if word not in OPEN:
        return await hands.command(visit.token, word)
    if hands.has(visit.token):
        try:
            refused = await hands.command(visit.token, word)
        except ControlError:
            refused = ""
        if refused is None or hands.has(visit.token):
            return refused
    answer = await ask(visit.desk.folder, f"{word} for {visit.who.name}")
    refused_by_state: str | None = answer["refused"]
    return refused_by_state
