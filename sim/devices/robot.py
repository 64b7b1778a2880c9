"""The simulated robot: takes numbered orders at its registers and moves the arm of the cell.

It refuses what its own sensors show to be impossible, before it moves; what goes wrong under way is a failed order.
After a collision it stays where it is, with a fault, until it is ordered home. It looks at the cell's `broken` for what
else is to go wrong.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from drivers.modbus.register_map import Kind, RegisterMap, Value
from sim.cell import ArmPosition, Cell, CollisionError, ImpossibleError
from sim.devices.bank import RegisterBank, TakenOrders, beat
from sim.faults import Moment
from sim.ledger import Place
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.pace import Pace
from station.core.clock import Clock

FAULT_COLLISION = 1
FAULT_BRAKE = 7
LATE_S = 0.1  # how late a late acknowledgement is, at every pace
SLIPPING_S = 0.1  # how long a part that is to fall is still held, at every pace

Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]
"""Starts a task that ends with the simulated cell."""


@dataclass(frozen=True, slots=True)
class RobotTimes:
    """From an order to the arm back in its safe zone, in seconds."""

    load_s: float
    unload_s: float


class _BrokenDownError(Exception):
    """The robot has stopped with a fault of its own."""


class _BegunAnewError(Exception):
    """The robot's program has begun anew."""


@dataclass(frozen=True, slots=True)
class _Order:
    number: int
    verb: str
    place: int


class RobotDevice:
    """A Modbus slave that is the robot's controller.

    Args:
        registers: The robot's map.
        cell: Whose arm it moves.
        times: How long its motions take.
        pace: How long they take here.
        clock: For its heartbeat.
        spawn: Starts its motions.
    """

    def __init__(
        self, registers: RegisterMap, cell: Cell, times: RobotTimes, *, pace: Pace, clock: Clock, spawn: Spawn
    ) -> None:
        self._map = registers
        self._bank = RegisterBank(registers)
        self._cell = cell
        self._times = times
        self._pace = pace
        self._clock = clock
        self._spawn = spawn
        self._taken = TakenOrders()
        self._busy = False
        self._fault = 0
        self._looks_before_it_creeps: int | None = None
        self._motion: asyncio.Task[None] | None = None

    def now(self) -> Mapping[str, Value]:
        """All of its registers by name, as they stand."""
        self._show()
        return self._bank.values()

    def begin_anew(self) -> None:
        """The controller starts with empty registers; the arm stands where it was, and what it holds it holds."""
        if self._motion is not None:
            self._motion.cancel()
        self._bank = RegisterBank(self._map)
        self._taken = TakenOrders()
        self._busy, self._fault, self._looks_before_it_creeps = False, 0, None

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on, as things are now.

        Raises:
            RefusedError: They go beyond the map.
        """
        self._creep()
        self._show()
        return self._bank.read(kind, address, count)

    def _show(self) -> None:
        """What changes by itself, as it is now."""
        self._bank.publish(
            {
                "heartbeat": beat(self._clock.monotonic_ns()),
                "busy": self._busy,
                "in_safe_zone": self._cell.arm is ArmPosition.SAFE_ZONE,
                "holding": self._cell.part_at(Place.GRIPPER) is not None,
                "fault": self._fault,
            }
        )

    def write(self, address: int, words: list[int]) -> None:
        """Take the words, and with a new number the order.

        Raises:
            RefusedError: Wrong addresses or values, or a new order while one is being carried out.
        """
        number = int(self._bank.check(address, words).get("order_number", 0))
        if not self._taken.is_new(number):
            self._bank.store(address, words)
            return
        if self._busy:
            raise RefusedError(ExceptionCode.BUSY)
        self._bank.store(address, words)
        order = _Order(number, self._bank.label("order_verb"), self._bank.count("order_place"))
        self._come_to(order)
        if self._cell.broken.take("robot-deaf"):
            return
        self._taken.take(number)
        if self._cell.broken.take("robot-acknowledges-late"):
            self._motion = self._spawn(self._begin_late(order))
        else:
            self._begin(order)

    def _come_to(self, order: _Order) -> None:
        if order.verb == "load":
            self._cell.broken.reach(Moment.LOAD, self._cell.part_id_at(Place.INFEED))
        elif order.verb == "unload":
            self._cell.broken.reach(Moment.UNLOAD, self._cell.part_id_at(Place.GRIPPER, Place.JIG))

    async def _begin_late(self, order: _Order) -> None:
        await asyncio.sleep(LATE_S)
        self._begin(order)

    def _begin(self, order: _Order) -> None:
        self._bank.publish({"order_acknowledged": order.number})
        if self._possible(order):
            self._busy = True
            self._motion = self._spawn(self._carry_out(order))
        else:
            self._finish(order, "refused")

    def _possible(self, order: _Order) -> bool:
        infeed, gripper, jig = (self._cell.part_at(place) for place in (Place.INFEED, Place.GRIPPER, Place.JIG))
        match order.verb:
            case "load":
                return not self._fault and infeed is not None and gripper is None and jig is None
            case "unload":
                one = (gripper is None) != (jig is None)
                return not self._fault and order.place != 0 and one
            case "home":
                return True
            case _:
                return False

    async def _carry_out(self, order: _Order) -> None:
        confirmed = 0
        try:
            match order.verb:
                case "load":
                    await self._load(self._times.load_s / 4)
                case "unload":
                    confirmed = await self._unload(order.place, self._times.unload_s / 4)
                case _:
                    self._fault = 0
            await self._return()
            result = "done"
        except (CollisionError, _BrokenDownError) as stopped:
            self._fault = FAULT_COLLISION if isinstance(stopped, CollisionError) else FAULT_BRAKE
            result = "failed"
        except ImpossibleError:
            await self._return()
            result = "failed"
        except _BegunAnewError:
            self._begin_anew()
            return
        self._busy = False
        self._finish(order, result, confirmed)

    async def _load(self, leg_s: float) -> None:
        self._cell.move_arm(ArmPosition.WORKSPACE)
        await self._pace.take(leg_s)
        self._cell.pick(Place.INFEED)
        await self._pace.take(leg_s)
        if self._cell.broken.take("part-missing"):
            self._cell.drop()
            return
        self._cell.move_arm(ArmPosition.IN_JIG)
        await self._pace.take(leg_s)
        self._cell.put_on_jig()
        if self._cell.broken.take("robot-leaves-safe-zone"):
            self._looks_before_it_creeps = 1

    async def _unload(self, place: int, leg_s: float) -> int:
        """Take the part away; the code of the place where it lies then."""
        self._cell.move_arm(ArmPosition.WORKSPACE)
        await self._pace.take(leg_s)
        await self._cell.broken.ended("robot-stuck")
        if self._cell.part_at(Place.GRIPPER) is None:
            self._cell.move_arm(ArmPosition.IN_JIG)
            await self._pace.take(leg_s)
            self._cell.pick(Place.JIG)
            self._cell.move_arm(ArmPosition.WORKSPACE)
        await self._pace.take(leg_s)
        if self._cell.broken.take("robot-fault"):
            raise _BrokenDownError
        if self._cell.broken.take("robot-program-restarts"):
            raise _BegunAnewError
        if self._cell.broken.take("robot-drops-part"):
            await asyncio.sleep(SLIPPING_S)
            self._cell.drop()
        if self._cell.broken.take("robot-wrong-bin"):
            place = self._another(place)
        self._cell.lay_down(self._bank.codes("order_place")[place])
        return place

    def _another(self, place: int) -> int:
        """Another place than the one that was ordered: the next by code, for the last one the one before."""
        codes = sorted(code for code in self._bank.codes("order_place") if code)
        return (codes[codes.index(place) + 1 :] or codes[-2:])[0]

    def _begin_anew(self) -> None:
        """Stand where the arm is, with registers at their first values and no memory of any order."""
        self._bank.clear()
        self._bank.switch_on()
        self._taken.forget()
        self._busy, self._fault = False, 0

    async def _return(self) -> None:
        await self._pace.take(self._times.unload_s / 4)
        self._cell.move_arm(ArmPosition.SAFE_ZONE)

    def _creep(self) -> None:
        """Leave the safe zone once somebody has seen the arm there at the end of its order."""
        if self._looks_before_it_creeps is None or self._busy:
            return
        if self._looks_before_it_creeps == 0:
            self._cell.move_arm(ArmPosition.WORKSPACE)
            self._looks_before_it_creeps = None
        else:
            self._looks_before_it_creeps -= 1

    def _finish(self, order: _Order, result: str, confirmed: int = 0) -> None:
        self._bank.publish({"order_done": order.number, "order_result": result, "confirmed_place": confirmed})
