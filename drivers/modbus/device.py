"""Robot or jig behind its register map: its status, polled, and its orders."""

from collections.abc import Callable

from drivers.modbus.family import Family
from drivers.modbus.identity import Identity
from drivers.modbus.link import ModbusLink
from drivers.modbus.orders import OrderRegisters
from drivers.modbus.poller import Poller
from drivers.modbus.register_map import RegisterMap, Run
from drivers.modbus.rhythm import Rhythm
from drivers.modbus.status import Snapshot, StatusReading, Values
from station.core.clock import Clock
from station.core.errors import DeviceError
from station.core.settings import JigSettings, RobotSettings


class PolledDevice:
    """A device whose status is polled, which is given numbered orders, and which is shown the station's heartbeat.

    Args:
        settings: The link.
        registers: The map of robot or jig.
        family: Of the device.
        rhythm: Its times.
        clock: What snapshots are timed with.
        examine: Looks at every status before anybody sees it; raises what makes it unacceptable.

    Attributes:
        registers: As given.
        family: As given.
    """

    def __init__(
        self,
        settings: RobotSettings | JigSettings,
        registers: RegisterMap,
        family: Family,
        rhythm: Rhythm,
        clock: Clock,
        examine: Callable[[Values], None] = lambda _: None,
    ) -> None:
        self.registers = registers
        self.family = family
        identity = Identity(registers, family, rhythm.identity_s)
        self._link = ModbusLink(settings.link, family, identity.greet, registers.profile.write_most)
        self._orders = OrderRegisters(self._link, registers, family, rhythm.heartbeat_s)
        self._status = StatusReading(self._link, registers, family, identity, self._orders, rhythm, clock, examine)
        self._poller = Poller(family, self._status, rhythm.pace)

    async def connect(self) -> None:
        """Connect, check the map, read the status and start to poll; harmless when that is done.

        Raises:
            DeviceError: `unreachable`, `wrong_map`, or what `examine` raises; nothing is left running.
        """
        if not self._poller.started:
            self._status.forget()
            try:
                await self._link.connect()
                await self._status.read()
                await self._status.afterwards()
            except BaseException:
                await self._link.close()
                raise
            self._poller.start()
        await self._poller.read_now()

    async def close(self) -> None:
        """Stop polling and disconnect; whoever waits is told that the device is unreachable."""
        await self._poller.stop()
        await self._link.close()

    @property
    def polling(self) -> bool:
        """Whether reads are answered, be it with an error."""
        return self._poller.running

    async def read_now(self) -> Snapshot:
        """The device as it is now: the answer to a request that is sent at once, after this call.

        Raises:
            DeviceError: `unreachable`, `wrong_map`, or what `examine` raises.
        """
        return await self._poller.read_now()

    async def next_poll(self) -> Snapshot:
        """The answer to the next regular poll, which comes at once when nobody has waited for one for a while.

        Raises:
            DeviceError: As for `read_now`.
        """
        return await self._poller.next_poll()

    def leave_line_free(self) -> None:
        """Ask nothing for a while, not even at leisure, until a status is read now or waited for."""
        self._poller.hush()

    async def give(self, run: Run) -> None:
        """Write an order into the device's registers.

        Raises:
            DeviceError: As for `OrderRegisters.give`.
        """
        await self._orders.give(run)

    def withdraw(self, run: Run) -> None:
        """Set the order's registers to 0 before the next poll, if they still hold this order."""
        self._orders.withdraw(run)

    def has_answered(self, error: DeviceError) -> bool:
        """Whether a device that counts as unreachable has said itself that it cannot just now."""
        return self._link.has_answered(error)
