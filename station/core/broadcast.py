"""The cell's one voice: every event in order, at once, or a moment later where telling is in the way.

    cell, alarms, state machine ──▶ Broadcast ──▶ whoever is to be told

Between the last line of a turn and the arrival of its decision nothing is told, so that nobody takes the processor from
what the deadline is for.
"""

import structlog

from station.core.events import (
    CellEvent,
    HandChanged,
    LineChanged,
    OrderDone,
    OrderGiven,
    StepStarted,
    StripScored,
    StripSeen,
    Watcher,
)

log = structlog.get_logger()

CAN_WAIT = (StepStarted, OrderGiven, OrderDone, StripScored, StripSeen, LineChanged, HandChanged)
"""What is told a moment later where it would be in the way; anything else is told at once, and what waits before it."""


class Broadcast:
    """Tells one listener, which can do no harm; used from one event loop.

    Args:
        listener: Called from the event loop; it must not block. One that raises is told of in the log, and is never
            called again.
    """

    def __init__(self, listener: Watcher) -> None:
        self._listener: Watcher | None = listener
        self._waiting: list[CellEvent] = []
        self._holds = False

    def tell(self, event: CellEvent) -> None:
        """Tell of an event, after all that were told of before it."""
        self._waiting.append(event)
        if not (self._holds and isinstance(event, CAN_WAIT)):
            self.release()

    def hold(self) -> None:
        """Tell nothing that can wait until the next `release`, or until something that cannot wait is told.

        Then something else happens than the ordinary, as when the line PLC is away and the cell is suspended, which
        people have to see.
        """
        self._holds = True

    def release(self) -> None:
        """Tell what waits; harmless where nothing does."""
        self._holds = False
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._pass_on(event)

    def _pass_on(self, event: CellEvent) -> None:
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception:  # whatever it is, the cell does not depend on it
            log.exception("watcher_dropped", watcher=name_of(self._listener))
            self._listener = None


def name_of(watcher: Watcher) -> str:
    """What a watcher is called in the log."""
    return getattr(watcher, "__qualname__", repr(watcher))
