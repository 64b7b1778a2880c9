"""Who may: every answer of the page names its roles, and is given to nobody else.

request ─▶ Host known? ─▶ origin, where it changes something ─▶ signed in? ─▶ role? ─▶ the answer

A person comes with a session's cookie, a program with a token (`Authorization: Bearer …`), and only where programs may.
Who comes with a token is not asked for a cookie, so that no browser can be led to act for the person who uses it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from station.core.errors import PageError, StationError
from station.page.desk import PageDesk
from station.page.people import Hand, Person
from station.page.roles import Roles
from station.page.words import best_language

COOKIE, COOKIE_IN_SECRET = "station", "__Host-station"
BEARER = "bearer "
SIGN_IN, FIRST = "/sign-in", "/first"
STATUS = {
    "page.refused": 422, "record.unknown": 404, "label.unknown_class": 422, "label.nothing_said": 409,
    "label.said_later": 409, "hand.needed": 409, "hand.taken": 409, "hand.gone": 409, "hand.refused": 422,
    "page.no_metrics": 404, "model.not_passed": 409, "model.exists": 409, "model.unknown": 404,
    "page.model_changed": 409, "page.no_such_model": 404, "page.no_grounds": 422,
}  # fmt: skip
"""The status of faults that the asker can do something about; of all others it is 503."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person.

    Attributes:
        request: The request.
        desk: What answers are made from.
        person: Who asks; None where anybody may.
        token: Their session's, or the program's, or nothing.
    """

    request: Request
    desk: PageDesk
    person: Person | None
    token: str

    @property
    def who(self) -> Person:
        """Who asks, where only somebody may.

        Raises:
            PageError: Nobody; there is no way to that.
        """
        if self.person is None:
            raise PageError("page.refused", "nobody is signed in")
        return self.person

    async def still_in(self) -> bool:
        """Whether who asks may still come in: the session or the token is not over."""
        return await _whose(self.request, self.desk, self.token) is not None

    @property
    def address(self) -> str:
        """From where."""
        return self.request.client.host if self.request.client else ""

    @property
    def language(self) -> str:
        """In which language the answer is."""
        return best_language(self.request.headers.get("accept-language", ""))

    @property
    def hand(self) -> Hand:
        """Who, from where, as the audit trail has it."""
        return Hand(self.who.name, self.address)


Answer = Callable[[Visit], Awaitable[ASGIApp]]
"""Gives the answer to a visit, which is called as Starlette calls a response."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One way into the page.

    Attributes:
        path: As Starlette's routes write it.
        method: GET or POST.
        roles: Who may; None for everybody, signed in or not.
        answer: What gives the answer.
        touches: Whether asking shows that the person is there, so that the session goes on. Where it does not and
            everybody may, nobody looks who asks.
        programs: Whether programs may, with a token.
    """

    path: str
    method: str
    roles: Roles | None
    answer: Answer
    touches: bool = True
    programs: bool = False


class Guarded:
    """The guard before one entry; what Starlette calls.

    Args:
        entry: The entry.
        desk: What answers are made from.
    """

    def __init__(self, entry: Entry, desk: PageDesk) -> None:
        self.entry = entry
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the answer, or say why not."""
        request = Request(scope, receive)
        try:
            answer = await self._guarded(request)
        except StationError as error:
            answer = refusal(request, STATUS.get(error.code, 503), str(error))
        await answer(scope, receive, send)

    async def _guarded(self, request: Request) -> ASGIApp:
        token, roles = _token(request, self._desk), self.entry.roles
        program = is_program(request)
        matters = roles is not None or self.entry.touches
        may_come = matters and bool(token) and (self.entry.programs or not program)
        person = await _whose(request, self._desk, token) if may_come else None
        if roles is not None:
            if person is None:
                return await self._not_signed_in(request)
            if person.role not in roles:
                return refusal(request, 403, f"{person.name} is {person.role.value} here, and may not do this")
        if person is not None and self.entry.touches and not program:
            await asyncio.to_thread(self._desk.doors.sessions.touch, token)
        return await self.entry.answer(Visit(request, self._desk, person, token))

    async def _not_signed_in(self, request: Request) -> Response:
        if wants_a_page(request):
            nobody = await asyncio.to_thread(self._desk.doors.people.there_are_none)
            return RedirectResponse(FIRST if nobody else SIGN_IN, 303)
        return refusal(request, 401, "nobody is signed in")


def routes(entries: Sequence[Entry], desk: PageDesk) -> list[Route]:
    """The entries as Starlette wants them, each behind its guard."""
    return [Route(entry.path, Guarded(entry, desk), methods=[entry.method]) for entry in entries]


def cookie_name(desk: PageDesk) -> str:
    """What the session's cookie is called."""
    return COOKIE_IN_SECRET if desk.secret else COOKIE


def is_program(request: HTTPConnection) -> bool:
    """Whether a program asks, with a token."""
    return request.headers.get("authorization", "").lower().startswith(BEARER)


def wants_a_page(request: Request) -> bool:
    """Whether a person looks at what comes, and no script."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def refusal(request: Request, status: int, why: str) -> Response:
    """A refusal in words."""
    if wants_a_page(request):
        return Response(why, status, media_type="text/plain")
    return JSONResponse({"refused": why}, status)


def _token(request: Request, desk: PageDesk) -> str:
    if is_program(request):
        return request.headers["authorization"][len(BEARER) :].strip()
    return request.cookies.get(cookie_name(desk), "")


async def _whose(request: Request, desk: PageDesk, token: str) -> Person | None:
    doors = desk.doors
    return await asyncio.to_thread(doors.tokens.of if is_program(request) else doors.sessions.of, token)
