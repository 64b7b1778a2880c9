"""What a shift comes to, of one cell or of many: by what is recorded of its time, and what people say of its parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from station.core.calendar import Shift
from station.core.period import Period
from station.core.records import ListedRecord
from station.core.tried import TRIED
from station.core.verdicts import Classes
from station.labels.label import InspectionSubject, Label
from station.labels.picking.truth import Truth, Truths
from station.page.shift.account import Stop, Stretch, by_state, stops, stretches
from station.page.shift.figures import Found, Oee, Parts, count_parts, found_by_people, oee_of

MOST_LABELLED = 100_000
"""So many labelled parts of a shift are looked at."""


@dataclass(frozen=True, slots=True)
class Report:
    """One shift.

    Attributes:
        shift: Which.
        until: Up to when it is told: its end, or now.
        parts: Its parts.
        defects: How many parts show each class of defect, whatever became of them.
        time: Its time by states; of many cells one behind the other.
        states: How long the cell was in each, the longest first; of many cells together.
        stops: Every stop.
        oee: How good that was.
        found: What people say of its parts.
    """

    shift: Shift
    until: datetime
    parts: Parts
    defects: dict[str, int]
    time: tuple[Stretch, ...]
    states: dict[str, timedelta]
    stops: tuple[Stop, ...]
    oee: Oee
    found: Found


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is recorded of one cell's shift.

    Attributes:
        period: Its time.
        live: Whether the cell is heard now, in the state that the records say it came to last.
        judged: Of each part of production that people have labelled: its verdict, and what they say.
    """

    period: Period
    live: bool
    judged: Sequence[tuple[str, Truth]]


def reckon(shift: Shift, until: datetime, cells: Sequence[Recorded], table: Classes, ideal_cycle_s: float) -> Report:
    """The report on a shift of these cells, as if they were one that has so much more time.

    Args:
        shift: Which.
        until: Up to when it is told: its end, or now.
        cells: One or more.
        table: The verdicts.
        ideal_cycle_s: Shortest time from one part to the next in a cell; 0 where nobody says so.
    """
    times = [stretches(cell.period, shift.begin, until, live=cell.live) for cell in cells]
    parts = count_parts(chain.from_iterable(cell.period.groups for cell in cells), table)
    states, passing = by_state(list(chain.from_iterable(times))), table.passing.name
    return Report(
        shift=shift,
        until=until,
        parts=parts,
        defects=_defects(cells),
        time=tuple(chain.from_iterable(times)),
        states=states,
        stops=tuple(chain.from_iterable(stops(time, one.period.left) for time, one in zip(times, cells, strict=True))),
        oee=oee_of(parts, states, passing, ideal_cycle_s),
        found=found_by_people(chain.from_iterable(cell.judged for cell in cells), passing),
    )


def labelled(labels: Iterable[Label]) -> tuple[str, ...]:
    """The inspections that people say anything of."""
    return tuple(dict.fromkeys(
        label.subject.inspection_id for label in labels if isinstance(label.subject, InspectionSubject)
    ))  # fmt: skip


def judged_by_people(labels: Sequence[Label], rows: Iterable[ListedRecord], passing: str) -> list[tuple[str, Truth]]:
    """Of each part of production that was judged and that people have labelled: its verdict, and what they say.

    Args:
        labels: Everything that was said.
        rows: The inspections of the shift that are `labelled`.
        passing: The verdict with which a part is good.
    """
    truths = Truths(labels, passing)
    made = (row for row in rows if row.verdict and row.reason not in TRIED)
    said = ((row.verdict, truths.of_inspection(row.inspection_id)) for row in made)
    return [(verdict, truth) for verdict, truth in said if truth is not None]


def _defects(cells: Sequence[Recorded]) -> dict[str, int]:
    """How many parts show each class, by the alphabet."""
    counts: dict[str, int] = {}
    for name, count in sorted(chain.from_iterable(cell.period.defects for cell in cells)):
        counts[name] = counts.get(name, 0) + count
    return counts
