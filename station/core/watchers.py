"""Whoever watches the cell: any number of them, none of whom can do harm.

    event loop ── tell ──▶ queue ──▶ thread ──▶ a screen
                     └───▶ queue ──▶ thread ──▶ the recorder

Each watcher is called on a thread of its own, in order. The event loop never waits for one: what a watcher cannot keep
up with is dropped for it alone. The pixels of a scan are the camera's memory, of which there is little; who wants them
gets a copy, so that an event can be held for as long as somebody likes and no turn lacks the memory.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Self

import structlog

from station.core.broadcast import name_of
from station.core.events import CellEvent, ScanJudged, StripSeen, Watcher

log = structlog.get_logger()

Kind = type[CellEvent]
"""A kind of event."""

EVENTS_WAITING = 10_000
"""So many events may wait for a watcher: those of some five hundred parts."""

SCANS_WAITING = 16
"""So many of them may hold pixels, a scan's of 15 MB at the most."""

WITH_PIXELS = (ScanJudged, StripSeen)
"""What is told only to those who name it."""

PATIENCE_S = 2.0
"""How long the end waits for a watcher, for all of them at the same time."""


class Watchers:
    """All who watch; an asynchronous context manager, used from one event loop but for the watchers themselves.

    On leaving it everybody has had what was told, as far as he keeps up.
    """

    def __init__(self) -> None:
        self._seats: list[_Seat] = []

    async def __aenter__(self) -> Self:
        """Nothing yet: who was added before hears from the first event on."""
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Tell of nothing more, and wait for a moment for those who are behind."""
        await self.close()

    def add(self, watcher: Watcher, *kinds: Kind, when: Callable[[], bool] = lambda: True) -> Callable[[], None]:
        """Have somebody told of every event from now on.

        Args:
            watcher: Called on a thread of its own; it may block, and one that raises is dropped.
            kinds: What it is told of. Where none is named, everything but what holds pixels, which have to be copied.
            when: Whether it wants anything now; asked from the event loop.

        Returns:
            Has it told of nothing more; what it was told before, it still gets.
        """
        seat = _Seat(watcher, kinds, when)
        self._seats.append(seat)

        def remove() -> None:
            seat.end()
            if seat in self._seats:
                self._seats.remove(seat)

        return remove

    def tell(self, event: CellEvent) -> None:
        """Tell everybody who wants to know; returns at once, after a copy where the event holds pixels."""
        self._seats = [seat for seat in self._seats if seat.taken]
        told = [seat for seat in self._seats if seat.wants(event) and seat.has_room_for(event)]
        if told and isinstance(event, WITH_PIXELS):
            event = _with_own_pixels(event)
        for seat in told:
            seat.tell(event)

    async def close(self) -> None:
        """Tell of nothing more, and wait for a moment until everybody has had what waits for him."""
        seats, self._seats = self._seats, []
        for seat in seats:
            seat.end()
        await asyncio.to_thread(_await_ends, seats, PATIENCE_S)


class _Seat:
    """One watcher, its thread, and the events that wait for it."""

    def __init__(self, watcher: Watcher, kinds: tuple[Kind, ...], when: Callable[[], bool]) -> None:
        self._watcher = watcher
        self._kinds = kinds
        self._when = when
        self._waiting: SimpleQueue[CellEvent | None] = SimpleQueue()
        self._room_for_scans = threading.BoundedSemaphore(SCANS_WAITING)
        self._dropped = 0
        self.taken = True
        self._thread = threading.Thread(target=self._run, name=f"watcher {name_of(watcher)}", daemon=True)
        self._thread.start()

    def wants(self, event: CellEvent) -> bool:
        """Whether this watcher is told of such events now."""
        named = isinstance(event, self._kinds) if self._kinds else not isinstance(event, WITH_PIXELS)
        return named and self._when()

    def has_room_for(self, event: CellEvent) -> bool:
        """Take room for an event that is told next, or count it as dropped; never blocks."""
        full = self._waiting.qsize() >= EVENTS_WAITING
        room = not full and (not isinstance(event, WITH_PIXELS) or self._room_for_scans.acquire(blocking=False))
        if not room:
            self._drop()
        return room

    def tell(self, event: CellEvent) -> None:
        """Have the watcher told after what waits for it; room was taken for it."""
        self._waiting.put(event)

    def end(self) -> None:
        """Nothing more comes; harmless when that was said."""
        self._waiting.put(None)

    def await_end(self, patience_s: float) -> None:
        """Return when the watcher has had everything, or time is over; blocks. What it has not had is told."""
        self._thread.join(patience_s)
        left = self._waiting.qsize() if self._thread.is_alive() else 0
        if left or self._dropped:
            log.warning("watcher_behind", watcher=name_of(self._watcher), dropped=self._dropped + left)

    def _drop(self) -> None:
        if not self._dropped:
            log.warning("watcher_behind", watcher=name_of(self._watcher), waiting=self._waiting.qsize())
        self._dropped += 1

    def _run(self) -> None:
        try:
            while (event := self._waiting.get()) is not None:
                self._watcher(event)
                if isinstance(event, WITH_PIXELS):
                    self._room_for_scans.release()
        except Exception:  # whatever it is, nobody depends on a watcher
            log.exception("watcher_dropped", watcher=name_of(self._watcher))
        finally:
            self.taken = False


def _await_ends(seats: Sequence[_Seat], patience_s: float) -> None:
    """Return when every watcher has had everything, or time is over for all of them; blocks."""
    until_s = time.monotonic() + patience_s
    for seat in seats:
        seat.await_end(max(0.0, until_s - time.monotonic()))


def _with_own_pixels(event: ScanJudged | StripSeen) -> ScanJudged | StripSeen:
    """The same in memory of its own: a scan takes some milliseconds, after its decision is with the line PLC."""
    if isinstance(event, StripSeen):
        return replace(event, pixels=event.pixels.copy())
    blocks = tuple(replace(block, pixels=block.pixels.copy()) for block in event.judgement.blocks)
    return replace(event, judgement=replace(event.judgement, blocks=blocks))
