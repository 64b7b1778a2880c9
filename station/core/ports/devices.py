"""The spin jig and the robot, as the cell needs them."""

from dataclasses import dataclass
from typing import Protocol

from station.core.part import (
    Order,
    Receipt,
)


@dataclass(frozen=True, slots=True)
class JigStatus:
    """The spin jig as last seen.

    Attributes:
        last_order: Number of the last order it took; 0 after power-up.
        standstill: It does not turn, by its own measurement.
        at_speed: It turns at the ordered speed.
        speed_rpm: Measured speed.
        index_pulses: Index pulses since power-up, 16 bit, wrapping.
        part_seated: Its sensor sees a part in the chuck.
        drive_fault: The drive's fault number, 0 for none.
        index_period_ms: Time between the last two index pulses; 0 where it is not measured.
    """

    last_order: int
    standstill: bool
    at_speed: bool
    speed_rpm: float
    index_pulses: int
    part_seated: bool
    drive_fault: int
    index_period_ms: float


class SpinJig(Protocol):
    """The jig that turns the part under the camera."""

    async def connect(self) -> None:
        """Connect and check the register map.

        Raises:
            JigError: Unreachable, or another map.
        """

    async def status(self) -> JigStatus:
        """The jig as it is now: the answer to a request that was sent after this call.

        Raises:
            JigError: Unreachable.
        """

    async def next_status(self) -> JigStatus:
        """The jig at its next regular look; asks nothing by itself, so that watching it costs the line nothing.

        Raises:
            JigError: Unreachable.
        """

    def leave_line_free(self) -> None:
        """Somebody is about to call `status`: while nobody does, nothing is asked for the time of a look at leisure."""

    async def spin(self, order: Order) -> Receipt:
        """Start to turn and return when the ordered speed is reached; `order.argument` is the speed in tenths of rpm.

        Raises:
            JigError: Unreachable, refused, fault, or not at speed in time.
        """

    async def stop(self, order: Order) -> Receipt:
        """Stop and return at standstill.

        Raises:
            JigError: Unreachable, refused, fault, or not at standstill in time.
        """

    async def close(self) -> None:
        """Disconnect. The jig stops by itself when its master is gone."""


@dataclass(frozen=True, slots=True)
class RobotStatus:
    """The robot as last seen.

    Attributes:
        last_order: Number of the last order it took; 0 after power-up.
        last_done: Number of the last order it finished; 0 after power-up.
        busy: An order is being carried out.
        in_safe_zone: The arm is outside the field of view and the jig's reach.
        holding: The gripper holds a part.
        fault: Its fault number, 0 for none.
    """

    last_order: int
    last_done: int
    busy: bool
    in_safe_zone: bool
    holding: bool
    fault: int


class SortRobot(Protocol):
    """The arm that loads the jig and lays the part in its bin."""

    async def connect(self) -> None:
        """Connect and check the register map.

        Raises:
            RobotError: Unreachable, or another map.
        """

    async def status(self) -> RobotStatus:
        """The robot as it is now: the answer to a request that was sent after this call.

        Raises:
            RobotError: Unreachable.
        """

    async def load(self, order: Order) -> Receipt:
        """Bring the waiting part from the infeed onto the jig and return to the safe zone.

        Raises:
            RobotError: Unreachable, not acknowledged or not done in time, refused, fault, part lost.
        """

    async def unload(self, order: Order) -> Receipt:
        """Bring the part to the place `order.argument` (from the jig, or from the gripper) and return to the safe zone.

        The receipt's `confirmed` is the place that the robot reports; to compare it with the ordered one is up to the
        caller.

        Raises:
            RobotError: Unreachable, not acknowledged or not done in time, refused, fault, part lost.
        """

    async def home(self, order: Order) -> Receipt:
        """Return to the safe zone.

        Raises:
            RobotError: As for `load`.
        """

    async def close(self) -> None:
        """Disconnect."""
