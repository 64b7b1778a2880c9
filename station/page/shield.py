"""What holds for every request before anybody looks at it, and for every answer: host, origin, size, headers.

A request under a name that the page does not have is refused, for a browser may have been told a false address for it.
One that may change something must come from the page itself: browsers say where a request is from (`Origin`), and where
one does not say so, nothing is changed. A program that comes with a token of its own is from nowhere: no browser adds
one by itself, nor lets a foreign page add it.
Source: Fetch standard (Origin, Sec-Fetch-Site); Content Security Policy level 3.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from station.page.guard import is_program

SAFE = frozenset({"GET", "HEAD"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with `no-referrer` browsers do not say where a form is from
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), usb=()",
}
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Shield:
    """Stands before the whole page.

    Args:
        page: The page.
        names: Under which it may be asked, beside this computer's own.
    """

    def __init__(self, page: ASGIApp, names: Iterable[str]) -> None:
        self._page = page
        self._names = LOCAL | frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return
        why = self._why_not(scope)
        page = self._page if why is None else PlainTextResponse(why, 403)
        await page(scope, receive, _with_headers(send))

    def _why_not(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = urlsplit(f"//{headers.get('host', '')}")
        if host.hostname not in self._names:
            return "the page is not known by this name; page.names in the configuration names those that it has"
        if scope["method"] in SAFE:
            return None
        if "origin" not in headers and is_program(HTTPConnection(scope)):
            return None
        if headers.get("origin") != f"{scope['scheme']}://{host.netloc}":
            return "this did not come from the page itself"
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "this came from another site"
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
