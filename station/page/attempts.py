"""How often somebody may try to sign in: attempts are counted by name, by address, and by both together.

An attempt counts as failed from its begin, so that many at the same time are no more than many one after the other.
"""

from collections import deque
from collections.abc import Callable

WINDOW_S = 900.0
"""Failures are counted for so long."""
MOST = {"both": 5, "address": 20, "name": 50}
"""So many failures are borne within that time. Of one name from one address, few; of one name from anywhere, more, so
that nobody is easily kept out by others."""
KEYS = 10_000
"""So many names and addresses are remembered; the oldest are forgotten first."""

Key = tuple[str, str]


class Attempts:
    """Attempts that failed, or are not over; used from one event loop.

    Args:
        now: Seconds on a clock that only goes on.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failed: dict[Key, deque[float]] = {}

    def wait_s(self, name: str, address: str) -> float:
        """How long nobody of this name at this address may try again, in seconds; 0 where they may now."""
        return max(self._wait_s(key) for key in _keys(name, address))

    def begin(self, name: str, address: str) -> None:
        """An attempt begins; it has failed unless it is said to have succeeded."""
        for key in _keys(name, address):
            failures = self._failed.pop(key, deque(maxlen=MOST[key[0]]))
            failures.append(self._now())
            self._failed[key] = failures
        while len(self._failed) > KEYS:
            del self._failed[next(iter(self._failed))]

    def succeed(self, name: str, address: str) -> None:
        """The attempt that was begun has succeeded."""
        for key in _keys(name, address):
            if failures := self._failed.get(key):
                failures.pop()

    def _wait_s(self, key: Key) -> float:
        failures = self._failed.get(key)
        full = failures is not None and len(failures) == MOST[key[0]]
        return max(0.0, failures[0] + WINDOW_S - self._now()) if failures and full else 0.0


def _keys(name: str, address: str) -> tuple[Key, ...]:
    folded = name.casefold()[:100]
    return ("both", f"{address} {folded}"), ("address", address), ("name", folded)
