"""The cell as it is, and what it had to tell, for programs."""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp

from station.page.api.shapes import Alarms, HistoryAsked, State, Stops
from station.page.api.way import Way, asked, given
from station.page.guard import Visit
from station.page.live import events
from station.page.roles import EVERY_ROLE


async def state(visit: Visit) -> Response:
    """Every section, and whether all of it is of now."""
    follower = visit.desk.follower
    _number, sections = follower.after(0)
    ago_s = asyncio.get_running_loop().time() - follower.heard_s
    age_ms = round(1e3 * ago_s) if follower.live else None
    return given(State(live=follower.live, since=follower.since, why=follower.why, age_ms=age_ms, sections=sections))


async def happening(visit: Visit) -> ASGIApp:
    """What happens, for as long as the program listens and its token is good."""
    return await events(visit)


async def alarms(visit: Visit) -> Response:
    """The alarms on the list.

    Raises:
        RecordError: They cannot be read.
    """
    return given(Alarms(alarms=await asyncio.to_thread(visit.desk.records.alarms)))


async def alarm_history(visit: Visit) -> Response:
    """All alarms that there ever were.

    Raises:
        RecordError: They cannot be read.
    """
    limit = asked(HistoryAsked, visit.request).limit
    return given(Alarms(alarms=await asyncio.to_thread(visit.desk.records.alarm_history, limit)))


async def stops(visit: Visit) -> Response:
    """Why the cell stopped.

    Raises:
        RecordError: They cannot be read.
    """
    limit = asked(HistoryAsked, visit.request).limit
    return given(Stops(stops=await asyncio.to_thread(visit.desk.records.stops, limit)))


WAYS = (
    Way("/state", "GET", EVERY_ROLE, state, "The cell as it is now.", State),
    Way(
        "/events", "GET", EVERY_ROLE, happening, "The state first, then every change, as server-sent events.",
        "text/event-stream",
    ),
    Way("/alarms", "GET", EVERY_ROLE, alarms, "The alarms on the list.", Alarms),
    Way(
        "/alarms/history", "GET", EVERY_ROLE, alarm_history, "All alarms that there ever were.", Alarms,
        asked=HistoryAsked,
    ),
    Way(
        "/stops", "GET", EVERY_ROLE, stops, "Every time that the cell left Execute, and why.", Stops,
        asked=HistoryAsked,
    ),
)  # fmt: skip
