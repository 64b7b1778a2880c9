"""Programs: which may come in by a token, as what and until when. A token is shown once, when it is made."""

import asyncio
import re

from starlette.responses import RedirectResponse, Response

from station.core.errors import PageError
from station.core.moments import stamp
from station.page.forms import form
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.roles import WHO_ADMIT, Role
from station.page.tokens import MOST_DAYS

PROGRAMS = "/programs"


async def show_programs(visit: Visit) -> Response:
    """Every token that there is or was."""
    return await _shown(visit)


async def make_token(visit: Visit) -> Response:
    """Make a token, and show it."""
    sent = await form(visit.request)
    tokens, name = visit.desk.doors.tokens, sent.get("name", "").strip()
    try:
        role, days = _wish(sent)
        made = await asyncio.to_thread(tokens.make, name, role, days, visit.hand)
    except PageError as error:
        return await _not_done(visit, error)
    return await _shown(visit, made=made)


async def revoke_token(visit: Visit) -> Response:
    """Take a token back."""
    name = (await form(visit.request)).get("name", "")
    try:
        await asyncio.to_thread(visit.desk.doors.tokens.revoke, name, visit.hand)
    except PageError as error:
        return await _not_done(visit, error)
    return RedirectResponse(PROGRAMS, 303)


ENTRIES = (
    Entry(PROGRAMS, "GET", WHO_ADMIT, show_programs),
    Entry(PROGRAMS, "POST", WHO_ADMIT, make_token),
    Entry(f"{PROGRAMS}/revoke", "POST", WHO_ADMIT, revoke_token),
)


def _wish(sent: dict[str, str]) -> tuple[Role, int]:
    """As what the program is to come, and for how many days.

    Raises:
        PageError: It is not said.
    """
    role, days = sent.get("role", ""), sent.get("days", "")
    if role not in set(Role) or not re.fullmatch(r"[0-9]{1,4}", days):
        raise PageError("page.refused", "say as what the program comes, and for how many days")
    return Role(role), int(days)


async def _not_done(visit: Visit, error: PageError) -> Response:
    if error.code != "page.refused":
        raise error
    return await _shown(visit, why=error.detail, status=422)


async def _shown(visit: Visit, *, why: str | None = None, made: str | None = None, status: int = 200) -> Response:
    tokens = await asyncio.to_thread(visit.desk.doors.tokens.everything)
    roles = [role for role in Role if role not in WHO_ADMIT]
    now = stamp(visit.desk.clock.now())
    return painted(
        visit, "programs", status, why=why, made=made, tokens=tokens, roles=roles, most_days=MOST_DAYS, now=now
    )
