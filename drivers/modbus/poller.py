"""A reading that is made again and again, so that callers await the next one and nobody sleeps."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from drivers.modbus.family import Family
from station.core.errors import BugError, DeviceError
from station.core.pulse import Pulse

Status = TypeVar("Status")


class Polled(Protocol[Status]):
    """What is polled: hooks, each named after the moment in which it is called."""

    async def read(self) -> Status:
        """One reading.

        Raises:
            DeviceError: Why there is none.
        """

    def on_outcome(self, outcome: Status | DeviceError) -> None:
        """A poll is over, and nobody was told yet; what it gave, or why it failed twice."""

    async def afterwards(self) -> None:
        """Everybody was told of a poll that gave something. What fails now, the next poll finds out.

        Raises:
            DeviceError: It failed.
        """

    async def at_leisure(self) -> None:
        """Nobody waits for the next poll."""

    def on_end(self, cause: BaseException | None) -> None:
        """The polling has ended by itself, which it must not."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a device is polled.

    Attributes:
        poll_s: Pause between two polls.
        leisure_s: What is added to it while nobody waits.
    """

    poll_s: float
    leisure_s: float = 0.0


class Poller(Generic[Status]):
    """Polls until it is stopped.

    A poll that fails is repeated once, on a new connection; when that fails too, everybody who waits is told at once.
    The poller goes on trying and recovers by itself.

    Args:
        family: Of the device: errors are raised in its name.
        polled: What is read, and is told what came of it.
        pace: How fast.
    """

    def __init__(self, family: Family, polled: Polled[Status], pace: Pace) -> None:
        self._family = family
        self._polled = polled
        self._pace = pace
        self._task: asyncio.Task[None] | None = None
        self._begun = 0
        self._last: tuple[int, Status | DeviceError] | None = None
        self._pulse = Pulse()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._at_leisure = self._hushed = False

    @property
    def started(self) -> bool:
        """Whether it was started, and not stopped since; it may have ended by itself."""
        return self._task is not None

    @property
    def running(self) -> bool:
        """Whether polls are answered, be it with an error."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to poll; harmless when that is done."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"{self._family.name} poller")
            self._task.add_done_callback(self._on_done)

    async def stop(self) -> None:
        """Stop polling; whoever waits is told that the device is unreachable."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        self._pulse.beat()

    async def read_now(self) -> Status:
        """The answer to a request that is sent at once, after this call.

        Raises:
            DeviceError: What the reading raised both times, or `unreachable`: nothing is polled.
            BugError: The polling has ended by itself.
        """
        self._wanted.set()
        return await self.next_poll()

    async def next_poll(self) -> Status:
        """The answer to the next regular poll, which comes at once when nobody has waited for one for a while.

        Raises:
            DeviceError: As for `read_now`.
            BugError: As for `read_now`.
        """
        number = self._begun + 1
        if self._at_leisure:
            self._wanted.set()
        self._waiting += 1
        try:
            while self._last is None or self._last[0] < number:
                self._check_running()
                await self._pulse.changed()
        finally:
            self._waiting -= 1
        outcome = self._last[1]
        if isinstance(outcome, DeviceError):
            raise self._family.again(outcome)
        return outcome

    def hush(self) -> None:
        """Leave the next leisure to whoever is about to read: it begins without a look at what is read at leisure."""
        self._hushed = True

    def _check_running(self) -> None:
        if self._task is None:
            raise self._family.unreachable("not connected")
        if self._task.done():
            cause = None if self._task.cancelled() else self._task.exception()
            raise BugError("station.bug", f"the poller of the {self._family.name} ended") from cause

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._polled.on_end(task.exception())
        self._pulse.beat()

    async def _run(self) -> None:
        while True:
            self._begun += 1
            self._wanted.clear()
            outcome = await self._read_twice()
            self._polled.on_outcome(outcome)
            self._last = self._begun, outcome
            self._pulse.beat()
            if not isinstance(outcome, DeviceError):
                with suppress(DeviceError):
                    await self._polled.afterwards()
            await self._pause(self._pace.poll_s)
            if not self._waiting:
                await self._rest()

    async def _rest(self) -> None:
        if not self._hushed:
            await self._polled.at_leisure()
        self._at_leisure = True
        await self._pause(self._pace.leisure_s)
        self._at_leisure = self._hushed = False

    async def _pause(self, longest_s: float) -> None:
        """Return when a poll is wanted at once, or after this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._wanted.wait()

    async def _read_twice(self) -> Status | DeviceError:
        with suppress(DeviceError):
            return await self._polled.read()
        try:
            return await self._polled.read()
        except DeviceError as error:
            return error
