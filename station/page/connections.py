"""Connections that take their time: how long one may, and which has to go where too many do.

Whoever connects and does not say what they want, sends a byte now and then, or does not read what they asked for, holds
nothing but their own connection, and that for some seconds only. When too many wait so, the one that has waited longest
goes for every new one; a browser connects anew without a word.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""So long it may take until what is asked has arrived whole, from the first sign of it."""
READ_S = 30.0
"""So long a reader may take for as much as is handed over at a time."""
WAITING = 128
"""So many connections may wait without having asked anything."""


class TimedConnection(H11Protocol):
    """One connection of uvicorn's, with an end to its patience.

    Attributes:
        since_s: Since when it waits, on the loop's clock, where it does.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.since_s = self.loop.time()

    @property
    def waits(self) -> bool:
        """Whether nothing is asked that is not answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected; for them the one that has waited longest may have to go."""
        super().connection_made(transport)
        self._hurry("head", HEAD_S)
        waiting = [one for one in self.connections if isinstance(one, TimedConnection) and one.waits]
        if len(waiting) > WAITING:
            min(waiting, key=lambda one: one.since_s).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Something has arrived: all of what is asked, or a piece of it."""
        super().data_received(data)
        if self.waits:
            self._hurry("head", HEAD_S)
        else:
            self._take_time("head")

    def on_response_complete(self) -> None:
        """What was asked is answered; it waits from now on."""
        self.since_s = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The other end does not read as fast as it is answered."""
        super().pause_writing()
        self._hurry("read", READ_S)

    def resume_writing(self) -> None:
        """It has read what was handed over."""
        super().resume_writing()
        self._take_time("read")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        for what in tuple(self._timers):
            self._take_time(what)
        super().connection_lost(exc)

    def _hurry(self, what: str, within_s: float) -> None:
        if what not in self._timers:
            self._timers[what] = self.loop.call_later(within_s, self.transport.abort)

    def _take_time(self, what: str) -> None:
        if timer := self._timers.pop(what, None):
            timer.cancel()
