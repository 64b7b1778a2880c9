"""For how long the cell's own disk will do, as far as it fills now: the words that come before it is full."""

from dataclasses import dataclass

from station.core.room import MB

DAY_S = 86_400.0
WARNED_DAYS = 7.0
"""So long before there is little room it is said."""
LEAST_S = 1800.0
"""Less time than this tells nothing of how a disk fills."""


@dataclass(frozen=True, slots=True)
class Room:
    """How full the disk is.

    Attributes:
        free: Bytes that may still be written.
        low: Below so many the station's own alarm comes.
        per_day: By so many bytes the room falls in a day; None where it does not, or nobody knows yet.
    """

    free: int
    low: int
    per_day: float | None

    @property
    def days(self) -> float | None:
        """After how many days there is little room; None where that is not in sight."""
        return max(0, self.free - self.low) / self.per_day if self.per_day else None

    @property
    def is_well(self) -> bool:
        """Whether there is room for a week and more."""
        return self.free >= self.low and (self.days is None or self.days >= WARNED_DAYS)

    def __str__(self) -> str:
        """As people read it."""
        free = f"{self.free / MB:.0f} MB are free where the records lie"
        if self.free < self.low:
            return f"{free}, less than records.low_mb ({self.low / MB:.0f} MB): make room"
        if self.days is None or self.per_day is None:
            return free
        return f"{free}; at {self.per_day / MB:.0f} MB a day there are less than records.low_mb in {self.days:.1f} days"


def room_of(free: int, low: int, at_s: float, looks: tuple[tuple[float, int], ...]) -> Room:
    """How full the disk is.

    Args:
        free: Bytes that may still be written now.
        low: Below so many the station's own alarm comes.
        at_s: Now, in seconds since 1970.
        looks: Earlier looks: each a moment, in seconds since 1970, and the bytes that were free; oldest first.
    """
    fallen = next(((before - free) / (at_s - at) for at, before in looks if at_s - at >= LEAST_S), 0.0)
    return Room(free, low, fallen * DAY_S if fallen > 0 else None)
