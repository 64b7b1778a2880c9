"""The hand as the page has it: one person's, for one session, over a connection that is the hand.

    take ──▶ station.socket ──▶ held ──▶ given back, taken back, its time over, the session over, the page gone

Whoever signs out, is idle for too long or is given another role has no session, and within two seconds no hand.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import structlog

from station.core.errors import PageError, StationError
from station.host.control import ANSWER_TIMEOUT_S
from station.host.hand import HeldHand, held_hand
from station.page.audit import Audit, Deed
from station.page.people import Hand, Person

LOOK_S = 2.0
"""So often it is asked whether who has the hand is still signed in."""
SIGNED_OUT = "the session is over"

log = structlog.get_logger()


class WhoIsIn(Protocol):
    """Who tells whether somebody is still signed in."""

    def of(self, token: str) -> Person | None:
        """Whose session this is, or None: it is over. Blocks.

        Raises:
            PageError: That cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants the hand, and what for.

    Attributes:
        token: Of the session that it is for.
        person: Who, from where.
        why: The reason.
        seconds: For how long.
    """

    token: str
    person: Hand
    why: str
    seconds: int


class Hands:
    """The hand of one page; used from its event loop.

    Args:
        folder: The station's data folder.
        sessions: Who is signed in.
        audit: Where it is written who took it and how it ended.
    """

    def __init__(self, folder: Path, sessions: WhoIsIn, audit: Audit) -> None:
        self._folder = folder
        self._sessions = sessions
        self._audit = audit
        self._held: tuple[str, HeldHand] | None = None
        self._keeping: set[asyncio.Task[None]] = set()

    def has(self, token: str) -> bool:
        """Whether this session has the hand."""
        return self._held is not None and self._held[0] == token and not self._held[1].over

    async def take(self, wish: Wish) -> str:
        """Take it; returns until when, UTC.

        Raises:
            StationError: As for `held_hand`; or it cannot be written down, and then it is not taken.
        """
        async with AsyncExitStack() as stack:
            held = await stack.enter_async_context(held_hand(self._folder, wish.person.name, wish.why, wish.seconds))
            await asyncio.to_thread(self._audit.write, _deed(wish, "hand_taken", f"{wish.seconds} s: {wish.why}"))
            kept = stack.pop_all()
        self._held = (wish.token, held)
        keeping = asyncio.create_task(self._keep(held, wish, kept), name="hand")
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        return held.until

    async def command(self, token: str, word: str) -> str | None:
        """Have a command carried out by who has the hand; why it was refused, or None.

        Raises:
            StationError: `hand.needed`: this session does not have it.
            ControlError: The station does not answer.
        """
        if self._held is None or not self.has(token):
            raise StationError("hand.needed", word)
        return await self._held[1].command(word)

    def give_back(self, token: str) -> None:
        """It is not needed any more; harmless where this session does not have it."""
        if self._held is not None and self.has(token):
            self._held[1].give_back()

    async def close(self) -> None:
        """The page ends, and with it the hand."""
        for keeping in self._keeping:
            keeping.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def _keep(self, held: HeldHand, wish: Wish, kept: AsyncExitStack) -> None:
        """Hold it until it is over, and write down why that was."""
        async with kept:
            over = asyncio.create_task(held.listen(), name="hand's end")
            leaving = asyncio.create_task(self._signed_out(wish.token), name="hand's session")
            try:
                await asyncio.wait({over, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not over.done():
                    held.give_back()
                    await asyncio.wait({over}, timeout=ANSWER_TIMEOUT_S)
                why = SIGNED_OUT if leaving.done() else over.result()
            finally:
                over.cancel()
                leaving.cancel()
                await asyncio.gather(over, leaving, return_exceptions=True)
                self._held = None
        await self._write_end(_deed(wish, "hand_ended", why))

    async def _signed_out(self, token: str) -> None:
        """Return when the session is over, or nobody can tell."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                if await asyncio.to_thread(self._sessions.of, token) is None:
                    return
        except PageError as error:
            log.warning("hand_not_written", fault=error.code, detail=error.detail)

    async def _write_end(self, deed: Deed) -> None:
        try:
            await asyncio.to_thread(self._audit.write, deed)
        except PageError as error:
            log.warning("hand_not_written", fault=error.code, detail=error.detail)


def _deed(wish: Wish, what: Literal["hand_taken", "hand_ended"], detail: str) -> Deed:
    return Deed(wish.person.name, wish.person.address, what, detail)
