"""Cells with records, and the replication that takes them into a plant's database."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config import bundled
from station.core.clock import SystemClock
from station.core.settings import Settings, parse_settings
from station.host.records import feed_records
from station.plant.central.book import Book
from station.plant.central.connection import connect
from station.plant.central.scans import ScanStore
from station.plant.central.schema import migrate
from station.plant.central.sending import Sending
from station.plant.central.serving import Pace, Replication, cell_name, replicate_once
from station.plant.central.verifying import Verifying
from tests.housings import Verdict
from tests.plant.postgres import OWNER, Postgres
from tests.plants import LEFT, RIGHT, TYPE, scan
from tests.record_samples import TABLE, HandClock, Roi, blocks_of, decision, judgement, open_ledger, part

USER = "station"
QUICK = Pace(look_s=0.02, retry_s=0.05, answer_s=60.0, book_s=0.0, longest_retry_s=0.2)
PLACE = {place.name: place for place in TABLE.places}


def configured(port: int, database: str, user: str = USER, **central: Any) -> Settings:
    """The simulated cell's configuration with this database."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["central"] = {"port": port, "database": database, "user": user, **central}
    return parse_settings(document, "test")


def prepared(server: Postgres, database: str, **central: Any) -> Settings:
    """A database with its tables, and the configuration of a cell that may replicate there."""
    server.make_database(database)
    settings = configured(server.port, database, OWNER)
    with connect(settings.central) as connection:
        migrate(connection, USER)
    return configured(server.port, database, **central)


async def inspect(
    folder: Path, parts: Mapping[str, Verdict] | Sequence[str], clock: HandClock | None = None, **settings: Any
) -> dict[str, str]:
    """Have a cell inspect parts, which are sorted; the ids of the inspections by those of the parts."""
    verdicts = parts if isinstance(parts, Mapping) else dict.fromkeys(parts, Verdict.DEFECT_FREE)
    ids = {}
    clock = clock or HandClock()
    ledger = await open_ledger(folder, clock, **settings)
    for number, (name, verdict) in enumerate(verdicts.items(), 1):
        inspection = await ledger.enter(part(name, number), TYPE)
        blocks = blocks_of(scan(number)) if settings.get("archive") else ()
        await ledger.judged(inspection, judgement(decision(verdict), blocks, Roi(LEFT, RIGHT)))
        await ledger.sorted(inspection, PLACE["bin_pits"])
        ids[name] = inspection.inspection_id
        clock.advance(seconds=10)
    await ledger.close()
    return ids


async def note(folder: Path, clock: HandClock, *details: str) -> None:
    """Have a cell write changes of its state, ten seconds apart."""
    ledger = await open_ledger(folder, clock)
    for detail in details:
        await ledger.note("state_changed", detail)
        clock.advance(seconds=10)
    await ledger.close()


async def caught_up(settings: Settings, folder: Path, *, take_over: bool = False) -> int:
    """Replicate what waits; how much that was."""
    return await replicate_once(settings, folder, SystemClock(), lambda _line: None, take_over=take_over)


def verifying(
    connection: psycopg.Connection, settings: Settings, folder: Path, store: ScanStore | None = None
) -> Verifying:
    """What compares a cell's records with what the plant has of them."""
    feed, page = feed_records(settings, folder), Book(folder).read()
    assert page is not None
    sending = Sending(connection, cell_name(settings), feed, folder, page.station_id)
    sending.find()
    return Verifying(connection, cell_name(settings), feed, folder, sending, store)


class Replicating:
    """A replication that runs, and what it says."""

    def __init__(self, settings: Settings, folder: Path, pace: Pace = QUICK) -> None:
        self.said: list[str] = []
        self._more = asyncio.Event()
        self._ended = asyncio.Event()
        self._work = Replication(settings, folder, SystemClock(), self._say, self._ended, False, pace)

    def _say(self, line: str) -> None:
        self.said.append(line)
        self._more.set()

    async def hears(self, words: str) -> None:
        """Return when it says something with these words."""
        while not any(words in line for line in self.said):
            self._more.clear()
            await self._more.wait()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Replicating"]:
        """Runs while in this context."""
        working = asyncio.create_task(self._work.run())
        try:
            yield self
        finally:
            self._ended.set()
            await working


def ask(server: Postgres, database: str, question: str) -> list[tuple[Any, ...]]:
    """What the database says."""
    with server.owner(database) as connection:
        return connection.execute(question).fetchall()


def count(server: Postgres, database: str, table: str = "inspections") -> int:
    """How many rows a table has."""
    with server.owner(database) as connection:
        return _count(connection, table)


async def holds(server: Postgres, database: str, wanted: int, table: str = "inspections") -> None:
    """Return when a table has so many rows."""
    await asyncio.to_thread(_await_rows, server, database, wanted, table)


async def waits_for_a_lock(server: Postgres, database: str) -> None:
    """Return when somebody waits for a lock there."""
    await asyncio.to_thread(_await_lock, server, database)


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def _await_rows(server: Postgres, database: str, wanted: int, table: str) -> None:
    with server.owner(database) as connection:
        while _count(connection, table) < wanted:
            pass


def _await_lock(server: Postgres, database: str) -> None:
    with server.owner(database) as connection:
        while not connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            pass
