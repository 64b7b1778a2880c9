"""Waiting for the next change of something, without missing one between the call and its await."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Pulse:
    """Wakes everybody who waits, at every change; used from one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        """Wake whoever has asked for a change before now."""
        self._event.set()
        self._event = asyncio.Event()

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change after this call, however late it is awaited."""
        return _set(self._event)


async def first_of(*waits: Coroutine[Any, Any, None]) -> None:
    """Return when the first of these waits is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
