"""How much of the event loop strangers may take: so many turns a second, and a few at once."""

import asyncio


class Allowance:
    """Turns that come back with time.

    Args:
        rate_per_s: How many come back in a second.
        most: How many there are at the most, and at first.
    """

    def __init__(self, rate_per_s: float, most: float) -> None:
        self._rate_per_s = rate_per_s
        self._most = most
        self._left = most
        self._at_s = asyncio.get_running_loop().time()

    def take(self) -> bool:
        """Take a turn, if there is one."""
        now_s = asyncio.get_running_loop().time()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def wait_s(self) -> float:
        """Time until there is a turn."""
        return max(0.0, (1 - self._left) / self._rate_per_s)
