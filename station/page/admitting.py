"""People: who may use the page, as what; and what was done on it, of late. Everybody may change their own password."""

import asyncio

from starlette.responses import RedirectResponse, Response

from station.core.errors import PageError
from station.page.forms import form
from station.page.guard import SIGN_IN, Entry, Visit
from station.page.paint import painted
from station.page.roles import EVERY_ROLE, WHO_ADMIT, Role

PEOPLE, PASSWORD = "/people", "/password"
DEEDS_SHOWN = 100
NO = "no"
"""What the form says in place of a role of who may sign in no more."""


async def show_people(visit: Visit) -> Response:
    """Everybody, and the last deeds."""
    return await _shown(visit, None, 200)


async def admit(visit: Visit) -> Response:
    """Let somebody in."""
    sent = await form(visit.request)
    people = visit.desk.doors.people
    try:
        role = _role(sent.get("role", ""))
        await asyncio.to_thread(people.add, sent.get("name", "").strip(), role, sent.get("password", ""), visit.hand)
    except PageError as error:
        return await _not_done(visit, error)
    return RedirectResponse(PEOPLE, 303)


async def change(visit: Visit) -> Response:
    """Give somebody another role, or let them in no more."""
    sent = await form(visit.request)
    name, wanted = sent.get("name", ""), sent.get("role", "")
    try:
        if wanted == NO:
            await asyncio.to_thread(_shut_out, visit, name)
        else:
            people = visit.desk.doors.people
            await asyncio.to_thread(people.change, name, _role(wanted), visit.hand, active=True)
    except PageError as error:
        return await _not_done(visit, error)
    return RedirectResponse(PEOPLE, 303)


async def renew(visit: Visit) -> Response:
    """Give somebody another password, who has forgotten theirs."""
    sent = await form(visit.request)
    people = visit.desk.doors.people
    try:
        await asyncio.to_thread(people.set_password, sent.get("name", ""), sent.get("password", ""), visit.hand)
    except PageError as error:
        return await _not_done(visit, error)
    return RedirectResponse(PEOPLE, 303)


async def show_password(visit: Visit) -> Response:
    """The form for one's own password."""
    return painted(visit, "password", why=None)


async def set_own_password(visit: Visit) -> Response:
    """Change one's own password, for who knows the old one; then one signs in anew."""
    sent = await form(visit.request)
    doors, name = visit.desk.doors, visit.who.name
    people = doors.people
    if doors.attempts.wait_s(name, visit.address) > 0:
        return painted(visit, "password", 429, why="often")
    doors.attempts.begin(name, visit.address)
    if await asyncio.to_thread(people.prove, name, sent.get("old", "")) is None:
        return painted(visit, "password", 403, why="wrong")
    doors.attempts.succeed(name, visit.address)
    try:
        await asyncio.to_thread(people.set_password, name, sent.get("password", ""), visit.hand)
    except PageError as error:
        if error.code != "page.refused":
            raise
        return painted(visit, "password", 422, why=error.detail)
    return RedirectResponse(SIGN_IN, 303)


ENTRIES = (
    Entry(PEOPLE, "GET", WHO_ADMIT, show_people),
    Entry(PEOPLE, "POST", WHO_ADMIT, admit),
    Entry(f"{PEOPLE}/role", "POST", WHO_ADMIT, change),
    Entry(f"{PEOPLE}/password", "POST", WHO_ADMIT, renew),
    Entry(PASSWORD, "GET", EVERY_ROLE, show_password),
    Entry(PASSWORD, "POST", EVERY_ROLE, set_own_password),
)


def _shut_out(visit: Visit, name: str) -> None:
    people = visit.desk.doors.people
    known = next((person for person in people.everybody() if person.name == name), None)
    people.change(name, known.role if known else Role.OPERATOR, visit.hand, active=False)


def _role(text: str) -> Role:
    """The role of this name.

    Raises:
        PageError: There is none.
    """
    if text not in set(Role):
        raise PageError("page.refused", f"there is no role {text!r}")
    return Role(text)


async def _not_done(visit: Visit, error: PageError) -> Response:
    """The screen again with what was refused.

    Raises:
        PageError: It is more than a refusal.
    """
    if error.code != "page.refused":
        raise error
    return await _shown(visit, error.detail, 422)


async def _shown(visit: Visit, why: str | None, status: int) -> Response:
    doors = visit.desk.doors
    people = await asyncio.to_thread(doors.people.everybody)
    deeds = await asyncio.to_thread(doors.audit.rows, DEEDS_SHOWN)
    return painted(visit, "people", status, why=why, people=people, deeds=deeds, roles=list(Role))
