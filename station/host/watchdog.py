"""The station's own watchdog: it tells the supervisor that all is alive, and notes when the wall clock is stepped.

The supervisor is told over systemd's notification socket, where there is one: READY, STATUS, STOPPING, and WATCHDOG
every half of the time that it allows. WATCHDOG comes from the event loop and only after the compute thread and the
writer's thread have answered; what hangs for longer than the supervisor allows is started again. The camera has a
process of its own, which every request watches by a deadline, ends and starts again: a camera that is gone is a fault
with its reaction, no reason to start the station anew.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Self

import structlog

from station.core.clock import Clock
from station.core.errors import StationError
from station.core.ports.records import PartLedger
from station.core.settings import WatchdogSettings
from station.host.stalls import StallGuard

log = structlog.get_logger()

Probe = Callable[[], Awaitable[object]]
"""Returns when the part of the station that it asks has answered; raises a StationError when it does not."""

CLOCKS_COMPARED_S = 0.5
"""How often the two clocks are compared; a wall clock that is slewed drifts far less in that time."""

ASK_AGAIN_S = 1.0
"""Pause after a part of the station did not answer, before it is asked again."""


class Notifier:
    """The supervisor's notification socket; telling never blocks and never fails.

    Args:
        address: Path of the socket, `@name` for one in the abstract namespace; None where there is no supervisor.
        watchdog_s: Within what time the supervisor wants to hear that all is alive, or None if it does not.
    """

    def __init__(self, address: str | None, watchdog_s: float | None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self.watchdog_s = watchdog_s if self._address else None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The supervisor that this environment names."""
        address = environment.get("NOTIFY_SOCKET", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        allowed_us = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(allowed_us) / 1e6 if allowed_us.isdecimal() and int(allowed_us) and for_us else None
        return cls(address if address.startswith(("/", "@")) else None, watchdog_s)

    def ready(self) -> None:
        """The station takes commands."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """One line on what the station does."""
        self._tell("STATUS=" + " ".join(text.split()))

    def alive(self) -> None:
        """Everything answers."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The station comes to its end."""
        self._tell("STOPPING=1")

    def _tell(self, line: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as telling:
                telling.setblocking(False)
                telling.sendto(line.encode(), self._address)
        except OSError as error:
            log.warning("supervisor_not_told", line=line, detail=error.strerror)


class Watchdog:
    """Watches over one running station.

    Args:
        probes: What must answer, by name.
        ledger: Where a stepped clock is noted.
        clock: Both clocks.
        settings: Deadlines.
    """

    def __init__(
        self, probes: Mapping[str, Probe], ledger: PartLedger, clock: Clock, settings: WatchdogSettings
    ) -> None:
        self._probes = probes
        self._ledger = ledger
        self._clock = clock
        self._settings = settings
        self._silent: set[str] = set()

    async def run(self, notifier: Notifier) -> None:
        """Watch until cancelled."""
        with StallGuard(self._settings) as guard:
            async with asyncio.TaskGroup() as group:
                group.create_task(_beat(guard), name="loop beat")
                group.create_task(self._watch_clocks(), name="clocks")
                if notifier.watchdog_s is not None:
                    group.create_task(self._tell_alive(notifier, notifier.watchdog_s / 2), name="watchdog")

    async def _watch_clocks(self) -> None:
        ahead = self._wall_ahead()
        while True:
            await asyncio.sleep(CLOCKS_COMPARED_S)
            before, ahead = ahead, self._wall_ahead()
            if abs(step_s := (ahead - before).total_seconds()) > self._settings.clock_step_s:
                await self._note_step(step_s)

    def _wall_ahead(self) -> timedelta:
        """The wall clock's lead before the monotonic one; it changes only when the wall clock is set."""
        now, monotonic_ns = self._clock.now(), self._clock.monotonic_ns()
        return timedelta(seconds=now.timestamp(), microseconds=-monotonic_ns / 1000)

    async def _note_step(self, step_s: float) -> None:
        log.warning("clock_stepped", seconds=round(step_s, 3))
        try:
            await self._ledger.note("clock_stepped", f"{step_s:+.3f} s")
        except StationError as error:
            log.error("note_not_kept", fault=error.code, detail=error.detail, note="clock_stepped")

    async def _tell_alive(self, notifier: Notifier, every_s: float) -> None:
        while True:
            if all(await asyncio.gather(*[self._answers(name, probe) for name, probe in self._probes.items()])):
                notifier.alive()
                await asyncio.sleep(every_s)
            else:
                await asyncio.sleep(min(ASK_AGAIN_S, every_s))

    async def _answers(self, name: str, probe: Probe) -> bool:
        try:
            await probe()
        except StationError as error:
            if name not in self._silent:
                self._silent.add(name)
                log.error("watchdog_withheld", silent=name, fault=error.code, detail=error.detail)
            return False
        if name in self._silent:
            self._silent.remove(name)
            log.warning("watchdog_answered_again", name=name)
        return True


async def _beat(guard: StallGuard) -> None:
    while True:
        guard.beat()
        await asyncio.sleep(guard.beat_s)
