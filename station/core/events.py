"""What the cell tells whoever watches it, while it happens: a live view, the operator page, a test.

Watchers are called from the event loop and must not block; nothing in the cell depends on them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from station.core.alarms import Alarm
from station.core.errors import Fault
from station.core.part import Decision, Destination, Inspection, Scores
from station.core.ports import Evidence


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The cell's PackML state, by name, and why it changed (None when an acting state's work was complete)."""

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
    """One of the eight strips was scored while the part turns."""

    inspection: Inspection
    scores: Scores


@dataclass(frozen=True, slots=True)
class ScanJudged:
    """A part was scanned and judged; nothing is recorded or published of it yet.

    The pixels of the blocks are the camera's own memory: a watcher that wants to keep them copies them at once.
    """

    inspection: Inspection
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class PartDecided:
    """The decision is made and published."""

    inspection: Inspection
    decision: Decision
    ms_after_last_line: float | None


@dataclass(frozen=True, slots=True)
class PartSorted:
    """The robot has confirmed the place and the record is closed."""

    inspection: Inspection
    decision: Decision
    confirmed: Destination
    ms_after_last_line: float | None
    scan_valid: bool
    cycle_ms: float


@dataclass(frozen=True, slots=True)
class PartLost:
    """The inspection was closed although no place was confirmed."""

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
    | PartDecided
    | PartSorted
    | PartLost
    | AlarmsChanged
)
Watcher = Callable[[CellEvent], None]
