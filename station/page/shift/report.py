"""Everything that the screen, the print and the table tell of one shift, put together from records and labels."""

from datetime import datetime

from station.core.calendar import Shift
from station.core.errors import RecordError
from station.core.moments import stamp
from station.core.period import Period
from station.core.sought import Sought
from station.labels.picking.truth import Truth
from station.page.desk import PageDesk
from station.page.shift.reckoning import MOST_LABELLED, Recorded, Report, judged_by_people, labelled, reckon


def report_on(desk: PageDesk, shift: Shift, now: datetime) -> Report:
    """The report on a shift that has begun. Blocks.

    Raises:
        RecordError: The records cannot be read.
        LabelError: The labels cannot be read.
    """
    until = min(shift.end, now)
    period = _period(desk, shift.begin, until)
    cell = Recorded(period, _is_as_recorded(desk, period), _judged(desk, shift.begin, until))
    return reckon(shift, until, [cell], desk.table, desk.settings.page.ideal_cycle_s)


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


def _judged(desk: PageDesk, since: datetime, until: datetime) -> list[tuple[str, Truth]]:
    """Of each part of production that was judged and that people have labelled: its verdict, and what they say."""
    labels = desk.labels.labels()
    inspections = labelled(labels)
    if not inspections:
        return []
    sought = Sought(since=stamp(since), until=stamp(until), inspections=inspections)
    return judged_by_people(labels, desk.records.search(sought, None, MOST_LABELLED).rows, desk.table.passing.name)
