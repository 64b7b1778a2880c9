"""The status of a device, read again and again, so that callers await the next look and nobody sleeps."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from drivers.modbus.identity import Identity
from drivers.modbus.link import ModbusLink
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import IllegalWordsError, RegisterMap, Run, Value
from station.core.clock import Clock
from station.core.errors import BugError, DeviceError
from station.core.settings import RtuLink, TcpLink

Values = Mapping[str, Value]

HEARTBEAT_S = 0.25
STALE_AFTER_S = 2.0
IDENTITY_S = 1.0
"""Time between two looks at some of the constants while nobody waits: a program may be changed under the station."""
LEISURE = 5
"""By how much longer the pause between two looks is while nobody waits for one, up to a heartbeat's: a look takes time
from cores on which the network may just then score a part's last patches."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer of the device: its values, and when the answer came on CLOCK_MONOTONIC."""

    values: Values
    at_ns: int


class StatusPoller:
    """Polls a device's status block and shows it the station's heartbeat.

    A poll that fails is repeated once, on a new connection; when that fails too, everybody who waits is told at once.
    The poller goes on trying and recovers by itself.

    The map's constants are compared on every connection, at leisure, and at once when the device seems to have begun
    anew: its order numbers are 0 again, or all of its status is. An order does not stay in the device's registers when
    it is over, for a program that begins anew would take it for a new one.

    Args:
        settings: The link.
        registers: The map of robot or jig; its name is the family of the fault codes, too.
        error: The device's error class.
        clock: What snapshots are timed with.
        examine: Looks at every status before anybody sees it; raises what makes it unacceptable.
    """

    def __init__(
        self,
        settings: TcpLink | RtuLink,
        registers: RegisterMap,
        error: type[DeviceError],
        clock: Clock,
        examine: Callable[[Values], None] = lambda _: None,
    ) -> None:
        self.registers = registers
        self.device = registers.name
        self.error = error
        self._clock = clock
        self._examine = examine
        self._poll_s = settings.poll_s
        self._leisure_s = min(LEISURE * settings.poll_s, max(HEARTBEAT_S, settings.poll_s)) - settings.poll_s
        self._identity = Identity(self.registers, error)
        self._link = ModbusLink(settings, self.device, error, self._identity.greet)
        status = [row for row in self.registers.select("input", "read") if row.constant is None]
        self._status = Reading(self.registers, status)
        self._identity_due_s = 0.0
        self._doubted = False
        self._has_taken = False
        orders = [row.name for row in self.registers.select("holding", "write") if row.name.startswith("order_")]
        self._no_order = self.registers.encode_block(dict.fromkeys(orders, 0))
        self._given: Run | None = None
        self._order_is_over = False
        self._clear_due_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._begun = 0
        self._finished = 0
        self._outcome: Snapshot | DeviceError | None = None
        self._polled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._at_leisure = False
        self._heartbeat = 0
        self._heartbeat_due_s = 0.0
        self._peer_beat: Value | None = None
        self._peer_beat_s = 0.0

    async def connect(self) -> None:
        """Connect, check the map, read the status and start to poll; harmless when that is done.

        Raises:
            DeviceError: `unreachable`, `wrong_map`, or what `examine` raises; nothing is left running.
        """
        if self._task is None:
            self._peer_beat = None
            try:
                await self._link.connect()
                await self._read()
            except BaseException:
                await self._link.close()
                raise
            self._task = asyncio.create_task(self._poll(), name=f"{self.device} poller")
            self._task.add_done_callback(self._on_ended)
        await self.look()

    async def close(self) -> None:
        """Stop polling and disconnect; whoever waits is told that the device is unreachable."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        self._announce()
        await self._link.close()

    @property
    def polling(self) -> bool:
        """Whether looks are answered, be it with an error."""
        return self._task is not None and not self._task.done()

    async def look(self) -> Snapshot:
        """The device as it is now: the answer to a request that is sent at once, after this call.

        Raises:
            DeviceError: `unreachable`, `wrong_map`, or what `examine` raises.
        """
        self._wanted.set()
        return await self.next_look()

    async def next_look(self) -> Snapshot:
        """The answer to the next regular poll, which comes at once when nobody has waited for one for a while.

        Raises:
            DeviceError: As for `look`.
        """
        number = self._begun + 1
        if self._at_leisure:
            self._wanted.set()
        self._waiting += 1
        try:
            while self._finished < number:
                self._check_polling()
                await self._polled.wait()
        finally:
            self._waiting -= 1
        if isinstance(self._outcome, Snapshot):
            return self._outcome
        failure = self._outcome or self.unreachable("was not looked at")
        raise self.error(failure.code, failure.detail)

    async def give(self, run: Run) -> None:
        """Write an order into the device's registers.

        Raises:
            DeviceError: `unreachable` when it is unknown whether the device has taken it, or when it is busy;
                `refused` when it says that it will not.
        """
        self._given, self._order_is_over, self._clear_due_s = run, False, 0.0
        await self._link.write(run)

    def withdraw(self, run: Run) -> None:
        """Set the order's registers to 0 before the next look, if they still hold this order.

        What the device has taken it goes on with.
        """
        self._order_is_over = self._order_is_over or self._given is run

    def unreachable(self, detail: str) -> DeviceError:
        """The error `unreachable` of this device."""
        return self.error(f"{self.device}.unreachable", detail)

    def has_answered(self, error: DeviceError) -> bool:
        """Whether a device that counts as unreachable has said itself that it cannot just now."""
        return error.code == f"{self.device}.unreachable" and self._link.connected

    def _check_polling(self) -> None:
        if self._task is None:
            raise self.unreachable("not connected")
        if self._task.done():
            failure = None if self._task.cancelled() else self._task.exception()
            raise BugError("station.bug", f"the poller of the {self.device} ended") from failure

    def _on_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("device_poller_ended", device=self.device, error=repr(task.exception()))
        self._announce()

    async def _poll(self) -> None:
        while True:
            self._begun += 1
            outcome = await self._read_or_failure()
            self._log_change(outcome)
            self._outcome, self._finished = outcome, self._begun
            self._announce()
            await self._pause(self._poll_s)
            if not self._waiting:
                await self._look_at_constants()
                self._at_leisure = True
                await self._pause(self._leisure_s)
                self._at_leisure = False
            self._wanted.clear()

    async def _pause(self, longest_s: float) -> None:
        """Return when a look is wanted at once, or after this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._wanted.wait()

    async def _read_or_failure(self) -> Snapshot | DeviceError:
        with suppress(DeviceError):
            return await self._read()
        try:
            return await self._read()
        except DeviceError as error:
            return error

    async def _read(self) -> Snapshot:
        if self._order_is_over and time.monotonic() >= self._clear_due_s:
            await self._clear_order()
        words = await self._status.read(self._link)
        at_ns = self._clock.monotonic_ns()
        try:
            values = self.registers.decode_block("input", self._status.first, words)
        except IllegalWordsError as error:
            raise self.error(f"{self.device}.wrong_map", str(error)) from error
        await self._check_that_it_is_the_same(values)
        self._examine(values)
        self._check_peer_beat(values["heartbeat"])
        await self._show_heartbeat()
        return Snapshot(values, at_ns)

    async def _clear_order(self) -> None:
        """Clear the order's registers; an order that is given meanwhile is written after that, and stands.

        A device that refuses, as one may that is busy, is asked again at the heartbeat's pace.
        """
        given, self._order_is_over = self._given, False
        try:
            for run in self._no_order:
                await self._link.write(run)
        except DeviceError as error:
            self._order_is_over = given is self._given
            if error.code == f"{self.device}.unreachable" and not self.has_answered(error):
                raise
            if not self._clear_due_s:
                log.warning("order_not_withdrawn", device=self.device, code=error.code, detail=error.detail)
            self._clear_due_s = time.monotonic() + HEARTBEAT_S

    async def _check_that_it_is_the_same(self, values: Values) -> None:
        """Compare the constants again where the device may have begun anew, until they are right."""
        takes = any((values["order_acknowledged"], values["order_done"]))
        self._doubted = self._doubted or (self._has_taken and not takes) or not any(values.values())
        if self._doubted:
            await self._identity.check(self._link)
        self._doubted = False
        self._has_taken = takes

    async def _look_at_constants(self) -> None:
        """Compare some of the constants when it is time; what is wrong with them is told by the next look."""
        now = time.monotonic()
        if now < self._identity_due_s or self._doubted:
            return
        self._identity_due_s = now + IDENTITY_S
        try:
            await self._identity.check_half(self._link)
        except DeviceError:
            self._doubted = True

    def _check_peer_beat(self, beat: Value) -> None:
        now = time.monotonic()
        if beat != self._peer_beat:
            self._peer_beat, self._peer_beat_s = beat, now
        elif now - self._peer_beat_s > STALE_AFTER_S:
            raise self.unreachable(f"its heartbeat has stood at {beat} for {now - self._peer_beat_s:.1f} s")

    async def _show_heartbeat(self) -> None:
        now = time.monotonic()
        if now >= self._heartbeat_due_s:
            self._heartbeat = self._heartbeat % 0xFFFF + 1
            self._heartbeat_due_s = now + HEARTBEAT_S
            for run in self.registers.encode_block({"station_heartbeat": self._heartbeat}):
                await self._write_beat(run)

    async def _write_beat(self, run: Run) -> None:
        """Show a beat; a device that is busy gets the next one."""
        try:
            await self._link.write(run)
        except DeviceError as error:
            if not self.has_answered(error):
                raise
            log.debug("heartbeat_not_taken", device=self.device, detail=error.detail)

    def _announce(self) -> None:
        waiting, self._polled = self._polled, asyncio.Event()
        waiting.set()

    def _log_change(self, outcome: Snapshot | DeviceError) -> None:
        if isinstance(outcome, DeviceError) and not isinstance(self._outcome, DeviceError):
            log.warning("device_lost", device=self.device, code=outcome.code, detail=outcome.detail)
        elif isinstance(outcome, Snapshot) and isinstance(self._outcome, DeviceError):
            log.info("device_recovered", device=self.device)
