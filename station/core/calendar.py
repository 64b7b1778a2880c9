"""Which time a shift is: it begins at an hour of the plant's day and ends where the next one begins.

An hour that a day has twice, or not at all, because clocks are set, is taken as the zone's rules say; a shift then is
an hour longer or shorter, as it is for people.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift.

    Attributes:
        day: On which it begins.
        number: From 1, among those that begin on that day.
        begin: When it begins, UTC.
        end: When the next one begins, UTC.
    """

    day: date
    number: int
    begin: datetime
    end: datetime


class Calendar:
    """The shifts of a plant.

    Args:
        times: When each begins, the earliest first, one at least.
        zone: The plant's time zone.
    """

    def __init__(self, times: tuple[time, ...], zone: tzinfo) -> None:
        self._times = times
        self.zone = zone

    @property
    def numbers(self) -> range:
        """Those of one day."""
        return range(1, len(self._times) + 1)

    def shift(self, day: date, number: int) -> Shift:
        """The shift of this number.

        Raises:
            ValueError: No day has it.
            OverflowError: No calendar has that day.
        """
        if number not in self.numbers:
            raise ValueError(f"there is no shift {number}")
        last = number == len(self._times)
        end = self._at(day + ONE_DAY, 1) if last else self._at(day, number + 1)
        return Shift(day, number, self._at(day, number), end)

    def at(self, moment: datetime) -> Shift:
        """The shift at a moment."""
        day = moment.astimezone(self.zone).date()
        near = [self.shift(one, number) for one in (day - ONE_DAY, day) for number in self.numbers]
        return next(shift for shift in reversed(near) if shift.begin <= moment)

    def begin_at(self, moment: datetime) -> datetime:
        """When the shift at a moment began, in the plant's zone."""
        return self.begin_of(self.at(moment))

    def begin_of(self, shift: Shift) -> datetime:
        """When a shift begins, in the plant's zone."""
        return shift.begin.astimezone(self.zone)

    def before(self, shift: Shift) -> Shift:
        """The one before."""
        if shift.number > 1:
            return self.shift(shift.day, shift.number - 1)
        return self.shift(shift.day - ONE_DAY, len(self._times))

    def after(self, shift: Shift) -> Shift:
        """The one after."""
        if shift.number < len(self._times):
            return self.shift(shift.day, shift.number + 1)
        return self.shift(shift.day + ONE_DAY, 1)

    def _at(self, day: date, number: int) -> datetime:
        return datetime.combine(day, self._times[number - 1], self.zone).astimezone(UTC)
