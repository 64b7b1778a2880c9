"""What the cell tells whoever watches it, while it happens: a live view, the operator page, a test.

Nothing in the cell depends on watchers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from station.core.alarms import Alarm
from station.core.drift.course import Drift
from station.core.hand import Holder
from station.core.judgement import Defect, Judgement
from station.core.light import Light
from station.core.part import Decision, Inspection, Order, Pixels, Receipt, Scores
from station.core.ports.line import LineView
from station.core.reason import Reason
from station.core.timeline import Load, ScanTimes, SettleTimes
from station.core.verdicts import Place, Verdict


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The cell's PackML state, by name, and why it does not run (None while it does).

    Where `before` is `after`, only the reason has changed.
    """

    before: str
    after: str
    reason: Reason | None


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
class OrderGiven:
    """An order is written down and goes out to its device next."""

    order: Order


@dataclass(frozen=True, slots=True)
class OrderDone:
    """A device has reported an order done, and that is written down."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StripScored:
    """A strip was scored while the part turns; `surfaces` has the class of each of its patches."""

    inspection: Inspection
    scores: Scores
    surfaces: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class StripSeen:
    """What a strip that was scored shows: the part's columns of its block, (lines, columns) uint8, as delivered.

    The pixels stay as they are for as long as somebody holds the event.
    """

    inspection: Inspection
    index: int
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class ScanJudged:
    """A part was scanned and judged; the decision is on its way to the PLC, nothing is recorded of it yet.

    The pixels of the blocks stay as they are for as long as somebody holds the event.
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
    """The robot has confirmed the place and the record is closed.

    `defects` has the severest first; `light` is None of a part whose light was not seen.
    """

    inspection: Inspection
    decision: Decision
    confirmed: Place
    ms_after_last_line: float | None
    scan_valid: bool
    cycle_ms: float
    defects: tuple[Defect, ...] = ()
    light: Light | None = None


@dataclass(frozen=True, slots=True)
class PartLost:
    """The inspection was closed although no place was confirmed."""

    inspection: Inspection
    reason: Reason


@dataclass(frozen=True, slots=True)
class PartWithdrawn:
    """The inspection was closed before anything moved: the PLC took its part back."""

    inspection: Inspection
    reason: Reason


@dataclass(frozen=True, slots=True)
class AlarmsChanged:
    """The alarms that stand on the list now, the one raised last at the end."""

    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class HandChanged:
    """Somebody has the hand, or nobody beside the line PLC: None."""

    holder: Holder | None


@dataclass(frozen=True, slots=True)
class DriftChanged:
    """Something is beyond its limit, or within it again: what the parts of every type have come to, by its name."""

    drifts: Mapping[str, Drift]


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The line PLC says something else: permission, full places, what is announced, or that it is not believed."""

    view: LineView


CellEvent = (
    StateChanged
    | PartEntered
    | StepStarted
    | OrderGiven
    | OrderDone
    | StripScored
    | StripSeen
    | ScanJudged
    | NetworkOverloaded
    | PartDecided
    | PartSorted
    | PartLost
    | PartWithdrawn
    | AlarmsChanged
    | HandChanged
    | DriftChanged
    | LineChanged
)
Watcher = Callable[[CellEvent], None]
