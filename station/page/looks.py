"""One part, closer: the scan as the camera gave it, tile by tile, and why the network says what it says of it."""

import asyncio

from starlette.responses import JSONResponse, Response

from station.core.errors import ModelError, PageError
from station.core.records import JsonObject
from station.page.bundles import bundle_of
from station.page.findings import looked_at
from station.page.grounds import Seen
from station.page.guard import Entry, Visit
from station.page.roles import EVERY_ROLE
from station.page.surface import PICTURE_KEPT, TILE_PX, as_png, read_whole, tile_of

PNG = "image/png"


async def show_scan(visit: Visit) -> Response:
    """How large the archived scan is, and its tiles, the turn from left to right.

    Raises:
        PageError: There is none.
        RecordError: There is no such part.
    """
    scan = await asyncio.to_thread(read_whole, await _record(visit), visit.desk.folder)
    return JSONResponse({"width": scan.shape[0], "height": scan.shape[1], "tile": TILE_PX})


async def show_tile(visit: Visit) -> Response:
    """One tile of it.

    Raises:
        PageError: There is none.
        RecordError: There is no such part.
    """
    row, column = (_number(visit, name) for name in ("row", "column"))
    scan = await asyncio.to_thread(read_whole, await _record(visit), visit.desk.folder)
    tile = tile_of(scan, row, column)
    return Response(await asyncio.to_thread(as_png, tile), media_type=PNG, headers=PICTURE_KEPT)


async def show_grounds(visit: Visit) -> Response:
    """What the network that judged the part shows of it: the patch, its class, and the classes of what is most like it.

    Raises:
        PageError: `page.no_grounds`: it cannot look; `page.refused`: too many wait.
        RecordError: There is no such part.
    """
    seen = await _seen(visit)
    return JSONResponse({"patch": seen.patch, "class": seen.surface, "like": seen.classes})


async def show_ground(visit: Visit) -> Response:
    """A picture of it: 0 is the patch with the evidence, 1 and so on what of the training is most like it.

    Raises:
        PageError: As for `show_grounds`; or there is none of this number.
    """
    number, seen = _number(visit, "number"), await _seen(visit)
    if number >= len(seen.pictures):
        raise PageError("page.refused", f"there are {len(seen.pictures)} pictures")
    return Response(seen.pictures[number], media_type=PNG, headers=PICTURE_KEPT)


ENTRIES = (
    Entry("/parts/{inspection}/scan", "GET", EVERY_ROLE, show_scan),
    Entry("/parts/{inspection}/scan/{row}/{column}.png", "GET", EVERY_ROLE, show_tile),
    Entry("/parts/{inspection}/grounds", "GET", EVERY_ROLE, show_grounds),
    Entry("/parts/{inspection}/grounds/{number}.png", "GET", EVERY_ROLE, show_ground),
)


async def _record(visit: Visit) -> JsonObject:
    return await asyncio.to_thread(visit.desk.records.record, visit.request.path_params["inspection"])


async def _seen(visit: Visit) -> Seen:
    record = await _record(visit)
    patch = looked_at(record)
    if patch is None:
        raise PageError("page.no_grounds", "no network judged it")
    try:
        bundle = await asyncio.to_thread(bundle_of, visit.desk, record["model_sha256"])
    except (PageError, ModelError) as error:
        raise PageError("page.no_grounds", f"what judged it cannot be had any more: {error.detail}") from error
    return await visit.desk.grounds.of(record, bundle.folder, patch.index, patch.name)


def _number(visit: Visit, name: str) -> int:
    """A number that the way names.

    Raises:
        PageError: `page.refused`: it is none.
    """
    text: str = visit.request.path_params[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise PageError("page.refused", f"{text} is no {name}")
    return int(text)
