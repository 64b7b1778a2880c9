"""Giving a device one numbered order, and knowing how it ended.

    write verb, argument, number ──▶ order_acknowledged = number ──▶ order_done = number with a result ──▶ write 0, 0, 0

A lost reply is repaired by asking: the status tells whether the device has taken the number. It is asked, too, when a
gateway gives up, when the device is busy, and even when it refuses, for it may have taken the number all the same. The
same number is written again only when the status tells that it was not taken, and never after a refusal; a number that
was taken before has no second effect. One deadline counts down over all awaits.

A device whose program begins anew knows no order any more: both its numbers are 0. It may have carried the order out in
part, so that the order is over then, and is not written again; but for one that is safe to repeat, as a stop is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from drivers.modbus.device import PolledDevice
from drivers.modbus.register_map import Run
from drivers.modbus.status import Snapshot, Values
from station.core.errors import BugError, DeviceError
from station.core.part import Order


@dataclass(frozen=True, slots=True)
class OrderRules:
    """What one kind of order means on its device.

    Attributes:
        words: The order registers beside the number, by name.
        acknowledge_s: From the start to the acknowledgement.
        done_s: From the start to the end.
        not_taken: Fault code when the first passes.
        not_done: Fault code when the second passes.
        check: Looks at every status; raises when the device cannot go on.
        failure: The error of a status whose result is `refused` or `failed`.
        reached: Whether the device's state is what `done` promises; until it is, the order is not done.
        when_forgotten: What follows when the device has forgotten the order.
    """

    words: Values
    acknowledge_s: float
    done_s: float
    not_taken: str
    not_done: str
    check: Callable[[Values], None]
    failure: Callable[[Values], DeviceError]
    reached: Callable[[Values], bool]
    when_forgotten: Literal["fail", "repeat"] = "fail"


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order went well: when it was taken, and the status that reported its end."""

    acknowledged_ns: int
    done: Snapshot


async def perform(device: PolledDevice, order: Order, rules: OrderRules) -> Ending:
    """Give the order and wait for its end. A connection that breaks meanwhile is waited for until the deadline.

    Raises:
        DeviceError: What `rules.check` and `rules.failure` give, `refused`, `not_taken`, `not_done`; `unreachable`
            when the device cannot be asked, before the order or when a deadline passes.
        BugError: The order's number is 0, or a value does not fit its register.
    """
    if order.number == 0:
        raise BugError("station.bug", f"the {order.device} order {order.verb} has the number 0")
    runs = device.registers.encode_block({**rules.words, "order_number": order.number})
    if len(runs) != 1:
        raise BugError("station.bug", f"the order registers of the {order.device} are not neighbours")
    try:
        return await _Handshake(device, order, rules, runs[0]).run()
    finally:
        device.withdraw(runs[0])


class _Handshake:
    def __init__(self, device: PolledDevice, order: Order, rules: OrderRules, run: Run) -> None:
        self._device = device
        self._order = order
        self._rules = rules
        self._run = run
        self._started_s = asyncio.get_running_loop().time()
        self._broken: DeviceError | None = None
        self._put_off = ""
        self._remembers = False

    async def run(self) -> Ending:
        taken = await self._before(self._rules.acknowledge_s, self._rules.not_taken, self._take)
        done = await self._before(self._rules.done_s, self._rules.not_done, lambda: self._end(taken))
        return Ending(taken.at_ns, done)

    async def _before(self, limit_s: float, late_code: str, step: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        try:
            async with asyncio.timeout_at(self._started_s + limit_s):
                return await step()
        except TimeoutError:
            if self._broken:
                raise self._broken from None
            what = f"order {self._order.number} {self._order.verb} after {limit_s:g} s"
            raise self._device.family.error(late_code, "; ".join(filter(None, [what, self._put_off]))) from None

    async def _take(self) -> Snapshot:
        snapshot = await self._device.read_now()
        self._rules.check(snapshot.values)
        self._remembers = _remembers(snapshot.values)
        while not self._taken(snapshot.values):
            try:
                await self._device.give(self._run)
            except DeviceError as error:
                snapshot = await self._ask(error)
            else:
                self._put_off = ""
                return await self._until(self._taken, self._device.read_now)
        return snapshot

    async def _ask(self, error: DeviceError) -> Snapshot:
        """The status after an order that the device may have taken or not; a refusal stands where it has not."""
        refused = self._device.family.means("refused", error)
        if not refused:
            self._ride_through(error)
            self._put_off = error.detail
            if self._device.has_answered(error):
                self._broken = None
        snapshot = await self._next(self._device.read_now)
        if self._taken(snapshot.values):
            return snapshot
        if refused:
            raise error
        return await self._next(self._device.next_poll)

    async def _end(self, snapshot: Snapshot) -> Snapshot:
        if self._ended(snapshot.values):
            return snapshot
        return await self._until(self._ended, self._device.next_poll)

    async def _until(self, condition: Callable[[Values], bool], read: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        snapshot = await self._next(read)
        while not condition(snapshot.values):
            snapshot = await self._next(self._device.next_poll)
        return snapshot

    async def _next(self, read: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        while True:
            try:
                snapshot = await read()
            except DeviceError as error:
                self._ride_through(error)
                read = self._device.next_poll
            else:
                self._broken = None
                self._rules.check(snapshot.values)
                await self._check_memory(snapshot.values)
                return snapshot

    async def _check_memory(self, values: Values) -> None:
        if not self._remembers or _remembers(values):
            self._remembers = self._remembers or _remembers(values)
        elif self._rules.when_forgotten == "fail":
            what = f"order {self._order.number} {self._order.verb}: order_acknowledged and order_done are 0 again"
            raise self._device.family.error(self._rules.not_done, f"{what}: its program has begun anew")
        else:
            await self._give_again()

    async def _give_again(self) -> None:
        try:
            await self._device.give(self._run)
        except DeviceError as error:
            self._ride_through(error)
        else:
            self._remembers = False

    def _ride_through(self, error: DeviceError) -> None:
        if not self._device.family.means("unreachable", error) or not self._device.polling:
            raise error
        self._broken = error

    def _taken(self, values: Values) -> bool:
        return self._order.number in (values["order_acknowledged"], values["order_done"])

    def _ended(self, values: Values) -> bool:
        if values["order_done"] != self._order.number:
            return False
        result = self._device.registers["order_result"].label(int(values["order_result"]))
        if result in ("refused", "failed"):
            raise self._rules.failure(values)
        return result == "done" and self._rules.reached(values)


def _remembers(values: Values) -> bool:
    """Whether the device knows of an order; after power-up it knows of none."""
    return any((values["order_acknowledged"], values["order_done"]))
