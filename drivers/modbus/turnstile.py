"""Who is answered next, when more is asked than is answered."""

import asyncio
from collections import deque

from drivers.modbus.allowance import Allowance
from drivers.modbus.served_connection import ServedConnection

PAUSE_S = 0.01
"""The shortest rest when nothing is allowed just now."""
_REQUESTS_AT_ONCE = 8
"""Requests that are answered before whatever else waits in the event loop."""


class Turnstile:
    """Lets requests through as its allowance permits, one of each connection in turn.

    Args:
        allowance: How many, and how fast.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._waiting: deque[ServedConnection] = deque()
        self._next: asyncio.Handle | None = None

    def lets_through(self, connection: ServedConnection) -> bool:
        """Whether it is let through now; if not, it stands in the line, and goes when its turn has come."""
        if not self._waiting and self._allowance.take():
            return True
        self._waiting.append(connection)
        self._rest()
        return False

    def close(self) -> None:
        """Let nobody through any more."""
        self._waiting.clear()
        if self._next:
            self._next.cancel()

    def _go(self) -> None:
        self._next = None
        try:
            for _ in range(min(_REQUESTS_AT_ONCE, len(self._waiting))):
                if not self._allowance.take():
                    break
                self._waiting.popleft().go()
        finally:
            if self._waiting:
                self._rest()

    def _rest(self) -> None:
        """Go on when there is a turn again, and whatever else waits in the event loop has had its own."""
        loop, wait_s = asyncio.get_running_loop(), self._allowance.wait_s
        if self._next is None:
            self._next = loop.call_later(max(wait_s, PAUSE_S), self._go) if wait_s else loop.call_soon(self._go)
