"""Labels, for programs: what was said of an inspection, and saying more. A program says it under its own name."""

import asyncio

from starlette.responses import Response

from station.labels.label import InspectionSubject
from station.labels.plain import plain
from station.page.api.shapes import Labels, LabelsAsked, LabelsSaid, SaidBefore
from station.page.api.way import Way, asked, given, shaped
from station.page.forms import json_object
from station.page.guard import Visit
from station.page.roles import EVERY_ROLE, WHO_LABEL
from station.page.spoken import say_of_parts


async def show_labels(visit: Visit) -> Response:
    """Everything that was ever said of one inspection.

    Raises:
        RecordError: There is none.
    """
    wanted = asked(LabelsAsked, visit.request)
    record = await asyncio.to_thread(visit.desk.records.record, wanted.inspection)
    said = await asyncio.to_thread(visit.desk.labels.labels, InspectionSubject(record["inspection_id"]))
    return given(Labels(labels=[plain(one) for one in said]))


async def add_labels(visit: Visit) -> Response:
    """Say of parts what they are: all of them, or none.

    Raises:
        PageError: `page.refused`: nothing that can be said.
        LabelError: The labels refuse it.
        RecordError: There is no such part.
    """
    said = shaped(LabelsSaid, await json_object(visit.request))
    before = await asyncio.to_thread(say_of_parts, visit, said.labels)
    return given(SaidBefore(before=before))


WAYS = (
    Way("/labels", "GET", EVERY_ROLE, show_labels, "What was said of one inspection.", Labels, asked=LabelsAsked),
    Way("/labels", "POST", WHO_LABEL, add_labels, "Say what parts really are.", SaidBefore, body=LabelsSaid),
)
