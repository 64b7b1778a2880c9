"""The whole page: every way into it, and what stands before all of them."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.types import ASGIApp

from station.page import (
    admitting,
    alarming,
    commanding,
    learning,
    live,
    looks,
    models,
    parts,
    programs,
    review,
    search,
    signing,
    statics,
    system,
)
from station.page.api import ways as api
from station.page.desk import PageDesk
from station.page.guard import Entry, routes
from station.page.metrics import scraping
from station.page.shield import Shield
from station.page.shift import screen as shift

ENTRIES: tuple[Entry, ...] = (
    *signing.ENTRIES, *statics.ENTRIES, *live.ENTRIES, *parts.ENTRIES, *looks.ENTRIES, *review.ENTRIES,
    *learning.ENTRIES, *admitting.ENTRIES, *commanding.ENTRIES, *alarming.ENTRIES, *system.ENTRIES, *search.ENTRIES,
    *shift.ENTRIES, *models.ENTRIES, *programs.ENTRIES, *api.ENTRIES, *scraping.ENTRIES,
)  # fmt: skip
"""Every way in; there is no other."""


def application(desk: PageDesk, names: Iterable[str]) -> ASGIApp:
    """The page.

    Args:
        desk: What its answers are made from.
        names: Under which it may be asked, beside this computer's own.
    """
    return Shield(Starlette(routes=routes(ENTRIES, desk)), names)
