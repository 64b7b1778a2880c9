"""Models: which network judges each part type, which wait, and who decided so; an engineer lets in and goes back.

What is decided here is decided as on the command line, and is used from the station's next start on. A bundle is let in
only by a report of the gate against the one that is promoted now.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.responses import RedirectResponse, Response

from station.core.errors import PageError, StationError
from station.host.bundles import find_shelf
from station.host.promoting import Decided, Released, go_back, let_in
from station.page.audit import Deed, What
from station.page.bundles import models_of, sheet
from station.page.desk import PageDesk
from station.page.forms import form
from station.page.guard import STATUS, Entry, Visit
from station.page.paint import painted
from station.page.promised import promised
from station.page.roles import EVERY_ROLE, WHO_RELEASE
from station.page.waiting import waiting_one

MODELS = "/models"
MOST_REASON = 500

Fields = dict[str, str]


async def show_models(visit: Visit) -> Response:
    """All networks.

    Raises:
        ModelError: The history of promotions cannot be used.
    """
    return await _shown(visit, "", 200)


async def show_sheet(visit: Visit) -> Response:
    """One network: its card, and what the gate said of it.

    Raises:
        PageError: `page.no_such_model`.
    """
    found = await asyncio.to_thread(sheet, visit.desk, visit.request.path_params["sha256"])
    return painted(visit, "model", found=found)


async def promote(visit: Visit) -> Response:
    """Let in a network that waits."""
    return await _decided(visit, "model_promoted", _promote)


async def roll_back(visit: Visit) -> Response:
    """Go back to a network that was used before."""
    return await _decided(visit, "model_rolled_back", _roll_back)


ENTRIES = (
    Entry(MODELS, "GET", EVERY_ROLE, show_models),
    Entry(f"{MODELS}/promote", "POST", WHO_RELEASE, promote),
    Entry(f"{MODELS}/rollback", "POST", WHO_RELEASE, roll_back),
    Entry(f"{MODELS}/{{sha256}}", "GET", EVERY_ROLE, show_sheet),
)


def _promote(desk: PageDesk, sent: Fields, decided: Decided) -> Released:
    one = waiting_one(desk, sent.get("sha256", ""))
    return let_in(desk.settings, desk.folder, one.folder, None, decided)


def _roll_back(desk: PageDesk, sent: Fields, decided: Decided) -> Released:
    return go_back(desk.settings, desk.folder, sent.get("sha256") or None, decided)


async def _decided(visit: Visit, what: What, decide: Callable[[PageDesk, Fields, Decided], Released]) -> Response:
    """Have it decided and written down, and show what came of it; or why it was not.

    Raises:
        StationError: It is not the asker's to do something about.
    """
    sent = await form(visit.request)
    try:
        await asyncio.to_thread(_decide, visit, what, partial(decide, visit.desk, sent), sent)
    except StationError as error:
        if error.code not in STATUS:
            raise
        return await _shown(visit, str(error), STATUS[error.code])
    return RedirectResponse(MODELS, 303)


def _decide(visit: Visit, what: What, decide: Callable[[Decided], Released], sent: Fields) -> None:
    """Decide, unless it would be on something else than the person has seen. Blocks.

    Raises:
        PageError: `page.refused` without a reason; `page.model_changed`.
        ModelError: The shelf refuses it.
    """
    reason = " ".join(sent.get("reason", "").split())
    if not 1 <= len(reason) <= MOST_REASON:
        raise PageError("page.refused", f"say why, in 1 to {MOST_REASON} characters")
    present = find_shelf(visit.desk.settings, visit.desk.folder).active()
    if present.sha256 != sent.get("present"):
        raise PageError("page.model_changed", f"{present.name} {present.sha256[:12]} is promoted now")
    entry = decide(Decided(reason, f"{visit.who.name} (page)")).entry
    told = f"{entry.bundle} {entry.sha256[:12]} in place of {entry.replaces} {entry.replaces_sha256[:12]}: {reason}"
    visit.desk.doors.audit.write(Deed(visit.who.name, visit.address, what, told))


async def _shown(visit: Visit, why: str, status: int) -> Response:
    found = await asyncio.to_thread(models_of, visit.desk)
    stands = await asyncio.to_thread(promised, visit.desk)
    return painted(
        visit, "models", status, found=found, promised=stands, why=why, may_decide=visit.who.role in WHO_RELEASE
    )
