"""How many parts may be looked at again: an unsure judgement is worth one more turn, as long as the line has time."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from station.core.clock import Clock
from station.core.looks import unsure
from station.core.part import Decision

log = structlog.get_logger()

SHIFT = timedelta(hours=8)
"""In any time as long as this, whenever it begins, no more parts are looked at again than are allowed."""


class SecondLooks:
    """Gives out second looks.

    Args:
        allowed: So many in any eight hours; 0 for none at all.
        clock: Monotonic time, so that a date that is set gives none back.
    """

    def __init__(self, allowed: int, clock: Clock) -> None:
        self._allowed = allowed
        self._clock = clock
        self._given: deque[int] = deque()
        self._told = False

    def go_on(self, given: Sequence[datetime]) -> None:
        """Take over what was given before a stop.

        Args:
            given: When, the oldest first; a moment that is yet to come, after the date was set back, counts as now.
        """
        now, now_ns = self._clock.now(), self._clock.monotonic_ns()
        ages = (max(timedelta(0), now - at) for at in given)
        self._given = deque(now_ns - _ns(age) for age in ages)

    def wanted(self, decision: Decision) -> str | None:
        """Why this part is to be looked at again, in words; None where it is sure enough, or none is left.

        One that is wanted is given.
        """
        why = unsure(decision) if self._allowed else None
        return why if why is not None and self._take() else None

    def _take(self) -> bool:
        now_ns = self._clock.monotonic_ns()
        while self._given and now_ns - self._given[0] >= _ns(SHIFT):
            self._given.popleft()
        if len(self._given) >= self._allowed:
            self._tell_spent()
            return False
        self._given.append(now_ns)
        self._told = False
        return True

    def _tell_spent(self) -> None:
        """Once, until there is one again: parts go by their first look, unsure ones to people."""
        if not self._told:
            self._told = True
            log.warning("second_looks_spent", allowed=self._allowed)


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000
