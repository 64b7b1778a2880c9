"""The cell as it is heard over the control socket, for as many as ask.

    station.socket ── lines ──▶ Follower: sections, each with a number ──▶ every browser what it has not had

A browser that is slow gets the newest of each section and none of those between; nothing queues for it.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import structlog

from station.core.clock import Clock
from station.core.errors import StationError
from station.core.moments import stamp
from station.core.pulse import Pulse
from station.host.control import SILENCE_S, SURFACE, watch

RETRY_S = 1.0
"""Pause before the station is asked again."""
HEAD = frozenset({"kind", "version", "number", "at"})
STATE = "state"
"""The kind of the line that tells all there is."""
PICTURES = f"{SURFACE}."
"""So the names of sections begin that hold pictures."""

log = structlog.get_logger()


class Follower:
    """Listens to the station of a data folder, for ever.

    Args:
        folder: The data folder.
        clock: The date.

    Attributes:
        beats: How often something was heard.
        live: Whether the station is heard now.
        since: Since when it is, or is not; for people, UTC.
        why: Why it is not.
        heard_s: When something was heard last, on the loop's clock; only while it is live.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._sections: dict[str, tuple[int, Any]] = {}
        self._number = 0
        self._pulse = Pulse()
        self.beats = 0
        self.live = False
        self.since = stamp(clock.now())
        self.why = ""
        self.heard_s = 0.0

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with aclosing(watch(self._folder, SILENCE_S, SURFACE)) as lines:
                    async for line in lines:
                        self._hear(line)
            except StationError as error:
                self._lose(error)
            await asyncio.sleep(RETRY_S)

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return when something was heard, or the station was lost, after this call."""
        return self._pulse.changed()

    def after(self, number: int) -> tuple[int, dict[str, Any]]:
        """The sections that are newer than this number, 0 for all; and the number to ask with next."""
        return self._number, {name: value for name, value in self._newer(number) if not name.startswith(PICTURES)}

    def after_with_pictures(self, number: int) -> tuple[int, dict[str, Any]]:
        """The same, and among them what the strips of the part in work show."""
        _, part = self._sections.get("part", (0, None))
        mine = part and part["inspection"]
        return self._number, {
            name: value for name, value in self._newer(number)
            if not name.startswith(PICTURES) or value["inspection"] == mine
        }  # fmt: skip

    def _newer(self, number: int) -> list[tuple[str, Any]]:
        return [(name, value) for name, (changed, value) in self._sections.items() if changed > number]

    def _hear(self, line: dict[str, Any]) -> None:
        if not self.live:
            log.info("station_heard", folder=str(self._folder))
            self.live, self.since, self.why = True, stamp(self._clock.now()), ""
        sections = {name: value for name, value in line.items() if name not in HEAD}
        if line["kind"] == STATE:
            self._sections = {}
        if sections:
            self._number += 1
            self._sections |= {name: (self._number, value) for name, value in sections.items()}
        self.beats += 1
        self.heard_s = asyncio.get_running_loop().time()
        self._pulse.beat()

    def _lose(self, error: StationError) -> None:
        if self.live or self.why != error.fault.text:
            log.warning("station_not_heard", fault=error.code, detail=error.detail)
        if self.live or not self.why:
            self.live, self.since = False, stamp(self._clock.now())
        self.why = error.fault.text
        self._pulse.beat()
