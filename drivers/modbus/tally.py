"""Log lines of what strangers can make happen a thousand times a second."""

import asyncio
from collections import Counter

import structlog

from station.core.log_events import EventName

log = structlog.get_logger(__name__)

SUMMED_UP_S = 60.0
TOLD_APART = 32
"""So many different lines at the most are told apart; the addresses of all further ones are one."""


class Tally:
    """Logs what may happen very often: the first time at once, then how often within a minute.

    An event is told apart by its address and its reason.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[EventName, str, str]] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def count(self, event: EventName, address: str, reason: str) -> None:
        """It has happened once more; addresses beyond a number of them are counted together."""
        what = (event, address, reason)
        if what not in self._counts and len(self._counts) >= TOLD_APART:
            what = (event, "others", reason)
        if what in self._counts:
            self._counts[what] += 1
            return
        self._counts[what] = 0
        _say(event, what[1], reason, 1)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SUMMED_UP_S, self._sum_up)

    def close(self) -> None:
        """Log what was not logged yet."""
        if self._timer:
            self._timer.cancel()
        self._log()

    def _sum_up(self) -> None:
        self._timer = None
        self._log()
        if self._counts:
            self._timer = asyncio.get_running_loop().call_later(SUMMED_UP_S, self._sum_up)

    def _log(self) -> None:
        for (event, address, reason), times in self._counts.items():
            if times:
                _say(event, address, reason, times)
        self._counts = Counter(dict.fromkeys((what for what, times in self._counts.items() if times), 0))


def _say(event: EventName, address: str, reason: str, times: int) -> None:
    log.warning(event, address=address, reason=reason, times=times)
