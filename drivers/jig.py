"""The spin jig behind its register map."""

from drivers.modbus.device import PolledDevice
from drivers.modbus.family import JIG
from drivers.modbus.handshake import OrderRules, perform
from drivers.modbus.register_map import RegisterMap
from drivers.modbus.rhythm import Rhythm
from drivers.modbus.status import Values
from station.core.clock import Clock, SystemClock
from station.core.errors import BugError, JigError
from station.core.part import Order, Receipt
from station.core.ports.devices import JigStatus
from station.core.settings import JigSettings


class ModbusJig:
    """The port `SpinJig` over Modbus, TCP or RTU.

    A drive whose own reaction to lost communication is not to stop is refused as a wrong map.

    Args:
        settings: Link, highest speed and deadlines.
        registers: The jig's map.
        clock: What receipts are timed with.
        rhythm: The times of the link; None for those of the settings.
    """

    def __init__(
        self,
        settings: JigSettings,
        registers: RegisterMap,
        clock: Clock | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._settings = settings
        self._device = PolledDevice(
            settings,
            registers,
            JIG,
            rhythm or Rhythm.of(settings),
            clock or SystemClock(),
            self._examine,
        )

    async def connect(self) -> None:
        """Connect and check the register map and the drive's reaction to lost communication."""
        await self._device.connect()

    async def status(self) -> JigStatus:
        """The jig as it is now: the answer to a request that was sent after this call."""
        return _status((await self._device.read_now()).values)

    async def next_status(self) -> JigStatus:
        """The jig at the next regular poll."""
        return _status((await self._device.next_poll()).values)

    def leave_line_free(self) -> None:
        """Somebody is about to call `status`: while nobody does, nothing is asked for the time of a look at leisure."""
        self._device.leave_line_free()

    async def spin(self, order: Order) -> Receipt:
        """Start to turn and return when the speed `order.argument`, in tenths of rpm, is reached."""
        if order.verb != "spin" or not 0 < order.argument <= round(10 * self._settings.max_speed_rpm):
            limit = f"spin with 0.1 to {self._settings.max_speed_rpm:g} rpm"
            raise BugError("station.bug", f"the order {order.verb} {order.argument / 10:g} was given as {limit}")
        rules = OrderRules(
            words={"order_verb": "spin", "order_speed": order.argument / 10},
            acknowledge_s=min(self._settings.acknowledge_timeout_s, self._settings.speed_timeout_s),
            done_s=self._settings.speed_timeout_s,
            not_taken="jig.not_at_speed",
            not_done="jig.not_at_speed",
            check=lambda values: _check_drive(order, values),
            failure=lambda values: self._failure(order, values),
            reached=lambda values: bool(values["at_speed"]) and not values["standstill"],
        )
        return await self._perform(order, rules)

    async def stop(self, order: Order) -> Receipt:
        """Stop and return at standstill; a drive fault does not keep the order back."""
        if order.verb != "stop":
            raise BugError("station.bug", f"the order {order.verb} was given as stop")
        rules = OrderRules(
            words={"order_verb": "stop", "order_speed": 0},
            acknowledge_s=min(self._settings.acknowledge_timeout_s, self._settings.stop_timeout_s),
            done_s=self._settings.stop_timeout_s,
            not_taken="jig.not_stopped",
            not_done="jig.not_stopped",
            check=lambda _: None,
            failure=lambda values: self._failure(order, values),
            reached=lambda values: bool(values["standstill"]) and not values["at_speed"],
            when_forgotten="repeat",
        )
        return await self._perform(order, rules)

    async def close(self) -> None:
        """Disconnect. The jig stops by itself when its master is gone."""
        await self._device.close()

    async def _perform(self, order: Order, rules: OrderRules) -> Receipt:
        ending = await perform(self._device, order, rules)
        return Receipt(order, 0, ending.acknowledged_ns, ending.done.at_ns)

    def _examine(self, values: Values) -> None:
        action = self._device.registers["loss_action"].label(int(values["loss_action"]))
        if action != "stop" or values["loss_timeout"] == 0:
            found = f"loss_action is {action!r}, loss_timeout {values['loss_timeout']} ms"
            raise JigError("jig.wrong_map", f"{found}: set the drive to stop when its master is silent")

    def _failure(self, order: Order, values: Values) -> JigError:
        if values["drive_fault"]:
            return JigError("jig.fault", f"order {order.number} {order.verb}: drive fault {values['drive_fault']}")
        result = self._device.registers["order_result"].label(int(values["order_result"]))
        return JigError("jig.refused", f"order {order.number} {order.verb}: {result}")


def _status(values: Values) -> JigStatus:
    return JigStatus(
        last_order=int(values["order_acknowledged"]),
        standstill=bool(values["standstill"]),
        at_speed=bool(values["at_speed"]),
        speed_rpm=float(values["speed"]),
        index_pulses=int(values["index_pulses"]),
        part_seated=bool(values["part_seated"]),
        drive_fault=int(values["drive_fault"]),
        index_period_ms=float(values["index_period"]),
    )


def _check_drive(order: Order, values: Values) -> None:
    if values["drive_fault"]:
        raise JigError("jig.fault", f"order {order.number} {order.verb}: drive fault {values['drive_fault']}")
