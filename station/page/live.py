"""Live: the cell as it is now, to be read from three metres."""

from starlette.responses import Response
from starlette.types import ASGIApp

from station.cell.packml import COMMANDS
from station.page.commanding import MINUTES
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
    return EventStream(visit.desk.follower, visit.still_in)


async def events_with_pictures(visit: Visit) -> ASGIApp:
    """The same, and what each strip of the part in work shows."""
    follower = visit.desk.follower
    return EventStream(follower, visit.still_in, follower.after_with_pictures)


ENTRIES = (
    Entry("/", "GET", EVERY_ROLE, show_live),
    Entry("/events", "GET", EVERY_ROLE, events, touches=False),
    Entry("/events/surface", "GET", EVERY_ROLE, events_with_pictures, touches=False),
)
