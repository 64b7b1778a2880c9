"""Everything that the screen, the print and the table tell of one shift, put together from records and labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from station.core.calendar import Shift
from station.core.errors import RecordError
from station.core.moments import stamp
from station.core.period import Period
from station.core.sought import Sought
from station.core.tried import TRIED
from station.labels.label import InspectionSubject, Label
from station.labels.picking.truth import Truth, Truths
from station.page.desk import PageDesk
from station.page.shift.account import Stop, Stretch, by_state, stops, stretches
from station.page.shift.figures import Found, Oee, Parts, count_parts, found_by_people, oee_of

MOST_LABELLED = 100_000


@dataclass(frozen=True, slots=True)
class Report:
    """One shift.

    Attributes:
        shift: Which.
        until: Up to when it is told: its end, or now.
        parts: Its parts.
        defects: How many parts show each class of defect, whatever became of them.
        time: Its time by states.
        states: How long the cell was in each, the longest first.
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


def report_on(desk: PageDesk, shift: Shift, now: datetime) -> Report:
    """The report on a shift that has begun. Blocks.

    Raises:
        RecordError: The records cannot be read.
        LabelError: The labels cannot be read.
    """
    until = min(shift.end, now)
    period = _period(desk, shift.begin, until)
    time = stretches(period, shift.begin, until, live=_is_as_recorded(desk, period))
    parts, states, passing = count_parts(period.groups, desk.table), by_state(time), desk.table.passing.name
    return Report(
        shift=shift,
        until=until,
        parts=parts,
        defects=dict(period.defects),
        time=tuple(time),
        states=states,
        stops=tuple(stops(time, period.left)),
        oee=oee_of(parts, states, passing, desk.settings.page.ideal_cycle_s),
        found=found_by_people(_labelled(desk, shift.begin, until), passing),
    )


def _period(desk: PageDesk, since: datetime, until: datetime) -> Period:
    """What is recorded; nothing where the station has not recorded anything yet."""
    try:
        return desk.records.period(stamp(since), stamp(until))
    except RecordError as error:
        if error.code == "record.unknown":
            return Period()
        raise


def _is_as_recorded(desk: PageDesk, period: Period) -> bool:
    """Whether the station is heard, and in the state that the records say it came to last."""
    _number, heard = desk.follower.after(0)
    state = heard.get("cell", {}).get("state")
    return desk.follower.live and bool(period.changes) and period.changes[-1].after == state


def _labelled(desk: PageDesk, since: datetime, until: datetime) -> list[tuple[str, Truth]]:
    """Of each part of production that was judged and that people have labelled: its verdict, and what they say."""
    labels = desk.labels.labels()
    truths, inspections = Truths(labels, desk.table.passing.name), tuple(_inspections(labels))
    if not inspections:
        return []
    sought = Sought(since=stamp(since), until=stamp(until), inspections=inspections)
    rows = desk.records.search(sought, None, MOST_LABELLED).rows
    made = (row for row in rows if row.verdict and row.reason not in TRIED)
    said = ((row.verdict, truths.of_inspection(row.inspection_id)) for row in made)
    return [(verdict, truth) for verdict, truth in said if truth is not None]


def _inspections(labels: Iterable[Label]) -> set[str]:
    return {label.subject.inspection_id for label in labels if isinstance(label.subject, InspectionSubject)}
