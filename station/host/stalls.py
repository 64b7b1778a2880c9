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
from types import TracebackType
from typing import Self

import structlog

from station.core.logs import settle_logs
from station.core.settings import WatchdogSettings

log = structlog.get_logger()

STALLED = 4
"""Exit status of a process that ended itself because its event loop stood still."""

LOOKS = 8
"""How often the watch looks within the time after which it tells."""

LOG_TIMEOUT_S = 1.0
"""The loop may hang in the middle of a log line and keep others from writing one; the end does not wait for that."""


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
        return self._settings.stall_logged_s / LOOKS

    def beat(self) -> None:
        """The loop turns."""
        self._beats += 1

    def _run(self) -> None:
        seen, stalled_s, told = self._beats, 0.0, False
        looked_s = time.monotonic()
        while not self._over.wait(self.beat_s):
            before_s, looked_s = looked_s, time.monotonic()
            if self._beats != seen:
                if told:
                    _say("event_loop_goes_on", stalled_s=round(stalled_s, 1))
                seen, stalled_s, told = self._beats, 0.0, False
                continue
            # What was longer than two looks was the whole process at rest, stopped or without a processor.
            stalled_s += min(looked_s - before_s, 2 * self.beat_s)
            if stalled_s >= self._settings.stall_logged_s and not told:
                told = True
                _say("event_loop_stalled", stalled_s=round(stalled_s, 1), stack=self._stack())
            if stalled_s >= self._settings.stall_fatal_s:
                self._give_up(stalled_s)
                return

    def _give_up(self, stalled_s: float) -> None:
        _say("event_loop_hung", stalled_s=round(stalled_s, 1), exit_status=STALLED, stack=self._stack())
        self._end(STALLED)

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


def _say(event: str, **values: object) -> None:
    def say() -> None:
        log.critical(event, **values)
        settle_logs(LOG_TIMEOUT_S)

    saying = threading.Thread(target=say, daemon=True)
    saying.start()
    saying.join(LOG_TIMEOUT_S)
