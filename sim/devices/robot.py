"""The simulated robot: takes numbered orders at its registers and moves the arm of the cell.

It refuses what its own sensors show to be impossible, before it moves; what goes wrong under way is a failed order.
After a collision it stays where it is, with a fault, until it is ordered home.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from drivers.registers import Kind, RegisterMap
from sim.cell import Arm, Cell, CollisionError, ImpossibleError
from sim.devices.bank import RegisterBank, TakenOrders, beat
from sim.ledger import Place
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.pace import Pace
from station.core.clock import Clock
from station.core.part import Destination

FAULT_COLLISION = 1

Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]
"""Starts a task that ends with the simulated cell."""


@dataclass(frozen=True, slots=True)
class RobotTimes:
    """From an order to the arm back in its safe zone, in seconds."""

    load_s: float
    unload_s: float


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
        self._bank = RegisterBank(registers)
        self._cell = cell
        self._times = times
        self._pace = pace
        self._clock = clock
        self._spawn = spawn
        self._taken = TakenOrders()
        self._busy = False
        self._fault = 0

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on, as things are now.

        Raises:
            RefusedError: They go beyond the map.
        """
        self._bank.publish(
            {
                "heartbeat": beat(self._clock.monotonic_ns()),
                "busy": self._busy,
                "in_safe_zone": self._cell.arm is Arm.SAFE_ZONE,
                "holding": self._cell.part_at(Place.GRIPPER) is not None,
                "fault": self._fault,
            }
        )
        return self._bank.read(kind, address, count)

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
        self._taken.take(number)
        self._bank.publish({"order_acknowledged": number})
        order = _Order(number, self._bank.label("order_verb"), self._bank.count("order_place"))
        if self._possible(order):
            self._busy = True
            self._spawn(self._carry_out(order))
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
                    await self._unload(Destination(order.place), self._times.unload_s / 4)
                    confirmed = order.place
                case _:
                    self._fault = 0
            await self._return()
            result = "done"
        except CollisionError:
            self._fault = FAULT_COLLISION
            result = "failed"
        except ImpossibleError:
            await self._return()
            result = "failed"
        self._busy = False
        self._finish(order, result, confirmed)

    async def _load(self, leg_s: float) -> None:
        self._cell.move_arm(Arm.WORKSPACE)
        await self._pace.take(leg_s)
        self._cell.pick(Place.INFEED)
        await self._pace.take(leg_s)
        self._cell.move_arm(Arm.IN_JIG)
        await self._pace.take(leg_s)
        self._cell.put_on_jig()

    async def _unload(self, destination: Destination, leg_s: float) -> None:
        self._cell.move_arm(Arm.WORKSPACE)
        await self._pace.take(leg_s)
        if self._cell.part_at(Place.GRIPPER) is None:
            self._cell.move_arm(Arm.IN_JIG)
            await self._pace.take(leg_s)
            self._cell.pick(Place.JIG)
            self._cell.move_arm(Arm.WORKSPACE)
        await self._pace.take(leg_s)
        self._cell.lay_down(destination)

    async def _return(self) -> None:
        await self._pace.take(self._times.unload_s / 4)
        self._cell.move_arm(Arm.SAFE_ZONE)

    def _finish(self, order: _Order, result: str, confirmed: int = 0) -> None:
        self._bank.publish({"order_done": order.number, "order_result": result, "confirmed_place": confirmed})
