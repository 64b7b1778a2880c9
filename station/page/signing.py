"""Coming in and going: signing in, signing out, and the first person of all."""

import asyncio

import structlog
from starlette.responses import RedirectResponse, Response

from station.core.errors import PageError
from station.page.audit import Deed
from station.page.forms import form
from station.page.guard import FIRST, SIGN_IN, Entry, Visit, cookie_name
from station.page.paint import painted
from station.page.people import Person
from station.page.roles import EVERY_ROLE

HOME = "/"
TOO_OFTEN = 429

log = structlog.get_logger()


async def show_sign_in(visit: Visit) -> Response:
    """The form to sign in; for the first person of all the other form."""
    if await asyncio.to_thread(visit.desk.doors.people.there_are_none):
        return RedirectResponse(FIRST, 303)
    return painted(visit, "sign-in", why=None, name="")


async def sign_in(visit: Visit) -> Response:
    """Sign somebody in, or say that it is not so."""
    sent = await form(visit.request)
    name, doors = sent.get("name", "").strip(), visit.desk.doors
    if (wait_s := doors.attempts.wait_s(name, visit.address)) > 0:
        return _too_often(visit, "sign-in", wait_s, name)
    doors.attempts.begin(name, visit.address)
    person = await asyncio.to_thread(doors.people.prove, name, sent.get("password", ""))
    if person is None:
        log.warning("sign_in_refused", address=visit.address)
        await asyncio.to_thread(doors.audit.write, Deed(name[:40], visit.address, "sign_in_refused"))
        return painted(visit, "sign-in", 403, why="wrong", name=name)
    doors.attempts.succeed(name, visit.address)
    return await _signed_in(visit, person)


async def sign_out(visit: Visit) -> Response:
    """Sign the person out."""
    await asyncio.to_thread(visit.desk.doors.sessions.end, visit.token, visit.who, visit.address)
    gone = RedirectResponse(SIGN_IN, 303)
    gone.delete_cookie(cookie_name(visit.desk), secure=visit.desk.secret, httponly=True, samesite="strict")
    return gone


async def still_there(_visit: Visit) -> Response:
    """The person is signed in, and nothing else."""
    return Response(status_code=204)


async def show_first(visit: Visit) -> Response:
    """The form for the first person of all."""
    if not await asyncio.to_thread(visit.desk.doors.people.there_are_none):
        return RedirectResponse(SIGN_IN, 303)
    return painted(visit, "first", why=None, name="")


async def come_first(visit: Visit) -> Response:
    """Let the first person in, who knows the code that the terminal showed."""
    sent = await form(visit.request)
    name, doors = sent.get("name", "").strip(), visit.desk.doors
    if (wait_s := doors.attempts.wait_s("", visit.address)) > 0:
        return _too_often(visit, "first", wait_s, name)
    if not doors.invitation.fits(sent.get("code", "")):
        doors.attempts.begin("", visit.address)
        return painted(visit, "first", 403, why="wrong", name=name)
    password = sent.get("password", "")
    try:
        await asyncio.to_thread(doors.people.add_first, name, password, visit.address)
    except PageError as error:
        if error.code != "page.refused":
            raise
        return painted(visit, "first", 422, why=error.detail, name=name)
    person = await asyncio.to_thread(doors.people.prove, name, password)
    return await _signed_in(visit, person) if person else RedirectResponse(SIGN_IN, 303)


ENTRIES = (
    Entry(SIGN_IN, "GET", None, show_sign_in),
    Entry(SIGN_IN, "POST", None, sign_in),
    Entry(FIRST, "GET", None, show_first),
    Entry(FIRST, "POST", None, come_first),
    Entry("/sign-out", "POST", EVERY_ROLE, sign_out),
    Entry("/here", "POST", EVERY_ROLE, still_there),
    Entry("/session", "GET", EVERY_ROLE, still_there, touches=False),
)


async def _signed_in(visit: Visit, person: Person) -> Response:
    token = await asyncio.to_thread(visit.desk.doors.sessions.begin, person, visit.address)
    welcome = RedirectResponse(HOME, 303)
    welcome.set_cookie(
        cookie_name(visit.desk), token, secure=visit.desk.secret, httponly=True, samesite="strict", path="/"
    )
    return welcome


def _too_often(visit: Visit, template: str, wait_s: float, name: str) -> Response:
    answer = painted(visit, template, TOO_OFTEN, why="often", name=name)
    answer.headers["retry-after"] = str(round(wait_s) + 1)
    return answer
