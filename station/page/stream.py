"""What browsers are told while they look: server-sent events, the whole state first.

| event | data |
|---|---|
| `state` | every section, none where the station was never heard; whether it is `live`, and how old, `age_ms` |
| `change` | the sections that are others now, each whole |
| `beat` | the station was heard again and nothing is another |
| `lost` | the station is not heard: since when, and why |
| `over` | the person is not signed in any more |

`state`, `change` and `beat` come only from what the station itself has said, so that a browser that has had none of
them for 3 s knows that what it shows is old, wherever on the way it got stuck. Pictures of strips are among the
sections where they are asked for.
Source: HTML standard, server-sent events.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from station.host.follow import Follower

LOOK_S = 1.0
"""So often at least something is sent, so that a connection that is dead is noticed."""
PATIENCE_S = 10.0
"""So long a browser may take nothing."""
ASKED_S = 5.0
"""So often it is asked whether the person is still signed in."""
RETRY = b"retry: 1000\n\n"

StillThere = Callable[[], Awaitable[bool]]
After = Callable[[int], tuple[int, dict[str, Any]]]


class EventStream:
    """The answer to a browser that looks on; what Starlette calls.

    Args:
        follower: The cell.
        still_there: Whether the person is still signed in.
        after: The sections that are newer than a number, as `Follower.after` gives them; None for just that.
    """

    def __init__(self, follower: Follower, still_there: StillThere, after: After | None = None) -> None:
        self._follower = follower
        self._after = after or follower.after
        self._still_there = still_there
        self._number = 0
        self._beats = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser has enough, or the person is not signed in any more."""
        telling = asyncio.create_task(self._tell(send), name="page events")
        leaving = asyncio.create_task(_left(Request(scope, receive)), name="page events' end")
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send(send, RETRY + self._whole())
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        while True:
            await self._something_new()
            if loop.time() - asked_s >= ASKED_S:
                asked_s = loop.time()
                if not await self._still_there():
                    break
            await _send(send, self._news())
        await _send(send, _event("over", {}), more=False)

    async def _something_new(self) -> None:
        heard = self._follower.changed()
        if self._follower.beats != self._beats:
            heard.close()
            return
        try:
            async with asyncio.timeout(LOOK_S):
                await heard
        except TimeoutError:
            return

    def _whole(self) -> bytes:
        self._number, sections = self._after(0)
        self._beats = self._follower.beats
        ago_s = asyncio.get_running_loop().time() - self._follower.heard_s
        told = _event("state", {"sections": sections, "age_ms": round(1e3 * ago_s), **self._standing()})
        return told if self._follower.live else told + _event("lost", self._standing())

    def _news(self) -> bytes:
        """What has come since, in short."""
        follower = self._follower
        if not follower.live:
            return _event("lost", self._standing())
        if follower.beats == self._beats:
            return b":\n\n"
        self._beats = follower.beats
        self._number, sections = self._after(self._number)
        return _event("change", {"sections": sections}) if sections else _event("beat", {})

    def _standing(self) -> dict[str, Any]:
        return {"live": self._follower.live, "since": self._follower.since, "why": self._follower.why}


async def _send(send: Send, told: bytes, *, more: bool = True) -> None:
    """Hand it to the connection.

    Raises:
        TimeoutError: The browser takes nothing.
    """
    async with asyncio.timeout(PATIENCE_S):
        await send({"type": "http.response.body", "body": told, "more_body": more})


async def _left(request: Request) -> None:
    """Return when the browser has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()
