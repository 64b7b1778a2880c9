"""Everything that moves, behind one door: state, interlock and written intent come before every order.

Jig and robot are private to this module's object, so no path goes round the guards:

- robot or jig move only in a state that allows it; the jig may be stopped in every state;
- the robot is ordered in only while the jig stands still;
- the jig turns only while the robot rests in its safe zone;
- the intent is on the disk before the order goes out, and the receipt after it is done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from station.cell.speed_watch import SpeedWatch
from station.core.broadcast import Broadcast
from station.core.errors import JigError, RobotError, StationError
from station.core.events import OrderDone, OrderGiven
from station.core.part import Device, Inspection, Order, PartType, Receipt
from station.core.ports.devices import JigStatus, RobotStatus, SortRobot, SpinJig
from station.core.ports.records import PartLedger
from station.core.verdicts import Place


class Motion:
    """Guarded orders to jig and robot.

    Args:
        jig: The spin jig.
        robot: The robot arm.
        ledger: Gives out order numbers and keeps intents and receipts.
        may_move: Whether the cell's present state allows motion.
        broadcast: Told of every order, and when it is done.

    Attributes:
        still: Set while the jig was not ordered to turn since it was last seen at a standstill.
    """

    def __init__(
        self, jig: SpinJig, robot: SortRobot, ledger: PartLedger, may_move: Callable[[], bool], broadcast: Broadcast
    ) -> None:
        self._jig = jig
        self._robot = robot
        self._ledger = ledger
        self._may_move = may_move
        self._broadcast = broadcast
        self._one_at_a_time = asyncio.Lock()
        self.still = asyncio.Event()
        self.still.set()

    async def connect(self) -> None:
        """Connect both devices and take over their order numbers.

        Raises:
            DeviceError: One of them cannot be reached or has another register map.
        """
        await asyncio.gather(self._jig.connect(), self._robot.connect())
        jig, robot = await self.look()
        await self._ledger.adopt_order_number("jig", jig.last_order)
        await self._ledger.adopt_order_number("robot", robot.last_order)

    async def look(self) -> tuple[JigStatus, RobotStatus]:
        """Jig and robot as they are now.

        Raises:
            DeviceError: One of them cannot be reached.
        """
        jig, robot = await asyncio.gather(self._jig.status(), self._robot.status())
        return jig, robot

    async def load(self, inspection: Inspection, last_look: Callable[[], Awaitable[None]]) -> Receipt:
        """Bring the waiting part onto the jig.

        Args:
            inspection: Whose part.
            last_look: Asks whether the part may still be taken, after all that takes time: guards, the written intent.
                When it raises, the order never goes out.

        Raises:
            StationError: A guard or the last look refused, the robot failed, or the intent could not be written.
                `robot.part_lost`: the robot says that it is done, and the chuck is empty.
        """
        async with self._one_at_a_time:
            await self._guard_robot()
            order = await self._intend("robot", "load", 0, inspection)
            await last_look()
            receipt = await self._save(await self._robot.load(order))
            if not (await self._jig.status()).part_seated:
                raise RobotError("robot.part_lost", "the robot has done its load, and the chuck's sensor sees no part")
            return receipt

    async def unload(self, inspection: Inspection, destination: Place) -> Receipt:
        """Bring the part from the jig or the gripper to its place.

        Raises:
            StationError: As for `load`.
        """
        async with self._one_at_a_time:
            await self._guard_robot()
            order = await self._intend("robot", "unload", destination.code, inspection)
            return await self._save(await self._robot.unload(order))

    async def home(self) -> Receipt:
        """Send the robot to its safe zone.

        Raises:
            StationError: As for `load`.
        """
        async with self._one_at_a_time:
            await self._guard_robot()
            return await self._save(await self._robot.home(await self._intend("robot", "home", 0, None)))

    async def spin(self, inspection: Inspection, part_type: PartType) -> Receipt:
        """Turn the part at its type's speed; returns at speed.

        Raises:
            StationError: A guard refused, the jig failed, or the intent could not be written.
        """
        async with self._one_at_a_time:
            self._guard_state("the jig")
            robot = await self._robot.status()
            if robot.busy or not robot.in_safe_zone:
                raise RobotError("robot.not_in_safe_zone", f"busy {robot.busy}, in safe zone {robot.in_safe_zone}")
            order = await self._intend("jig", "spin", round(part_type.speed_rpm * 10), inspection)
            self.still.clear()
            return await self._save(await self._jig.spin(order))

    async def await_order_end(self, order: Order) -> Receipt:
        """How a robot order ended that the robot has taken before; waits for its end, moves nothing by itself.

        Raises:
            StationError: It ended badly, or it is not the order that the robot took last.
        """
        robot = await self._robot.status()
        if robot.last_order != order.number:
            raise RobotError("robot.refused", f"order {order.number} was not taken, the last one is {robot.last_order}")
        known = {"load": self._robot.load, "unload": self._robot.unload, "home": self._robot.home}
        return await self._save(await known[order.verb](order))

    async def stand_still(self) -> None:
        """Bring the jig to a standstill, if it turns.

        Raises:
            StationError: The jig cannot be reached or does not stop.
        """
        jig, _robot = await self.look()
        if not jig.standstill:
            await self.stop(None)
        self.still.set()

    @asynccontextmanager
    async def speed_watched(self, part_type: PartType) -> AsyncIterator[SpeedWatch]:
        """While in this context the jig's measured speed is compared with the part type's, at every look at the jig."""
        speed = SpeedWatch(self._jig, part_type)
        speed.begin()
        try:
            yield speed
        finally:
            await speed.end()

    async def stop(self, inspection: Inspection | None) -> Receipt:
        """Bring the jig to a standstill; allowed in every state.

        Raises:
            StationError: The jig failed, or the intent could not be written. The jig was ordered to stop even then.
        """
        try:
            order = await self._intend("jig", "stop", 0, inspection)
        except StationError:
            status = await self._jig.status()
            await self._jig.stop(Order("jig", status.last_order % 0xFFFF + 1, "stop"))
            self.still.set()
            raise
        receipt = await self._jig.stop(order)
        self.still.set()
        return await self._save(receipt)

    async def close(self) -> None:
        """Disconnect both devices."""
        await asyncio.gather(self._jig.close(), self._robot.close())

    async def _guard_robot(self) -> None:
        self._guard_state("the robot")
        jig = await self._jig.status()
        if not jig.standstill:
            raise JigError("jig.not_stopped", f"{jig.speed_rpm:.1f} rpm when the robot was to be ordered in")

    def _guard_state(self, what: str) -> None:
        if not self._may_move():
            raise StationError("station.illegal_command", f"{what} must not be moved in this state")

    async def _intend(self, device: Device, verb: str, argument: int, inspection: Inspection | None) -> Order:
        order = await self._ledger.order(device, verb, argument, inspection)
        self._broadcast.tell(OrderGiven(order))
        return order

    async def _save(self, receipt: Receipt) -> Receipt:
        await self._ledger.receipt(receipt)
        self._broadcast.tell(OrderDone(receipt))
        return receipt
