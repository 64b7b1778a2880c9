"""Watches the event loop from outside: one that stands still is told, and ended when it stays so.

While the loop stands still the station is silent: its heartbeats on the PLC stop and the jig, whose master is gone,
stops by itself. The process then ends with a status of its own, so that its supervisor starts it again and the journal
is taken up. A loop that hangs in code which holds the interpreter's lock stops this watch too; that is left to the
supervisor, who hears nothing any more (`station.host.watchdog`).
"""

import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from types import TracebackType
from typing import Self

import structlog

from station.core.log_events import EventName
from station.core.logs import settle_logs
from station.core.settings import WatchdogSettings

log = structlog.get_logger()

STALLED = 4
"""Exit status of a process that ended itself because its event loop stood still."""

LOOKS = 8
"""How often the watch looks within the time after which it tells."""

LOG_TIMEOUT_S = 1.0
"""The loop may hang in the middle of a log line and keep others from writing one; the end does not wait for that."""


class Seen(Enum):
    """What a look at the loop shows."""

    GOES_ON = auto()
    STALLED = auto()
    HUNG = auto()


class Standstill:
    """How long a loop has stood still, by looks at how often it has beaten; nothing here waits or reads a clock.

    What lies between two looks counts for two beats at the most: what was longer was the whole process at rest, stopped
    or without a processor.

    Args:
        settings: After what time a standstill is told, and is one for good.
        beats: How often the loop has beaten so far.
        now_s: When.

    Attributes:
        lasted_s: How long it stands still, or has stood still when it went on with the last look.
    """

    def __init__(self, settings: WatchdogSettings, beats: int, now_s: float) -> None:
        self._settings = settings
        self._beats = beats
        self._looked_s = now_s
        self._told = False
        self._turns = True
        self.lasted_s = 0.0

    def look(self, beats: int, now_s: float) -> list[Seen]:
        """What is to be told, in this order; a standstill is told once, and its end where it was told."""
        passed_s, self._looked_s = min(now_s - self._looked_s, 2 * beat_s(self._settings)), now_s
        if beats != self._beats:
            return self._turned(beats)
        self.lasted_s = passed_s if self._turns else self.lasted_s + passed_s
        self._turns = False
        return self._stands()

    def _turned(self, beats: int) -> list[Seen]:
        self._beats, self._turns = beats, True
        told, self._told = self._told, False
        return [Seen.GOES_ON] if told else []

    def _stands(self) -> list[Seen]:
        seen = []
        if self.lasted_s >= self._settings.stall_logged_s and not self._told:
            self._told = True
            seen.append(Seen.STALLED)
        if self.lasted_s >= self._settings.stall_fatal_s:
            seen.append(Seen.HUNG)
        return seen


def beat_s(settings: WatchdogSettings) -> float:
    """How often the loop should beat at least, and is looked at."""
    return settings.stall_logged_s / LOOKS


class StallGuard:
    """A watch over the thread that makes it; a context manager.

    Args:
        settings: After what time it tells, and ends.
        end: Ends the process with a status, at once.
    """

    def __init__(self, settings: WatchdogSettings, end: Callable[[int], None] = os._exit) -> None:
        self._settings = settings
        self._end = end
        self._watched = threading.get_ident()
        self._beats = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall guard", daemon=True)

    def __enter__(self) -> Self:
        """Start to watch."""
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()

    @property
    def beat_s(self) -> float:
        """How often the loop should beat at least."""
        return beat_s(self._settings)

    def beat(self) -> None:
        """The loop turns."""
        self._beats += 1

    def _run(self) -> None:
        standstill = Standstill(self._settings, self._beats, time.monotonic())
        while not self._over.wait(self.beat_s):
            for seen in standstill.look(self._beats, time.monotonic()):
                self._tell(seen, round(standstill.lasted_s, 1))
                if seen is Seen.HUNG:
                    self._end(STALLED)
                    return

    def _tell(self, seen: Seen, stalled_s: float) -> None:
        match seen:
            case Seen.GOES_ON:
                _say("event_loop_goes_on", stalled_s=stalled_s)
            case Seen.STALLED:
                _say("event_loop_stalled", stalled_s=stalled_s, stack=self._stack())
            case Seen.HUNG:
                _say("event_loop_hung", stalled_s=stalled_s, exit_status=STALLED, stack=self._stack())

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001  # the documented way to another thread's stack
        return "".join(traceback.format_stack(frame)) if frame else ""


@contextmanager
def settled_memory() -> Iterator[None]:
    """While in this context the garbage collector does not look again through what there is at its begin.

    Libraries, network and configuration are hundreds of thousands of objects that stay; to look through them stops
    every thread for tens of milliseconds, whenever it happens.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _say(event: EventName, **values: object) -> None:
    def say() -> None:
        log.critical(event, **values)
        settle_logs(LOG_TIMEOUT_S)

    saying = threading.Thread(target=say, daemon=True)
    saying.start()
    saying.join(LOG_TIMEOUT_S)
