"""What the broker has still to be told: the station's own records are the outbox, the book says how far it is known.

    records ── ended after the last part ──▶ published ──▶ the broker has answered since ──▶ written in the book

A publication of quality 0 is never acknowledged. What was published before something that the broker has answered is
known to have arrived, for a broker reads a connection in order; until then it is told again after a broken connection.
So a part may come twice, with the same inspection id, and none is missing, however long the broker, this process or the
whole computer was away.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from station.cell.packml import State
from station.core.errors import RecordError
from station.core.ports.records import RecordReader
from station.core.records import JsonObject, LastTold
from station.plant.cell_values import STATE, STATE_NUMBER, milliseconds
from station.plant.sparkplug.book import Book, Page
from station.plant.sparkplug.payload import DataType, Metric

AT_ONCE = 200
"""So many parts are read from the records at a time."""
EVENTS = 2000
NO_RECORDS = "record.unknown"


class Outbox:
    """What is still to be told; used from one event loop.

    Args:
        records: The station's; only read.
        folder: The data folder, with the book.
    """

    def __init__(self, records: RecordReader, folder: Path) -> None:
        self._records = records
        self._book = Book(folder)
        self._page = Page()
        self._sent = LastTold(0, "", "")
        self._states_until = ""

    async def begin(self, now: str) -> int:
        """A connection begins: its bdSeq. What was published and not known to have arrived is waiting again.

        Before the first connection the records are not told from their beginning: what ends from now on is.

        Raises:
            PlantError: The book cannot be read or written.
            RecordError: The records cannot be read.
        """
        page = (await asyncio.to_thread(self._book.read)).born()
        self._sent = page.part or await self._first(now)
        self._states_until = page.states_until or now
        self._page = replace(page, part=self._sent, states_until=self._states_until)
        await asyncio.to_thread(self._book.write, self._page)
        return self._page.bd_seq

    async def _first(self, now: str) -> LastTold:
        """After which part it is told for the first time."""
        newest = await self._ended(None)
        return LastTold.of(newest[-1]) if newest else LastTold(0, "", now)

    async def newest(self) -> JsonObject | None:
        """The part that ended last, or None before the first.

        Raises:
            RecordError: The records cannot be read.
        """
        found = await self._ended(None)
        return found[-1] if found else None

    async def parts(self) -> list[JsonObject]:
        """The next parts that ended, oldest first; nothing where none is waiting.

        Raises:
            RecordError: The records cannot be read.
        """
        return await self._ended(self._sent)

    def sent(self, part: JsonObject) -> None:
        """This part was published."""
        self._sent = LastTold.of(part)

    def told_states(self, until: str) -> None:
        """Every change of state until this moment was published."""
        self._states_until = until

    async def states(self, until: str) -> list[tuple[Metric, ...]]:
        """The changes of state that nobody was told of, until this moment, oldest first.

        Raises:
            RecordError: The records cannot be read.
        """
        return await asyncio.to_thread(self._read_states, until)

    async def confirm(self, sent: LastTold, states_until: str) -> None:
        """The broker is known to have had this: it is written in the book, where that is news.

        Raises:
            PlantError: The book cannot be written.
        """
        page = replace(self._page, part=sent, states_until=states_until)
        if page != self._page:
            await asyncio.to_thread(self._book.write, page)
            self._page = page

    @property
    def published(self) -> tuple[LastTold, str]:
        """How far it is published: what `confirm` is to be told when the broker has answered since."""
        return self._sent, self._states_until

    async def _ended(self, after: LastTold | None) -> list[JsonObject]:
        try:
            return await asyncio.to_thread(self._records.ended, after, AT_ONCE)
        except RecordError as error:
            if error.code == NO_RECORDS:  # no station was here yet
                return []
            raise

    def _read_states(self, until: str) -> list[tuple[Metric, ...]]:
        since = self._states_until
        found: list[JsonObject] = []
        while True:
            try:
                events = self._records.events(since, until, EVENTS)
            except RecordError as error:
                if error.code == NO_RECORDS:
                    return []
                raise
            found += [event for event in events if event not in found[-EVENTS:]]
            if len(events) < EVENTS or events[-1]["at"] == since:
                return list(_changes(found))
            since = events[-1]["at"]


def _changes(events: list[JsonObject]) -> Iterator[tuple[Metric, ...]]:
    for event in events:
        words = event["detail"].split()
        if event["event"] == "state_changed" and len(words) > 1 and words[1] in State.__members__:
            at_ms = milliseconds(event["at"])
            yield (
                Metric(STATE, DataType.STRING, words[1], at_ms, historical=True),
                Metric(STATE_NUMBER, DataType.INT32, int(State[words[1]]), at_ms, historical=True),
            )
