"""Search: every inspection that there ever was, by any conditions together; a search is a link that can be sent."""

import asyncio

from starlette.responses import Response

from station.core.errors import FAULTS, RecordError
from station.core.sought import FoundPage
from station.labels.agreement import inspections_called
from station.labels.label import BUILT_IN
from station.page.desk import PageDesk
from station.page.findings import reason_text
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.roles import EVERY_ROLE
from station.page.terms import NAMES, SEARCH, Known, Terms, address, read_terms, sought_by

SHOWN = 100
MOST_TEXT = 1000


async def show_search(visit: Visit) -> Response:
    """What was found; nothing where it cannot be read what is asked."""
    written = visit.request.query_params.get("q", "")[:MOST_TEXT]
    before = _number(visit.request.query_params.get("before", ""))
    plant, known = visit.desk.settings.plant, _known(visit.desk)
    terms = read_terms(written, plant.zone, known)
    found = FoundPage((), None) if terms.misread else await asyncio.to_thread(_found, visit.desk, terms, before)
    return painted(
        visit, "search", 422 if terms.misread else 200, terms=terms, written=written, found=found, names=NAMES,
        more=found.before and address(terms, found.before), newest=before is not None and address(terms),
        strange=terms.strange(known), reason_text=reason_text,
    )  # fmt: skip


ENTRIES = (Entry(SEARCH, "GET", EVERY_ROLE, show_search),)


def _known(desk: PageDesk) -> Known:
    """What there is of what is asked by name."""
    table = desk.table
    return {
        "verdict": tuple(verdict.name for verdict in table.verdicts),
        "type": tuple(desk.settings.part_types),
        "reason": tuple(FAULTS),
        "label": (*table.names, *BUILT_IN),
        "class": table.names,
    }


def _found(desk: PageDesk, terms: Terms, before: int | None) -> FoundPage:
    """A page of what is sought; empty where the station has not recorded anything yet. Blocks.

    Raises:
        RecordError: The records cannot be read.
        LabelError: The labels cannot be read.
    """
    labels = desk.labels
    sought = sought_by(terms, desk.settings.plant.zone, lambda name: inspections_called(labels.labels(), name))
    try:
        return desk.records.search(sought, before, SHOWN)
    except RecordError as error:
        if error.code == "record.unknown":
            return FoundPage((), None)
        raise


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None
