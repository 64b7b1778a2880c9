"""Shift: what was made, why the cell stood, how good that was; on the screen, on paper, and as a table."""

import asyncio
from datetime import date, datetime, timedelta

from starlette.responses import Response

from station.core.calendar import Calendar, Shift
from station.core.errors import PageError
from station.core.spreadsheet import csv_line
from station.page.findings import reason_text
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.promised import promised_in
from station.page.roles import EVERY_ROLE
from station.page.shift.account import NOT_KNOWN
from station.page.shift.chart import BAR_FROM, ROW, WIDTH, Pareto, pareto
from station.page.shift.figures import stops_by_reason
from station.page.shift.reckoning import Report
from station.page.shift.report import report_on
from station.page.shift.rows import rows_of

SHIFT = "/shift"
NOBODY = "-"
"""In the chart, for time in which no station ran."""


async def show_shift(visit: Visit) -> Response:
    """One shift; the present one where none is asked.

    Raises:
        PageError: `page.refused`: it is no shift, or has not begun.
    """
    calendar, report = await _asked(visit)
    found = await asyncio.to_thread(promised_in, visit.desk, report.shift.begin, report.until)
    names = {verdict.name: verdict.label for verdict in visit.desk.table.verdicts}
    following = calendar.after(report.shift)
    return painted(
        visit, "shift", report=report, names=names, reason_text=reason_text, here=_address(report.shift),
        before=_address(calendar.before(report.shift)), number_of_shifts=len(calendar.numbers),
        after=_address(following) if following.begin <= visit.desk.clock.now() else None,
        defects=pareto(report.defects), found=found,
        stop_reasons=_stop_chart(report), minutes=_minutes,
        clock=lambda at: f"{at.astimezone(calendar.zone):%H:%M:%S}", percent=_percent, not_known=NOT_KNOWN,
        day=lambda at: f"{at.astimezone(calendar.zone):%Y-%m-%d %H:%M}", sizes=(WIDTH, ROW, BAR_FROM),
        ideal_cycle_s=visit.desk.settings.page.ideal_cycle_s,
    )  # fmt: skip


async def table(visit: Visit) -> Response:
    """The same figures as CSV.

    Raises:
        PageError: As for `show_shift`.
    """
    calendar, report = await _asked(visit)
    name = f"shift-{report.shift.day}-{report.shift.number}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    lines = "".join(csv_line(row) for row in rows_of(report, calendar.zone))
    return Response(lines, media_type="text/csv; charset=utf-8", headers=headers)


ENTRIES = (
    Entry(SHIFT, "GET", EVERY_ROLE, show_shift),
    Entry(f"{SHIFT}.csv", "GET", EVERY_ROLE, table),
)


async def _asked(visit: Visit) -> tuple[Calendar, Report]:
    """The calendar of the plant, and the report on the shift that the address names."""
    calendar, now = visit.desk.settings.plant.calendar, visit.desk.clock.now()
    shift = _shift(visit, calendar, now)
    return calendar, await asyncio.to_thread(report_on, visit.desk, shift, now)


def _shift(visit: Visit, calendar: Calendar, now: datetime) -> Shift:
    asked = visit.request.query_params
    if "day" not in asked:
        return calendar.at(now)
    try:
        shift = calendar.shift(date.fromisoformat(asked["day"]), int(asked.get("number", "1")))
    except (ValueError, OverflowError) as error:
        raise PageError("page.refused", f"there is no shift {asked.get('number', '1')} of {asked['day']}") from error
    if shift.begin > now:
        raise PageError("page.refused", f"the shift {shift.number} of {shift.day} has not begun")
    return shift


def _address(shift: Shift) -> str:
    return f"day={shift.day}&number={shift.number}"


def _stop_chart(report: Report) -> Pareto:
    """How long the cell stood, by reasons, in seconds."""
    reasons = stops_by_reason(report.stops).items()
    return pareto({reason or state or NOBODY: length.total_seconds() for (reason, state), length in reasons})


def _minutes(length: timedelta) -> str:
    """A length as hours, minutes and seconds."""
    seconds = round(length.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}".replace("%", " %")
