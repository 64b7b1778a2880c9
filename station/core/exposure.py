"""How the exposure follows the light: from what the last parts looked like to the next part's exposure. Pure functions.

A lamp ages over weeks, and one odd part says nothing of it: so the median of several parts counts, a step is small, and
a limit is a limit. Grey values are taken to grow with the exposure in proportion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

PARTS = 9
"""So many parts of a type must have been seen; parts of one type differ among each other."""
QUIET_SHARE = 0.1
"""By which share their level may differ from the reference without a step."""
STEP = 1.05
"""The exposure becomes at most so many times longer, or shorter, from one part to the next."""


@dataclass(frozen=True, slots=True)
class ExposureLimits:
    """Between what the station may set the exposure of a line, in microseconds."""

    min_us: float
    max_us: float


@dataclass(frozen=True, slots=True)
class Exposed:
    """What is to be done about the exposure.

    Attributes:
        exposure_us: That of the next part.
        wanted_us: What would bring parts to the reference.
    """

    exposure_us: float
    wanted_us: float


def next_exposure(grey_per_us: Sequence[float], reference: float, now_us: float, limits: ExposureLimits) -> Exposed:
    """The next part's exposure.

    Args:
        grey_per_us: Level by exposure of each of the last parts, the newest at the end.
        reference: The level wanted.
        now_us: The exposure now.
        limits: Of what is set.
    """
    recent = grey_per_us[-PARTS:]
    if len(recent) < PARTS:
        return Exposed(now_us, now_us)
    wanted_us = reference / median(recent)
    if abs(now_us / wanted_us - 1) <= QUIET_SHARE:
        return Exposed(now_us, now_us)
    step_us = min(max(wanted_us, now_us / STEP), now_us * STEP)
    return Exposed(round(min(max(step_us, limits.min_us), limits.max_us), 2), wanted_us)
