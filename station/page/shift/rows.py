"""The figures of a shift as a table: a figure a row, what it is, and of what."""

from collections.abc import Iterator
from datetime import tzinfo

from station.page.shift.reckoning import Report


def rows_of(report: Report, zone: tzinfo) -> Iterator[tuple[object, ...]]:
    """The table: a figure a row, what it is, and of what."""
    yield "what", "of", "value", "unit"
    yield "shift", "", f"{report.shift.day} {report.shift.number}", ""
    yield "from", "", report.shift.begin.astimezone(zone).isoformat(), ""
    yield "to", "", report.until.astimezone(zone).isoformat(timespec="seconds"), ""
    yield from (("parts", name, count, "parts") for name, count in report.parts.verdicts.items())
    for name in ("laid_away", "lost", "withdrawn", "in_work"):
        yield "parts", name, getattr(report.parts, name), "parts"
    yield from (("tried", name, count, "parts") for name, count in report.parts.tried.items())
    yield from (("review", name, count, "parts") for name, count in report.parts.reasons.items())
    yield from (("type", name, count, "parts") for name, count in report.parts.types.items())
    yield from (("defect", name, count, "parts") for name, count in report.defects.items())
    yield from (("time", name or "not known", length.total_seconds(), "s") for name, length in report.states.items())
    for name in ("availability", "performance", "quality", "oee"):
        yield "oee", name, getattr(report.oee, name), ""
    for name in ("escapes", "overkill", "reviews"):
        found = getattr(report.found, name)
        yield from (("people", f"{name} {one}", getattr(found, one), "") for one in found.__class__.model_fields)
    for stop in report.stops:
        yield "stop", stop.reason or stop.state, stop.begin.astimezone(zone).isoformat(), stop.length.total_seconds()
