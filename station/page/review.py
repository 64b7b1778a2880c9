"""Review: people say what parts really are, one after the other or several at once, and can take it back.

Only what was shown is labelled: there is no way to mark what nobody has looked at.
"""

import asyncio
from typing import Any

from starlette.responses import JSONResponse, Response

from station.core.errors import PageError
from station.labels.agreement import current
from station.labels.label import BUILT_IN, InspectionSubject
from station.page.findings import overlay, patches_of, reason_text, suggestion
from station.page.forms import json_object
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.queue import Which, queue_of
from station.page.roles import WHO_LABEL
from station.page.said import maybe_line
from station.page.spoken import AT_ONCE, say_of_parts


async def show_review(visit: Visit) -> Response:
    """The screen."""
    choices = [[one.name, one.label] for one in visit.desk.table.surfaces]
    return painted(visit, "review", choices=choices, built_in=BUILT_IN)


async def queue(visit: Visit) -> Response:
    """What waits, of `which`.

    Raises:
        PageError: `page.refused`: there is no such queue.
        RecordError: The records cannot be read.
    """
    desk, asked = visit.desk, visit.request.query_params.get("which", Which.REVIEW)
    if asked not in set(Which):
        raise PageError("page.refused", f"parts wait in {', '.join(Which)}")
    found = await asyncio.to_thread(queue_of, Which(asked), desk.records, desk.labels, desk.table, visit.who.name)
    return JSONResponse(found.plain())


async def one_part(visit: Visit) -> Response:
    """What a person needs to see of one part.

    Raises:
        RecordError: There is none.
    """
    record = await asyncio.to_thread(visit.desk.records.record, visit.request.path_params["inspection"])
    subject = InspectionSubject(record["inspection_id"])
    said = current(await asyncio.to_thread(visit.desk.labels.labels, subject))
    return JSONResponse({
        "inspection_id": record["inspection_id"],
        "part_id": record["part_id"],
        "part_type": record["part_type"],
        "entered_at": record["entered_at"],
        "verdict": record["verdict"],
        "confidence": record["confidence"],
        "reason": record["reason"],
        "why": reason_text(record["reason"]),
        "detail": record["detail"],
        "suggestion": suggestion(record),
        "defect_patches": sum(patch.name != visit.desk.table.passing.name for patch in patches_of(record)),
        "labels": [[label.who, str(label.region), label.class_name] for label in said],
        "drawn": overlay(record),
    })  # fmt: skip


async def label(visit: Visit) -> Response:
    """Say of parts what they are, with a note: all of them, or none; the answer tells what the person said before.

    Raises:
        PageError: `page.refused`: nothing that can be said.
        LabelError: The labels refuse it.
        RecordError: There is no such part.
    """
    sent = await json_object(visit.request)
    wishes, note = _wishes(sent), maybe_line(sent.get("note"))
    before = await asyncio.to_thread(say_of_parts, visit, wishes, note)
    return JSONResponse({"before": before})


ENTRIES = (
    Entry("/review", "GET", WHO_LABEL, show_review),
    Entry("/review/queue", "GET", WHO_LABEL, queue),
    Entry("/review/parts/{inspection}", "GET", WHO_LABEL, one_part),
    Entry("/review/labels", "POST", WHO_LABEL, label),
)


def _wishes(sent: dict[str, Any]) -> dict[str, str]:
    """The class by the inspection.

    Raises:
        PageError: It is not so.
    """
    wishes = sent.get("labels")
    if not isinstance(wishes, dict) or not 1 <= len(wishes) <= AT_ONCE:
        raise PageError("page.refused", f"labels are of 1 to {AT_ONCE} parts at once")
    if not all(isinstance(name, str) for name in wishes.values()):
        raise PageError("page.refused", "a label is the name of a class")
    return wishes
