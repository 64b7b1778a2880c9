"""What the cell tells whoever watches it, while it happens: a live view, the operator page, a test.

Watchers are called from the event loop and must not block; nothing in the cell depends on them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from station.core.alarms import Alarm
from station.core.errors import Fault
from station.core.judgement import Defect, Judgement
from station.core.part import Decision, Inspection, Scores
from station.core.timeline import Load, ScanTimes, SettleTimes
from station.core.verdicts import Place, Verdict

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The cell's PackML state, by name, and why it does not run (None while it does).

    Where `before` is `after`, only the reason has changed.
    """

    before: str
    after: str
    reason: Fault | None
    detail: str


@dataclass(frozen=True, slots=True)
class PartEntered:
    """An inspection began."""

    inspection: Inspection


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The part in work has reached a step: `load`, `spin`, `scan`, `decide`, `stop`, `unload`."""

    inspection: Inspection
    step: str


@dataclass(frozen=True, slots=True)
class StripScored:
    """A strip was scored while the part turns; `surfaces` has the class of each of its patches."""

    inspection: Inspection
    scores: Scores
    surfaces: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class ScanJudged:
    """A part was scanned and judged; the decision is on its way to the PLC, nothing is recorded of it yet.

    The pixels of the blocks are the camera's own memory: a watcher that wants to keep them copies them at once.
    """

    inspection: Inspection
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class NetworkOverloaded:
    """The network was slower than the line in this turn; no block was left out, its figures say what waited."""

    inspection: Inspection
    load: Load


@dataclass(frozen=True, slots=True)
class PartDecided:
    """The decision is published and recorded, the jig is at rest; the part's deadline ledger up to here.

    The time that counts is `settled.delivery.acknowledged_ns - times.last_line_ns`.
    """

    inspection: Inspection
    decision: Decision
    ms_after_last_line: float | None
    times: ScanTimes
    settled: SettleTimes


@dataclass(frozen=True, slots=True)
class PartSorted:
    """The robot has confirmed the place and the record is closed; `defects` has the severest first."""

    inspection: Inspection
    decision: Decision
    confirmed: Place
    ms_after_last_line: float | None
    scan_valid: bool
    cycle_ms: float
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True)
class PartLost:
    """The inspection was closed although no place was confirmed."""

    inspection: Inspection
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class PartWithdrawn:
    """The inspection was closed before anything moved: the PLC took its part back."""

    inspection: Inspection
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class AlarmsChanged:
    """The alarms that stand on the list now, the one raised last at the end."""

    alarms: tuple[Alarm, ...]


CellEvent = (
    StateChanged
    | PartEntered
    | StepStarted
    | StripScored
    | ScanJudged
    | NetworkOverloaded
    | PartDecided
    | PartSorted
    | PartLost
    | PartWithdrawn
    | AlarmsChanged
)
Watcher = Callable[[CellEvent], None]


def harmless(watch: Watcher) -> Watcher:
    """The watcher, which can do no harm: one that raises is told of in the log, and is never called again."""
    watching = True

    def tell(event: CellEvent) -> None:
        nonlocal watching
        if not watching:
            return
        try:
            watch(event)
        except Exception:  # whatever it is, the cell does not depend on it
            watching = False
            log.exception("watcher_dropped", watcher=getattr(watch, "__qualname__", repr(watch)))

    return tell
