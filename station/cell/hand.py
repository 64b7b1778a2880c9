"""The hand at work: by default the line PLC's, for a time one person's.

    nobody's (the line PLC commands) ── take ──▶ one person's
                    ▲                                │ given back, its time is over, its connection is gone,
                    └────────────────────────────────┘ or anybody else commands: the line PLC first of all

Taking it moves nothing, and a part in work goes its way. It is kept in memory alone: a station that begins anew begins
with the line PLC.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from station.cell.notes import Notes
from station.core.broadcast import Broadcast
from station.core.clock import Clock
from station.core.errors import StationError
from station.core.events import HandChanged
from station.core.hand import Holder
from station.core.moments import stamp

MOST_S = 3600
"""Nobody has the hand for longer without taking it anew."""

log = structlog.get_logger()


class Grip:
    """The hand, as the one who has it holds it.

    Args:
        holder: Who that is.
        let_go: Told why it is given back.
    """

    def __init__(self, holder: Holder, let_go: Callable[[str], None]) -> None:
        self.holder = holder
        self._let_go = let_go
        self._over = asyncio.Event()
        self._why = ""

    @property
    def why(self) -> str:
        """Why it is over; empty while it is held."""
        return self._why

    def require(self) -> None:
        """Make sure that it is still held.

        Raises:
            StationError: `hand.gone`.
        """
        if self._over.is_set():
            raise StationError("hand.gone", self._why)

    def give_back(self, why: str) -> None:
        """It is not needed any more; harmless when it is over."""
        if not self._over.is_set():
            self._let_go(why)

    def end(self, why: str) -> None:
        """It is over."""
        self._why = why
        self._over.set()

    async def over(self) -> None:
        """Return when it is over."""
        await self._over.wait()


class Hand:
    """The one hand of one cell; used from its event loop.

    Args:
        notes: Where it is noted who took it and how it ended.
        clock: The date.
        broadcast: Told of every change.
    """

    def __init__(self, notes: Notes, clock: Clock, broadcast: Broadcast) -> None:
        self._notes = notes
        self._clock = clock
        self._broadcast = broadcast
        self._grip: Grip | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, who: str, why: str, seconds: int) -> Grip:
        """Somebody takes the hand.

        Args:
            who: The person.
            why: The reason, which must be given.
            seconds: For how long, 1 to `MOST_S`.

        Raises:
            StationError: `hand.taken`: somebody has it. `hand.refused`: no reason, or no such time.
        """
        if self._grip is not None:
            holder = self._grip.holder
            raise StationError("hand.taken", f"{holder.who} has it until {stamp(holder.until)}: {holder.why}")
        if not why or not 1 <= seconds <= MOST_S:
            raise StationError("hand.refused", f"it is taken with a reason, and for 1 to {MOST_S} s")
        now = self._clock.now()
        self._grip = Grip(Holder(who, why, now, now + timedelta(seconds=seconds)), self.end)
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, "its time is over")
        self._tell("hand_taken", f"{who} for {seconds} s: {why}", self._grip.holder)
        return self._grip

    def end(self, why: str) -> None:
        """It is the line PLC's again; harmless where it was."""
        if self._grip is None or self._timer is None:
            return
        grip, self._grip = self._grip, None
        self._timer.cancel()
        grip.end(why)
        self._tell("hand_ended", f"{grip.holder.who}: {why}", None)

    def _tell(self, event: str, detail: str, holder: Holder | None) -> None:
        log.info("hand_changed", what=event, detail=detail)
        self._notes.note(event, detail)
        self._broadcast.tell(HandChanged(holder))
