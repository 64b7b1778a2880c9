"""Parts: what was decided, newest first; of one part the surface, every patch, the grounds, the times, the orders."""

import asyncio

from starlette.responses import Response

from station.core.records import JsonObject, RecordFilter
from station.labels.agreement import current
from station.labels.label import BUILT_IN, WITHDRAWN, InspectionSubject, WholePart
from station.page.findings import listed, overlay, patches_of, reason_text, suggestion
from station.page.guard import Entry, Visit
from station.page.lessons import lesson_of
from station.page.paint import painted
from station.page.roles import EVERY_ROLE, WHO_LABEL
from station.page.surface import PICTURE_KEPT, as_png, read_surface
from station.view.waterfall import waterfall

LISTED = 200
EVENTS = 200
"""So many of the cell's events are shown with a part, from its first."""
DATES = ("entered_at", "judged_at", "interrupted_at", "sorted_at", "lost_at", "withdrawn_at")


async def show_parts(visit: Visit) -> Response:
    """The newest parts, or those with a verdict or an id."""
    asked = visit.request.query_params
    verdict, part_id = asked.get("verdict", ""), asked.get("part", "").strip()
    known = [one.name for one in visit.desk.table.verdicts]
    chosen = RecordFilter(verdicts=(verdict,) if verdict in known else (), part_id=part_id or None)
    rows = await asyncio.to_thread(listed, visit.desk.records, chosen, LISTED)
    return painted(visit, "parts", rows=rows, verdict=verdict, part_id=part_id, most=LISTED, reason_text=reason_text)


async def show_part(visit: Visit) -> Response:
    """One part."""
    record = await _record(visit)
    subject = InspectionSubject(record["inspection_id"])
    labels = current(await asyncio.to_thread(visit.desk.labels.labels, subject))
    mine = [one for one in labels if one.who == visit.who.name and isinstance(one.region, WholePart)]
    return painted(
        visit, "part", record=record, labels=labels, patches=patches_of(record), overlay=overlay(record),
        suggestion=suggestion(record), reason_text=reason_text, dates=_dates(record), times=_times(record),
        events=await asyncio.to_thread(_events, visit, record), lesson=lesson_of(visit.desk, record, labels),
        may_label=visit.who.role in WHO_LABEL, mine=mine[-1] if mine else None, built_in=BUILT_IN, withdrawn=WITHDRAWN,
        choices=[[one.name, one.label] for one in visit.desk.table.surfaces],
    )  # fmt: skip


async def surface(visit: Visit) -> Response:
    """The picture of one part's surface.

    Raises:
        PageError: There is none.
    """
    record = await _record(visit)
    picture = await asyncio.to_thread(read_surface, record, visit.desk.folder)
    return Response(await asyncio.to_thread(as_png, picture), media_type="image/png", headers=PICTURE_KEPT)


ENTRIES = (
    Entry("/parts", "GET", EVERY_ROLE, show_parts),
    Entry("/parts/{inspection}", "GET", EVERY_ROLE, show_part),
    Entry("/parts/{inspection}/surface.png", "GET", EVERY_ROLE, surface),
)


async def _record(visit: Visit) -> JsonObject:
    """The record that the way names.

    Raises:
        RecordError: There is none.
    """
    return await asyncio.to_thread(visit.desk.records.record, visit.request.path_params["inspection"])


def _dates(record: JsonObject) -> list[tuple[str, str]]:
    """What happened to the part, and when, in order."""
    known = [(record[name], name.removesuffix("_at")) for name in DATES if record[name]]
    return [(name, at) for at, name in sorted(known)]


def _events(visit: Visit, record: JsonObject) -> list[JsonObject]:
    """What happened in the cell while the part was in it. Blocks."""
    dates = [record[name] for name in DATES if record[name]]
    return visit.desk.records.events(min(dates), max(dates), EVENTS)


def _times(record: JsonObject) -> str:
    """The part's deadline ledger as a picture in text; nothing where it was not judged."""
    return "\n".join(line.plain for line in waterfall(record["times_ns"])) if record["times_ns"] else ""
