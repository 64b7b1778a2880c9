"""The two clocks of the station: monotonic time for durations and deadlines, wall time for people.

A decision never depends on wall time, so a stepped system clock changes dates in the records and nothing else.

What runs on the event loop waits and measures with the loop: `asyncio.timeout`, `asyncio.sleep`, `loop.time()`. What it
writes down, it stamps with the `Clock` that it was given. The loop's time is CLOCK_MONOTONIC in seconds, so that both
agree; and a test that puts a loop with a time of its own in its place moves all of the station's time at once.
Nothing else of this process reads a clock, but for threads that have no loop (`tests/unit/test_clock.py` lists them).
"""

import time
from datetime import UTC, datetime
from typing import Protocol

from station.core.synchrony import kernel_synchronised


class Clock(Protocol):
    """Where the station reads time; tests put their own in its place."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on the machine's monotonic clock, the one that the camera's time stamps use too."""

    def now(self) -> datetime:
        """The date and time of day, in UTC."""

    def synchronised(self) -> bool:
        """Whether the date comes from a time server, as far as the kernel knows; False where it does not."""


class SystemClock:
    """The clocks of this machine: CLOCK_MONOTONIC, and UTC."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on CLOCK_MONOTONIC; comparable between processes of one machine, not across a reboot."""
        return time.monotonic_ns()

    def now(self) -> datetime:
        """The date and time of day, in UTC."""
        return datetime.now(UTC)

    def synchronised(self) -> bool:
        """Whether the kernel calls its clock synchronised."""
        return kernel_synchronised()
