"""The whole API: every way into it, and the document that says so to programs."""

from starlette.responses import JSONResponse, Response

from station.page.api import cell, inspections, labels
from station.page.api.openapi import KIND, document
from station.page.api.way import Way
from station.page.guard import Visit
from station.page.roles import EVERY_ROLE


async def described(visit: Visit) -> Response:
    """What the API is, as OpenAPI has it."""
    return JSONResponse(document(visit.desk.name, WAYS))


WAYS: tuple[Way, ...] = (
    *inspections.WAYS, *labels.WAYS, *cell.WAYS,
    Way("/openapi.json", "GET", EVERY_ROLE, described, "This document.", KIND),
)  # fmt: skip

ENTRIES = tuple(way.entry for way in WAYS)
