"""How long the event loop is away from its sockets: the time of each pass through the callbacks that were ready.

A pass lasts at least as long as its longest callback, so a pass under 5 ms holds no callback over 5 ms.
"""

import asyncio
import selectors
import time
from typing import Any

NS_PER_MS = 1e6


class WatchedSelector(selectors.DefaultSelector):
    """The loop's own selector, which notes the longest time between two of its waits while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.noting = False
        self.longest_ms = 0.0
        self._begun_ns: int | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Wait as ever; what was done since the last wait is a pass."""
        if self._begun_ns is not None:
            self.longest_ms = max(self.longest_ms, (time.monotonic_ns() - self._begun_ns) / NS_PER_MS)
        ready = super().select(timeout)
        self._begun_ns = time.monotonic_ns() if self.noting else None
        return ready

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop that waits with this selector."""
        return asyncio.SelectorEventLoop(self)
