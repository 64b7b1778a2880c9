"""What every scan shows beside the part, held against how it was at first: the lamp, the focus, dirt on the lens.

    last parts' middle value ─ against that of the first parts ─▶ within its limit, or not

A middle value of nine moves only where five of them do, so that no odd part is an alarm; and it moves with the fifth.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

FIRST_PARTS = 25
"""Whose middle value is how it was at first."""
LAST_PARTS = 9
"""Whose middle value is how it is now."""

Beyond = Callable[[float, float], bool]
"""Whether what is seen now (first) is too far from how it was (second)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far things may drift.

    Attributes:
        lamp_min: Of its light at first that the lamp must give.
        edge_max: So many times as wide as at first the part's edges may be in the picture.
        streak_max: By so many grey values more than at first a streak may stand out of the background.
        wealth_max: From which wealth on parts count as no longer like those before; its inverse bounds false alarms.
    """

    lamp_min: float = 0.8
    edge_max: float = 1.5
    streak_max: float = 3.0
    wealth_max: float = 100.0

    @property
    def rules(self) -> dict[str, Beyond]:
        """What is beyond each limit, by what is measured; see `Seen`."""
        return {
            "lamp": lambda now, first: now < self.lamp_min * first,
            "edge_px": lambda now, first: now > self.edge_max * first,
            "streak": lambda now, first: now > first + self.streak_max,
        }


class Measured:
    """One figure, part by part.

    Args:
        beyond: When it is too far from how it was.
        first: How it was at first; None while that is to be learnt.
    """

    def __init__(self, beyond: Beyond, first: float | None = None) -> None:
        self._beyond = beyond
        self._learning: list[float] = []
        self._last: deque[float] = deque(maxlen=LAST_PARTS)
        self.first = first

    def take(self, value: float) -> None:
        """A part shows this."""
        self._last.append(value)
        if self.first is None:
            self._learning.append(value)
            if len(self._learning) == FIRST_PARTS:
                self.first = median(self._learning)

    @property
    def now(self) -> float | None:
        """How it is now; None before enough parts have shown it."""
        return median(self._last) if len(self._last) == LAST_PARTS else None

    @property
    def is_beyond(self) -> bool:
        """Whether it is too far from how it was."""
        return self.now is not None and self.first is not None and self._beyond(self.now, self.first)
