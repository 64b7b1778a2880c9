"""What the page consists of beside its HTML: its own style, with the colours of the classes in it, and its scripts.

All of it lies below a version, which is a hash of all of it: a browser keeps what it has for good, and asks for nothing
anew but the HTML, which names another version as soon as anything is another.
"""

import hashlib
import re
from functools import cache, lru_cache
from importlib.resources import files

from starlette.responses import Response

from station.core.errors import PageError
from station.core.verdicts import Classes
from station.page.guard import Entry, Visit

FOLDER = "/static"
KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
STYLE = "page.css"
IMPORTED = re.compile(r'^import (?:.* from )?"\./([\w-]+\.js)";$', re.MULTILINE)
FRESH = {"cache-control": "no-cache"}
"""A browser that asks for another version, which it should not have any more, asks every time."""
FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}


async def static(visit: Visit) -> Response:
    """A file of the page.

    Raises:
        PageError: There is none of this name.
    """
    asked, table = visit.request.path_params, visit.desk.table
    name = asked["name"]
    known = _contents(_colours(table))
    if name not in known:
        raise PageError("page.refused", f"the page has no file {name}")
    kept = FOR_GOOD if asked["version"] == _version(_colours(table)) else FRESH
    return _kept(visit, known[name], KINDS[name.rpartition(".")[2]], kept)


ENTRIES = (Entry(f"{FOLDER}/{{version}}/{{name}}", "GET", None, static, touches=False),)


def assets_of(table: Classes) -> str:
    """Below which path the files lie."""
    return f"{FOLDER}/{_version(_colours(table))}"


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """The scripts that a script needs, and those that these need; a browser is told all of them at once."""
    found: list[str] = []
    ahead = [script]
    while ahead:
        named = IMPORTED.findall(_files()[ahead.pop()].decode())
        new = [one for one in named if one not in found]
        found += new
        ahead += new
    return tuple(found)


@cache
def _files() -> dict[str, bytes]:
    """Every file of the page by its name, as it lies in the package."""
    folder = files("station.page") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in KINDS}


def _colours(table: Classes) -> str:
    """The colour of every verdict, as style."""
    return "\n".join(f'[data-class="{verdict.name}"]{{--mark:{verdict.colour}}}' for verdict in table.verdicts)


@lru_cache(maxsize=4)
def _contents(colours: str) -> dict[str, bytes]:
    """Every file as a browser gets it."""
    return {**_files(), STYLE: _files()[STYLE] + colours.encode()}


@lru_cache(maxsize=4)
def _version(colours: str) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(_contents(colours).items()):
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def _kept(visit: Visit, content: bytes, kind: str, kept: dict[str, str]) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**kept, "etag": tag}
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
