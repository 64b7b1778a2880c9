"""What the page consists of beside its HTML: its own style and scripts, and the colours of the classes."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.responses import Response

from station.core.errors import PageError
from station.page.guard import Entry, Visit

KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
FRESH = {"cache-control": "no-cache"}
"""A browser asks every time whether what it has is still so."""


async def static(visit: Visit) -> Response:
    """A file of the page.

    Raises:
        PageError: There is none of this name.
    """
    name = visit.request.path_params["name"]
    if name not in _files():
        raise PageError("page.refused", f"the page has no file {name}")
    return _kept(visit, _files()[name], KINDS[name.rpartition(".")[2]])


async def colours(visit: Visit) -> Response:
    """The colour of every verdict, as a style sheet."""
    rules = [f'[data-class="{verdict.name}"]{{--mark:{verdict.colour}}}' for verdict in visit.desk.table.verdicts]
    return _kept(visit, "\n".join(rules).encode(), KINDS["css"])


ENTRIES = (
    Entry("/static/{name}", "GET", None, static, touches=False),
    Entry("/colours.css", "GET", None, colours, touches=False),
)


@cache
def _files() -> dict[str, bytes]:
    """Every file of the page by its name."""
    folder = files("station.page") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in KINDS}


def _kept(visit: Visit, content: bytes, kind: str) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**FRESH, "etag": tag}
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
