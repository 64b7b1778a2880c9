"""The status of robot or jig: read, believed, examined, and answered with the station's heartbeat."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from drivers.modbus.family import Family
from drivers.modbus.heartbeat import Freshness, HeartbeatOut
from drivers.modbus.identity import Identity
from drivers.modbus.link import ModbusLink
from drivers.modbus.orders import OrderRegisters
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import IllegalWordsError, RegisterMap, Run, Value
from drivers.modbus.rhythm import Rhythm
from station.core.clock import Clock
from station.core.errors import DeviceError

Values = Mapping[str, Value]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer of the device: its values, and when the answer came on CLOCK_MONOTONIC."""

    values: Values
    at_ns: int


class StatusReading:
    """What is polled of a device.

    Args:
        link: To the device.
        registers: Its map.
        family: Of the device.
        identity: Whether it is still the same.
        orders: Cleared before a status is read, when they are over.
        rhythm: The station's beats, one of which is shown with every status for which it is due, and the device's.
        clock: What snapshots are timed with.
        examine: Looks at every status before anybody sees it; raises what makes it unacceptable.
    """

    def __init__(
        self,
        link: ModbusLink,
        registers: RegisterMap,
        family: Family,
        identity: Identity,
        orders: OrderRegisters,
        rhythm: Rhythm,
        clock: Clock,
        examine: Callable[[Values], None],
    ) -> None:
        self._link = link
        self._registers = registers
        self._family = family
        self._identity = identity
        self._orders = orders
        self._clock = clock
        self._heartbeat = HeartbeatOut(rhythm.heartbeat_s)
        self._freshness = Freshness(rhythm.stale_after_s)
        self._examine = examine
        status = [row for row in registers.select("read") if row.constant is None]
        self._status = Reading(registers, status)
        self._lost = False

    def forget(self) -> None:
        """A new acquaintance: the heartbeat that is read first is fresh."""
        self._freshness.forget()

    async def read(self) -> Snapshot:
        """The status, after an order that is over was cleared.

        Raises:
            DeviceError: `unreachable`, `wrong_map`, or what `examine` raises.
        """
        await self._orders.clear_when_over()
        words = await self._status.read(self._link)
        at_ns = self._clock.monotonic_ns()
        values = self._decode(words)
        await self._identity.check_status(values, self._link)
        self._examine(values)
        self._check_beat(values["heartbeat"])
        return Snapshot(values, at_ns)

    def on_outcome(self, outcome: Snapshot | DeviceError) -> None:
        """Log that the device is lost, or back."""
        lost = isinstance(outcome, DeviceError)
        if isinstance(outcome, DeviceError) and not self._lost:
            log.warning("device_lost", device=self._family.name, code=outcome.code, detail=outcome.detail)
        elif self._lost and not lost:
            log.info("device_recovered", device=self._family.name)
        self._lost = lost

    async def afterwards(self) -> None:
        """Show the station's beat where it is due: whoever waits for the status does not wait for that, too.

        Raises:
            DeviceError: The device did not take it, and not because it was busy.
        """
        now_s = asyncio.get_running_loop().time()
        if self._heartbeat.is_due(now_s):
            await asyncio.sleep(0)  # those who have the status go on first
            for run in self._registers.encode_block({"station_heartbeat": self._heartbeat.beat(now_s)}):
                await self._write_beat(run)

    async def at_leisure(self) -> None:
        """Look at some of the constants."""
        await self._identity.check_at_leisure(self._link, asyncio.get_running_loop().time())

    def on_end(self, cause: BaseException | None) -> None:
        """Log that nothing is polled any more."""
        log.error("device_poller_ended", device=self._family.name, error=repr(cause))

    def _decode(self, words: list[int]) -> dict[str, Value]:
        try:
            return self._registers.decode_block(self._status.kind, self._status.first, words)
        except IllegalWordsError as error:
            raise self._family.wrong_map(str(error)) from error

    def _check_beat(self, beat: Value) -> None:
        now_s = asyncio.get_running_loop().time()
        self._freshness.hear(beat, now_s)
        if self._freshness.stands_still(now_s):
            stood_s = self._freshness.stood_s(now_s)
            raise self._family.unreachable(f"its heartbeat has stood at {beat} for {stood_s:.1f} s")

    async def _write_beat(self, run: Run) -> None:
        """Show a beat; a device that is busy gets the next one."""
        try:
            await self._link.write(run)
        except DeviceError as error:
            if not self._link.has_answered(error):
                raise
            log.debug("heartbeat_not_taken", device=self._family.name, detail=error.detail)
