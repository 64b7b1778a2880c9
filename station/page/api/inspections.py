"""Inspections and their scans, for programs."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from station.core.errors import ConfigError, PageError
from station.core.records import ListedRecord, RecordFilter
from station.page.api.shapes import Inspection, InspectionPage, InspectionRow, InspectionsAsked, Patch
from station.page.api.way import Way, asked, given
from station.page.findings import listed, patches_of
from station.page.guard import Visit
from station.page.roles import EVERY_ROLE
from station.page.surface import SCAN_KIND, read_scan

PIECE = 256 * 1024
"""So many bytes are handed over at a time, so that a slow reader is told from one that does not read."""
KEPT = "private, max-age=86400, immutable"


async def list_inspections(visit: Visit) -> Response:
    """A piece of the list.

    Raises:
        PageError: `page.refused`: something is asked that cannot be answered.
        RecordError: The records cannot be read, or there is no inspection to go on after.
    """
    wanted = asked(InspectionsAsked, visit.request)
    records = visit.desk.records
    before = wanted.before
    if before:
        before = (await asyncio.to_thread(records.record, before))["inspection_id"]
    try:
        chosen = RecordFilter.parse(wanted.since, wanted.until, wanted.verdict, wanted.part)
        found = await asyncio.to_thread(listed, records, _before(chosen, before), wanted.limit + 1)
    except ConfigError as error:
        raise PageError("page.refused", error.detail) from error
    rows = [_row(one) for one in found[: wanted.limit]]
    return given(InspectionPage(inspections=rows, next=rows[-1].inspection_id if len(found) > wanted.limit else None))


async def one_inspection(visit: Visit) -> Response:
    """Everything that is recorded of one inspection.

    Raises:
        RecordError: There is none.
    """
    record = await asyncio.to_thread(visit.desk.records.record, visit.request.path_params["inspection"])
    patches = [Patch(index=one.index, name=one.name, probability=one.probability) for one in patches_of(record)]
    return given(Inspection(record=record, patches=patches))


async def scan(visit: Visit) -> Response:
    """The file of a scan, by the hash of its content alone; where it lies is the records' to say.

    Raises:
        RecordError: There is none.
        PageError: `page.refused`: it cannot be read, or is not the one that was archived.
    """
    sha256 = visit.request.path_params["sha256"]
    file = await asyncio.to_thread(visit.desk.records.scan, sha256)
    content = await asyncio.to_thread(read_scan, visit.desk.folder, file, sha256)
    headers = {"cache-control": KEPT, "etag": f'"{sha256}"', "content-length": str(len(content))}
    return StreamingResponse(_pieces(content), media_type=SCAN_KIND, headers=headers)


WAYS = (
    Way(
        "/inspections", "GET", EVERY_ROLE, list_inspections, "Inspections, the newest first.", InspectionPage,
        asked=InspectionsAsked,
    ),
    Way(
        "/inspections/{inspection}", "GET", EVERY_ROLE, one_inspection,
        "One inspection with its patches and defects, by its id or a beginning that only one has.", Inspection,
    ),
    Way(
        "/scans/{sha256}", "GET", EVERY_ROLE, scan, "The file of a scan as it was archived, by its hash.", SCAN_KIND,
    ),
)  # fmt: skip


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(content), PIECE):
        yield content[first : first + PIECE]


def _before(chosen: RecordFilter, inspection: str | None) -> RecordFilter:
    return RecordFilter(chosen.since, chosen.until, chosen.verdicts, chosen.part_id, inspection)


def _row(one: ListedRecord) -> InspectionRow:
    return InspectionRow.model_validate(one._asdict())
