"""The jig's spindle: angle and speed over time, with a straight ramp from one speed to the next.

A pure function of the clock: nothing runs, every value is computed for the moment in which it is asked for.
"""

import math
from collections.abc import Callable

NS_PER_S = 1_000_000_000

ROUNDING_S = 2e-9
"""A clock tells whole nanoseconds: a ramp that ends with a timer may be that much short by it."""


class Spindle:
    """A shaft that stands still at first, at angle 0.

    Args:
        monotonic_ns: Nanoseconds on the clock that the camera's time stamps use too.
    """

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._now_ns = monotonic_ns
        self._start_ns = monotonic_ns()
        self._start_angle = 0.0
        self._start_speed = 0.0
        self._target_speed = 0.0
        self._period_ns = 0
        self._ramp_s = 0.0

    def turn(self, period_ns: int, ramp_s: float) -> None:
        """Ramp from the speed of this moment to one turn in `period_ns`, within `ramp_s`."""
        self._ramp_to(NS_PER_S / period_ns, ramp_s)
        self._period_ns = period_ns

    def brake(self, ramp_s: float) -> None:
        """Ramp from the speed of this moment to standstill, within `ramp_s`."""
        self._ramp_to(0.0, ramp_s)
        self._period_ns = 0

    @property
    def speed_rpm(self) -> float:
        """Turns a minute in this moment."""
        elapsed_s = self._elapsed_s()
        if elapsed_s >= self._ramp_s:
            return 60.0 * self._target_speed
        share = elapsed_s / self._ramp_s
        return 60.0 * (self._start_speed + share * (self._target_speed - self._start_speed))

    @property
    def standstill(self) -> bool:
        """It does not turn."""
        return self._target_speed == 0 and self._settled()

    @property
    def steady(self) -> bool:
        """It turns at constant speed."""
        return self._target_speed > 0 and self._settled()

    @property
    def index_pulses(self) -> int:
        """How often the angle has come through 0 since power-up."""
        return math.floor(self._angle(self._elapsed_s()))

    @property
    def period_ns(self) -> int:
        """Duration of a turn at the speed that it turns at or ramps to; 0 when that is none."""
        return self._period_ns

    @property
    def epoch_ns(self) -> int:
        """A moment at which the angle was 0 or, counted back at the target speed, would have been; while it turns."""
        angle = self._angle(self._ramp_s)
        settled_ns = self._start_ns + round(self._ramp_s * NS_PER_S)
        return settled_ns - round((angle - math.floor(angle)) * self._period_ns)

    def _ramp_to(self, speed: float, ramp_s: float) -> None:
        now_ns = self._now_ns()
        elapsed_s = self._elapsed_s()
        self._start_speed, self._start_angle = self.speed_rpm / 60.0, self._angle(elapsed_s)
        self._start_ns, self._target_speed, self._ramp_s = now_ns, speed, ramp_s

    def _elapsed_s(self) -> float:
        return (self._now_ns() - self._start_ns) / NS_PER_S

    def _settled(self) -> bool:
        return self._elapsed_s() >= self._ramp_s - ROUNDING_S

    def _angle(self, elapsed_s: float) -> float:
        """The angle in turns, that many seconds after the start of the ramp."""
        ramped_s = min(elapsed_s, self._ramp_s)
        angle = self._start_angle + self._start_speed * ramped_s + self._target_speed * (elapsed_s - ramped_s)
        if self._ramp_s > 0:
            angle += (self._target_speed - self._start_speed) * ramped_s**2 / (2 * self._ramp_s)
        return angle
