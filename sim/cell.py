"""The physical truth of the simulated cell: which part lies where, where the arm is, how the jig turns.

What cannot happen in a real cell cannot happen here: a part is in one place, a place holds one part, nothing is taken
from where nothing lies, and the camera sees what sits on the jig. What must not happen but can, a collision, happens
and is written into the ledger. Nothing here waits or runs by itself; devices move things, and take the time.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol

from sim.breakage import Breakage
from sim.faults import Moment
from sim.ledger import Happening, Ledger, Part, Place
from sim.spindle import Spindle
from station.core.part import Pixels


class ImpossibleError(Exception):
    """This cannot be done as things lie; nothing has changed."""


class CollisionError(Exception):
    """The arm has hit the turning jig."""


class ArmPosition(Enum):
    """Where the arm is."""

    SAFE_ZONE = auto()
    WORKSPACE = auto()
    IN_JIG = auto()


class View(Protocol):
    """What lies under the camera, as `sim.scene.Scene` shows it."""

    def show(self, image: Pixels | None) -> None:
        """Show a turn's surface, or the empty jig."""

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        """The jig turns at constant speed; its angle was 0 at `epoch_ns` on CLOCK_MONOTONIC."""

    def stand_still(self) -> None:
        """The jig gives no index pulse."""


class Cell:
    """All parts, the arm and the jig.

    Attributes:
        arm: Where the arm is.
        spindle: The jig's.
        at_speed: The jig turns at constant speed, and the camera gets its index pulses.
        stalled: The jig was stopped by a collision and nobody has ordered a stop since.
        sorted_parts: How many parts lie in each bin.
        infeed_free: Set while nothing lies at the infeed.
        broken: What is broken, and what is to break.
    """

    def __init__(self, spindle: Spindle, view: View, ledger: Ledger, broken: Breakage | None = None) -> None:
        self.broken = broken or Breakage()
        self.arm = ArmPosition.SAFE_ZONE
        self.at_speed = False
        self.stalled = False
        self.sorted_parts: Counter[str] = Counter()
        self.infeed_free = asyncio.Event()
        self.infeed_free.set()
        self.spindle = spindle
        self._view = view
        self._ledger = ledger
        self._seats: dict[Place, Part] = {}

    def part_at(self, place: Place) -> Part | None:
        """The part at the infeed, in the gripper or on the jig, or None."""
        return self._seats.get(place)

    # ---- parts ----

    def feed(self, part: Part) -> None:
        """A part comes to the infeed.

        Raises:
            ImpossibleError: The one before still lies there.
        """
        self._seat(part, Place.INFEED)
        self.broken.fed(part.part_id)
        self.infeed_free.clear()
        self._ledger.enter(Happening.FED, part, Place.INFEED)

    def take_back(self) -> Part:
        """A hand takes the part away that waits at the infeed.

        Raises:
            ImpossibleError: Nothing lies there.
        """
        if Place.INFEED not in self._seats:
            raise ImpossibleError("nothing lies at the infeed")
        part = self._seats.pop(Place.INFEED)
        self.infeed_free.set()
        self._ledger.enter(Happening.REMOVED, part, Place.INFEED)
        return part

    def pick(self, place: Place) -> None:
        """The gripper takes the part from the infeed, or from the jig that the arm has reached into.

        Raises:
            ImpossibleError: Nothing lies there, the gripper is full, or the arm is not there.
        """
        self._require_arm(ArmPosition.IN_JIG if place is Place.JIG else ArmPosition.WORKSPACE)
        if place not in self._seats:
            raise ImpossibleError(f"nothing lies at {place}")
        self._seat(self._seats[place], Place.GRIPPER)
        del self._seats[place]
        if place is Place.JIG:
            self._view.show(None)
        else:
            self.infeed_free.set()
        self._ledger.enter(Happening.PICKED, self._seats[Place.GRIPPER], Place.GRIPPER)

    def put_on_jig(self) -> None:
        """The gripper seats its part in the jig, and the camera sees it from now on.

        Raises:
            ImpossibleError: The gripper is empty, the jig is not, or the arm is not there.
        """
        self._require_arm(ArmPosition.IN_JIG)
        self._seat(self._held(), Place.JIG)
        del self._seats[Place.GRIPPER]
        self.broken.reach(Moment.SEATED, self._seats[Place.JIG].part_id)
        part = self._seats[Place.JIG] = self._spoiled(self._seats[Place.JIG])
        self._view.show(part.surface)
        self._ledger.enter(Happening.PLACED, part, Place.JIG)

    def lay_down(self, place: str) -> None:
        """The gripper lays its part in a place, by its configured name.

        Raises:
            ImpossibleError: The gripper is empty, or the arm is not there.
        """
        self._require_arm(ArmPosition.WORKSPACE)
        part = self._held()
        del self._seats[Place.GRIPPER]
        self.sorted_parts[place] += 1
        self._ledger.enter(Happening.PLACED, part, place)
        self.broken.reach(Moment.LAID_AWAY, part.part_id)

    def drop(self) -> None:
        """The gripper loses its part.

        Raises:
            ImpossibleError: The gripper is empty.
        """
        part = self._held()
        del self._seats[Place.GRIPPER]
        self._ledger.enter(Happening.DROPPED, part, Place.GRIPPER)

    # ---- the arm and the jig ----

    def move_arm(self, to: ArmPosition) -> None:
        """The arm goes there.

        Raises:
            CollisionError: It has reached into the turning jig: the jig is stopped, and a part in the gripper fell.
        """
        self.arm = to
        if to is not ArmPosition.IN_JIG or self.spindle.standstill:
            return
        self._ledger.enter(Happening.COLLISION, self.part_at(Place.JIG) or self.part_at(Place.GRIPPER), Place.JIG)
        self.brake(0.0)
        self.stalled = True
        if Place.GRIPPER in self._seats:
            self.drop()
        raise CollisionError("the arm has hit the turning jig")

    def spin(self, period_ns: int, ramp_s: float) -> None:
        """The jig begins to turn; `reach_speed` ends the ramp.

        Raises:
            ImpossibleError: The wired interlock holds it: the arm is not in its safe zone, or it has hit the jig.
        """
        if self.arm is not ArmPosition.SAFE_ZONE or self.stalled:
            raise ImpossibleError("the interlock holds the jig")
        self._lose_speed()
        self.spindle.turn(period_ns, ramp_s)

    def reach_speed(self) -> None:
        """The ramp is over: from now on the camera gets index pulses.

        Raises:
            ImpossibleError: The jig does not turn at constant speed.
        """
        if not self.spindle.steady:
            raise ImpossibleError("the jig does not turn at constant speed")
        self._view.turn(self.spindle.period_ns, self.spindle.epoch_ns)
        self.at_speed = True

    def change_speed(self, period_ns: int) -> None:
        """The turning jig goes over to another speed at once, and the camera sees the surface pass at that speed."""
        self.spindle.turn(period_ns, 0.0)
        if self.at_speed:
            self._view.turn(self.spindle.period_ns, self.spindle.epoch_ns)

    def brake(self, ramp_s: float) -> None:
        """The jig ramps down to standstill, and gives no index pulse from now on."""
        self.stalled = False
        self._lose_speed()
        self.spindle.brake(ramp_s)

    def part_id_at(self, *places: Place) -> str | None:
        """Id of the first part that lies at one of these places, or None."""
        return next((self._seats[place].part_id for place in places if place in self._seats), None)

    def _lose_speed(self) -> None:
        self.at_speed = False
        self._view.stand_still()

    def _require_arm(self, where: ArmPosition) -> None:
        if self.arm is not where:
            raise ImpossibleError(f"the arm is {self.arm.name.lower()}, not {where.name.lower()}")

    def _spoiled(self, part: Part) -> Part:
        """What the part truly is, now that what is to befall it on the jig has."""
        makes = self.broken.makes
        return part if makes is None else replace(part, label=makes)

    def _held(self) -> Part:
        if Place.GRIPPER not in self._seats:
            raise ImpossibleError("the gripper is empty")
        return self._seats[Place.GRIPPER]

    def _seat(self, part: Part, place: Place) -> None:
        if place in self._seats:
            raise ImpossibleError(f"a part lies at {place} already")
        self._seats[place] = part
