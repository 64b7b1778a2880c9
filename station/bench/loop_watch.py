"""How long the event loop is away from its sockets: the time of each pass through the callbacks that were ready.

A pass lasts at least as long as its longest callback, so a pass under 5 ms holds no callback over 5 ms.
"""

import asyncio
import selectors
import time
from collections.abc import Sequence
from typing import Any

NS_PER_MS = 1e6


class WatchedSelector(selectors.DefaultSelector):
    """The loop's own selector, which notes the time between two of its waits while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.noting = False
        self.passes_ms: list[float] = []
        self._begun_ns: int | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Wait as ever; what was done since the last wait is a pass."""
        if self._begun_ns is not None:
            self.passes_ms.append((time.monotonic_ns() - self._begun_ns) / NS_PER_MS)
        ready = super().select(timeout)
        self._begun_ns = time.monotonic_ns() if self.noting else None
        return ready

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop that waits with this selector."""
        return asyncio.SelectorEventLoop(self)


def longest_ms(passes_ms: Sequence[float]) -> float:
    """The longest pass, 0 without one."""
    return max(passes_ms, default=0.0)
