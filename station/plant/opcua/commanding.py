"""Methods: what a client commands goes the way of a person at the operator page, with the same rights and hand.

    method ─▶ role? ─▶ Stop, Abort: at once · any other: only with the hand ─▶ the station's desk ─▶ status code

| refused because | status code |
|---|---|
| nobody is named, or the role may not | BadUserAccessDenied |
| the cell's state does not take it | BadInvalidState |
| the line PLC, or another, has the hand | BadRequestNotAllowed |
| an argument is wrong | BadInvalidArgument, BadArgumentsMissing, BadTooManyArguments |
| there is no such part, alarm or recipe | BadNotFound |
| the station is not heard | BadNoCommunication |

Why, in words, is in the variable `Commands/Refused`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from asyncua import ua

from station.core.errors import ControlError, PageError, StationError
from station.host.control import ask
from station.host.wishes import ALWAYS_OPEN
from station.page.audit import Audit, Deed, What
from station.page.hands import Hands, Wish
from station.page.people import Hand, Person
from station.page.roles import AT_THE_CELL, WHO_COMMAND, Roles
from station.plant.opcua.admission import ADDRESS, CALLER, StationSession, may

OPEN = frozenset(command.name.lower() for command in ALWAYS_OPEN)
MINUTES = range(1, 61)
"""For how long the hand may be taken."""
TEXT_MOST = 200

Outcome = Any
"""What a method answers: a list of variants, or a status code; asyncua has no types for mypy."""
Method = Callable[..., Awaitable[Any]]
Refused = Callable[[str], Awaitable[None]]

CODES = {
    "station.illegal_command": ua.StatusCodes.BadInvalidState,
    "station.no_such_alarm": ua.StatusCodes.BadNotFound,
    "record.unknown": ua.StatusCodes.BadNotFound,
    "hand.needed": ua.StatusCodes.BadRequestNotAllowed,
    "hand.taken": ua.StatusCodes.BadRequestNotAllowed,
    "hand.gone": ua.StatusCodes.BadRequestNotAllowed,
    "hand.refused": ua.StatusCodes.BadInvalidArgument,
}
"""The status code of each refusal; of any other fault it is BadNoCommunication where the station is not reached, else
BadInternalError."""

log = structlog.get_logger()


def code_of(error: StationError) -> ua.StatusCode:
    """The status code of a refusal."""
    other = ua.StatusCodes.BadNoCommunication if isinstance(error, ControlError) else ua.StatusCodes.BadInternalError
    return ua.StatusCode(CODES.get(error.code, other))


class RefusedError(Exception):
    """A method is refused.

    Args:
        code: The status code.
        why: In words.
    """

    def __init__(self, code: int, why: str) -> None:
        self.code = ua.StatusCode(code)
        self.why = why
        super().__init__(why)


class Commander:
    """Carries out what clients command; used from one event loop.

    Args:
        folder: The station's data folder.
        hands: Who has the hand.
        audit: Where it is written who commanded what.
        refused: Told why the last call was refused.
    """

    def __init__(self, folder: Path, hands: Hands, audit: Audit, refused: Refused) -> None:
        self._folder = folder
        self._hands = hands
        self._audit = audit
        self._refused = refused

    def method(self, work: Callable[..., Awaitable[Outcome]], roles: Roles | None, *kinds: ua.VariantType) -> Method:
        """A method as asyncua calls it: who calls and with what is seen to, and every refusal has its status code.

        Args:
            work: Does it, given the caller's session and the values of its arguments.
            roles: Who may; None: whoever is let in.
            kinds: Of its arguments; Null for any.
        """

        async def called(_parent: ua.NodeId, *arguments: ua.Variant) -> Outcome:
            session = CALLER.get()
            try:
                _require(session.person, roles)
                return await work(session, *_checked(arguments, kinds))
            except RefusedError as error:
                await self._tell(session, error.why)
                return error.code
            except StationError as error:
                await self._tell(session, str(error))
                return code_of(error)

        return called

    def command(self, word: str) -> Method:
        """The method of a PackML command without arguments."""

        async def work(session: StationSession, *_ignored: Any) -> Outcome:
            await self.carry_out(session, word)
            return []

        return self.method(work, AT_THE_CELL if word in OPEN else WHO_COMMAND)

    async def carry_out(self, session: StationSession, word: str) -> None:
        """Have a command carried out.

        Raises:
            StationError, RefusedError: It is refused.
        """
        refused = await self._refusal(session, word)
        await self._write(session, "commanded", f"{word}: {refused}" if refused else word)
        if refused:
            code = ua.StatusCodes.BadInvalidState
            raise RefusedError(code, refused)

    async def take_hand(self, session: StationSession, why: str, minutes: int) -> str:
        """Take the hand; until when, UTC.

        Raises:
            StationError, RefusedError: It is refused.
        """
        said = " ".join(str(why).split())[:TEXT_MOST]
        if not said or minutes not in MINUTES:
            raise RefusedError(
                ua.StatusCodes.BadInvalidArgument, "the hand is taken with a reason, for 1 to 60 minutes"
            )
        person = session.person
        name = person.name if person else ""
        return await self._hands.take(Wish(session.token, Hand(name, ADDRESS), said, 60 * minutes))

    def give_hand_back(self, token: str) -> None:
        """The hand is not needed any more; harmless where this session does not have it."""
        self._hands.give_back(token)

    async def acknowledge(self, session: StationSession, code: str, note: str) -> None:
        """Somebody has seen an alarm, or all.

        Raises:
            StationError, RefusedError: There is none.
        """
        known = " ".join(str(code).split())
        if not known or " " in known:
            raise RefusedError(ua.StatusCodes.BadInvalidArgument, "the code of an alarm, or all")
        name = session.person.name if session.person else ""
        said = " ".join(str(note).split())[:TEXT_MOST]
        answer = await ask(self._folder, f"ack {known} for {name}: {said}")
        await self._write(session, "alarm_acknowledged", known)
        if answer["refused"]:
            raise RefusedError(ua.StatusCodes.BadNotFound, answer["refused"])

    async def _refusal(self, session: StationSession, word: str) -> str | None:
        """Have it carried out; why the cell's state refused it, or None."""
        if word not in OPEN or self._hands.has(session.token):
            return await self._hands.command(session.token, word)
        name = session.person.name if session.person else ""
        answer = await ask(self._folder, f"{word} for {name}")
        refused: str | None = answer["refused"]
        return refused

    async def _write(self, session: StationSession, what: What, detail: str) -> None:
        try:
            name = session.person.name if session.person else ""
            await asyncio.to_thread(self._audit.write, Deed(name, ADDRESS, what, detail))
        except PageError as error:
            log.warning("hand_not_written", fault=error.code, detail=error.detail)

    async def _tell(self, session: StationSession, why: str) -> None:
        log.info("method_refused", by=_name_of(session.person), detail=why)
        await self._refused(why)


def _require(person: Person | None, roles: Roles | None) -> None:
    """Make sure that somebody of these roles calls; None: anybody may.

    Raises:
        RefusedError: Somebody else does.
    """
    if roles is not None and not may(person, roles):
        raise RefusedError(ua.StatusCodes.BadUserAccessDenied, f"{_name_of(person)} may not do this")


def _checked(arguments: tuple[ua.Variant, ...], kinds: tuple[ua.VariantType, ...]) -> list[Any]:
    """The values of the arguments.

    Raises:
        RefusedError: Too few, too many, or of another type.
    """
    if len(arguments) < len(kinds):
        raise RefusedError(ua.StatusCodes.BadArgumentsMissing, f"{len(kinds)} arguments are wanted")
    if len(arguments) > len(kinds):
        raise RefusedError(ua.StatusCodes.BadTooManyArguments, f"{len(kinds)} arguments are wanted")
    for number, (argument, kind) in enumerate(zip(arguments, kinds, strict=True), 1):
        if kind is not ua.VariantType.Null and (argument.VariantType is not kind or argument.is_array):
            raise RefusedError(ua.StatusCodes.BadInvalidArgument, f"argument {number} is a {kind.name}")
    return [argument.Value for argument in arguments]


def _name_of(person: Person | None) -> str:
    return person.name if person else "somebody without a name"
