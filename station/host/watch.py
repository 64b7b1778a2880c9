"""What the control socket tells those who watch the cell: its whole state as a line, then a line a change.

    events ──▶ the watchers' thread: CellPicture ─▶ a line ──▶ event loop ┬▶ seat: 256 lines at most ─▶ its socket
    strips ──▶ another: a small picture ─▶ a line ──────────────▶ ″       └▶ …

Nobody who watches can hold the cell: a seat that is full, or whose reader takes nothing, is given up. What the lines
say, and how one who reads them tells that they are of now, is told in `station/host/watch.md`.
"""

import asyncio
import json
from collections.abc import Iterable
from threading import Lock

import structlog

from station.core.clock import Clock
from station.core.events import CellEvent, PartEntered, StripSeen
from station.core.moments import stamp
from station.core.pulse import first_of
from station.core.verdicts import Place
from station.core.watchers import Watchers
from station.host.control import REFUSED, SURFACE, VERSION
from station.view.picture import CellPicture, Sections
from station.view.surface import picture_of

BEAT_S = 1.0
"""No longer is nothing said."""
WATCHERS = 8
"""So many at a time; one more is told so and hung up on."""
LINES_WAITING = 256
"""So many may wait for a reader."""
PATIENCE_S = 5.0
"""So long a reader may take nothing."""

log = structlog.get_logger()


class Watch:
    """The cell as those see it who watch over the control socket.

    Args:
        name: Of the station.
        places: Where parts may go.
        clock: The date.
        beat_s: How long nothing may be said.
    """

    def __init__(self, name: str, places: Iterable[Place], clock: Clock, beat_s: float = BEAT_S) -> None:
        self._name = name
        self._clock = clock
        self._beat_s = beat_s
        self._lock = Lock()
        self._picture = CellPicture(places, clock.now())
        self._surface: Sections = {}
        self._number = 0
        self._seats: set[_Seat] = set()
        self._onlookers = 0

    def join(self, watchers: Watchers) -> None:
        """Be told of everything, and of the pixels of strips while there is somebody who wants to see them."""
        watchers.add(self.take)
        watchers.add(self.show, StripSeen, when=lambda: self._onlookers > 0)

    def take(self, event: CellEvent) -> None:
        """Tell all who watch what has changed; returns at once, on whatever thread it is called."""
        with self._lock:
            if isinstance(event, PartEntered):
                self._surface = {}
            changed = self._picture.take(event, self._clock.now())
            if not changed:
                return
            self._number += 1
            if self._seats:
                line = self._line("change", changed)
                for seat in self._seats:
                    seat.hand_over(line)

    def show(self, event: CellEvent) -> None:
        """Tell those who want to see it what a strip shows; blocks while its picture is made, on whatever thread."""
        if not isinstance(event, StripSeen):
            return
        seen = {f"{SURFACE}.{event.index}": picture_of(event)}
        with self._lock:
            self._surface |= seen
            line = self._line("seen", seen)
            for seat in self._seats:
                if seat.looks_on:
                    seat.hand_over(line)

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *more: str) -> None:
        """Tell one who watches everything, from the whole state on, until either of both has enough.

        Args:
            reader: What comes from there, which is of no interest but for its end.
            writer: Where it is told.
            more: What is told beside what everybody is: `surface`.

        Raises:
            OSError: The connection broke before anything was told.
        """
        seat = self._seated(more)
        if seat is None:
            writer.write(self._line(REFUSED, {"reason": f"{WATCHERS} watch already"}))
            await writer.drain()
            return
        try:
            await first_of(self._talk(seat, writer), _hung_up(reader), seat.given_up())
        finally:
            with self._lock:
                self._seats.discard(seat)
                self._onlookers -= seat.looks_on
        if seat.lost:
            log.warning("watcher_cut_off", detail="it does not read what it is told")

    def _seated(self, more: tuple[str, ...]) -> "_Seat | None":
        """A new seat, to which the whole state is told first and then every change of it; None where there is none."""
        with self._lock:
            if len(self._seats) >= WATCHERS:
                return None
            seat = _Seat(asyncio.get_running_loop(), more)
            seen = self._surface if seat.looks_on else {}
            seat.take(self._line("state", {"station": self._name, **self._picture.full, **seen}))
            self._seats.add(seat)
            self._onlookers += seat.looks_on
            return seat

    async def _talk(self, seat: "_Seat", writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(self._beat_s):
                    line = await seat.next()
            except TimeoutError:
                line = self._line("beat", {})
            writer.write(line)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await writer.drain()
            except TimeoutError:
                seat.give_up()
                return

    def _line(self, kind: str, sections: Sections) -> bytes:
        head = {"kind": kind, "version": VERSION, "number": self._number, "at": stamp(self._clock.now())}
        return json.dumps({**head, **sections}, allow_nan=False).encode() + b"\n"


class _Seat:
    """One who watches, and the lines that wait for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, more: tuple[str, ...]) -> None:
        self._loop = loop
        self.looks_on = SURFACE in more
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(LINES_WAITING)
        self._lost = asyncio.Event()

    @property
    def lost(self) -> bool:
        """Whether it is given up."""
        return self._lost.is_set()

    def hand_over(self, line: bytes) -> None:
        """Have a line told after those before it; from any thread."""
        self._loop.call_soon_threadsafe(self.take, line)

    def take(self, line: bytes) -> None:
        """Have a line told after those before it; a seat without room is given up, for its picture would be wrong."""
        try:
            self._lines.put_nowait(line)
        except asyncio.QueueFull:
            self.give_up()

    async def next(self) -> bytes:
        """The next line."""
        return await self._lines.get()

    def give_up(self) -> None:
        """Its reader does not keep up."""
        self._lost.set()

    async def given_up(self) -> None:
        """Return when it is given up."""
        await self._lost.wait()


async def _hung_up(reader: asyncio.StreamReader) -> None:
    """Return when the other end is gone, or says anything more, which is none of its business."""
    await reader.read(1)
