"""The robot arm behind its register map."""

from drivers.modbus.device import PolledDevice
from drivers.modbus.family import ROBOT
from drivers.modbus.handshake import OrderRules, perform
from drivers.modbus.register_map import Register, RegisterMap, Value
from drivers.modbus.rhythm import Rhythm
from drivers.modbus.status import Values
from station.core.clock import Clock, SystemClock
from station.core.errors import BugError, RobotError
from station.core.part import Order, Receipt
from station.core.ports.devices import RobotStatus
from station.core.settings import RobotSettings


class ModbusRobot:
    """The port `SortRobot` over Modbus.

    Args:
        settings: Link and deadlines.
        registers: The robot's map.
        clock: What receipts are timed with.
        rhythm: The times of the link; None for those of the settings.
    """

    def __init__(
        self,
        settings: RobotSettings,
        registers: RegisterMap,
        clock: Clock | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._settings = settings
        self._device = PolledDevice(
            settings,
            registers,
            ROBOT,
            rhythm or Rhythm.of(settings),
            clock or SystemClock(),
        )

    async def connect(self) -> None:
        """Connect and check the register map."""
        await self._device.connect()

    async def status(self) -> RobotStatus:
        """The robot as it is now: the answer to a request that was sent after this call."""
        values = (await self._device.read_now()).values
        return RobotStatus(
            last_order=int(values["order_acknowledged"]),
            last_done=int(values["order_done"]),
            busy=bool(values["busy"]),
            in_safe_zone=bool(values["in_safe_zone"]),
            holding=bool(values["holding"]),
            fault=int(values["fault"]),
        )

    async def load(self, order: Order) -> Receipt:
        """Bring the waiting part from the infeed onto the jig and return to the safe zone."""
        return await self._perform(order, "load")

    async def unload(self, order: Order) -> Receipt:
        """Bring the part to the place `order.argument` and return to the safe zone."""
        return await self._perform(order, "unload")

    async def home(self, order: Order) -> Receipt:
        """Return to the safe zone; a fault that the robot has before does not keep this order back, it clears it."""
        return await self._perform(order, "home")

    async def close(self) -> None:
        """Disconnect."""
        await self._device.close()

    async def _perform(self, order: Order, verb: str) -> Receipt:
        if order.verb != verb:
            raise BugError("station.bug", f"the order {order.verb} was given as {verb}")
        motion = _Motion(order, self._device.registers["order_result"])
        rules = OrderRules(
            words={"order_verb": verb, "order_place": order.argument},
            acknowledge_s=min(self._settings.acknowledge_timeout_s, self._settings.motion_timeout_s),
            done_s=self._settings.motion_timeout_s,
            not_taken="robot.no_acknowledge",
            not_done="robot.not_done",
            check=motion.check,
            failure=motion.failure,
            reached=motion.reached,
        )
        ending = await perform(self._device, order, rules)
        confirmed = int(ending.done.values["confirmed_place"])
        return Receipt(order, confirmed, ending.acknowledged_ns, ending.done.at_ns)


class _Motion:
    """What is known of one order while it is carried out."""

    def __init__(self, order: Order, results: Register) -> None:
        self._what = f"order {order.number} {order.verb}"
        self._results = results
        self._held = False
        self._tolerated: Value | None = None if order.verb == "home" else 0

    def check(self, values: Values) -> None:
        """Remember whether the gripper held a part; a fault ends the order, only home goes out with one."""
        self._held = self._held or bool(values["holding"])
        if self._tolerated is None:
            self._tolerated = values["fault"]
        if values["fault"] not in (0, self._tolerated):
            raise self._fault(values)

    def failure(self, values: Values) -> RobotError:
        """Why the robot did not carry the order out."""
        if values["fault"]:
            return self._fault(values)
        result = self._results.label(int(values["order_result"]))
        if result == "failed" and self._held and not values["holding"]:
            return RobotError("robot.part_lost", f"{self._what}: failed, the gripper is empty")
        return RobotError("robot.refused", f"{self._what}: {result}")

    def reached(self, values: Values) -> bool:
        """Every motion ends in the safe zone, without a fault."""
        if values["fault"]:
            raise self._fault(values)
        return bool(values["in_safe_zone"])

    def _fault(self, values: Values) -> RobotError:
        return RobotError("robot.fault", f"{self._what}: fault {values['fault']}")
