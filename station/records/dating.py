"""Whether today's date may be believed when something is deleted for its age.

A clock is wrong after an empty battery, a wrong answer of a time server, or on a virtual machine that was restored. The
newest record is no witness against it: it may have been written by the same wrong clock.
"""

from datetime import datetime, timedelta

from station.core.clock import Clock

DAY = timedelta(days=1)
STEP = timedelta(minutes=1)
"""By so much the two clocks may differ from one look to the next; what is slewed differs by seconds in a day."""


class Dating:
    """Watches the date, from a station's start on; looks are made an hour or less apart.

    Args:
        clock: Both clocks, and what the kernel says of the date.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = self._wall_ahead()
        self._since_ns, self._since = clock.monotonic_ns(), "the station's start"

    def doubt(self) -> str | None:
        """Why the date is not believed, or None: synchronised, or a day without a step and without a start."""
        before, self._ahead = self._ahead, self._wall_ahead()
        if abs(step := self._ahead - before) > STEP:
            days = step / DAY
            self._since_ns, self._since = self._clock.monotonic_ns(), f"the clock was set by {days:+.1f} days"
        if self._clock.synchronised():
            return None
        passed = timedelta(microseconds=(self._clock.monotonic_ns() - self._since_ns) / 1000)
        if passed >= DAY:
            return None
        hours = passed / timedelta(hours=1)
        return (
            f"the kernel does not call the clock synchronised, and {hours:.0f} of 24 h have passed since {self._since}"
        )

    def _wall_ahead(self) -> timedelta:
        """The date's lead before the monotonic clock; it changes only when the date is set."""
        now: datetime = self._clock.now()
        return timedelta(seconds=now.timestamp(), microseconds=-self._clock.monotonic_ns() / 1000)
