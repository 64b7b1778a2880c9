"""How much time the motions of the simulated cell take: their own, or none.

Only motions are hurried. Deadlines, heartbeats and the jig's watch over its master count real time at either pace.
"""

import asyncio
from typing import Protocol

from station.core.choices import Speed


class Pace(Protocol):
    """How long something that takes time in a real cell takes here."""

    def duration_s(self, nominal_s: float) -> float:
        """The time that a motion of this nominal length takes."""

    async def take(self, nominal_s: float) -> None:
        """Return when that time has passed; other tasks run meanwhile, even if it is none."""


class RealPace:
    """Everything takes its time."""

    def duration_s(self, nominal_s: float) -> float:
        """The nominal time."""
        return nominal_s

    async def take(self, nominal_s: float) -> None:
        """Wait the nominal time."""
        await asyncio.sleep(nominal_s)


class MaxPace:
    """Motions take no time."""

    def duration_s(self, nominal_s: float) -> float:  # noqa: ARG002
        """None."""
        return 0.0

    async def take(self, nominal_s: float) -> None:  # noqa: ARG002
        """Let other tasks run once."""
        await asyncio.sleep(0)


def pace_of(speed: Speed) -> Pace:
    """The pace with this name."""
    return RealPace() if speed is Speed.REAL else MaxPace()
