"""Months, versions and names in a real PostgreSQL: what is made while others are at work, and whose it is."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from station.core.errors import PlantError
from station.core.sought import Sought
from station.host.records import feed_records
from station.plant.central import schema, version_1
from station.plant.central.book import Book, Page
from station.plant.central.connection import connect
from station.plant.central.reading import CentralReader
from station.plant.central.rows import event_row
from station.plant.central.schema import VERSIONS, migrate, require_usable
from station.plant.central.sending import EVENTS_TOLD, MAKE_MONTH, Sending
from station.plant.central.standing import standing_of
from tests.plant.central import (
    USER,
    Replicating,
    ask,
    caught_up,
    configured,
    count,
    holds,
    inspect,
    note,
    prepared,
    waits_for_a_lock,
)
from tests.plant.postgres import OWNER, Postgres, postgres
from tests.record_samples import START, HandClock

pytestmark = [pytest.mark.plant, pytest.mark.timeout(240)]

CELL = "simulated-cell"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.make_user(USER)
        yield running


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:60]


# ---------------------------------------------------------------------- months


async def test_a_years_end_and_a_wrong_clock_have_their_months(server: Postgres, database: str, tmp_path: Path) -> None:
    settings = prepared(server, database)
    with server.owner(database) as owner:
        owner.execute(f"ALTER DATABASE {database} SET timezone = 'Asia/Kolkata'")
        owner.execute(f"ALTER DATABASE {database} SET datestyle = 'SQL, DMY'")
    moments = {
        "A1": datetime(2026, 12, 31, 23, 59, 59, 999_000, UTC), "A2": datetime(2027, 1, 1, tzinfo=UTC),
        "A3": datetime(1970, 1, 1, tzinfo=UTC), "A4": datetime(9999, 12, 31, 23, 0, tzinfo=UTC),
    }  # fmt: skip
    for name, moment in moments.items():
        await inspect(tmp_path, [name], HandClock(moment))
    await caught_up(settings, tmp_path)
    for month in ("2026_12", "2027_01", "1970_01", "9999_12"):
        assert count(server, database, f"inspections_{month}") == 1, month
    with connect(settings.central) as connection:
        connection.execute(MAKE_MONTH, ("2026-12-01",))


async def test_a_month_is_made_while_somebody_looks_at_the_tables_and_nobody_waits(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    with server.owner(database) as reader, reader.transaction():
        reader.execute(
            "LOCK TABLE inspections, decisions, defects, labels, journal, scans, alarms IN ACCESS SHARE MODE"
        )
        with connect(settings.central) as connection, connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '20s'")
            connection.execute(MAKE_MONTH, ("2026-05-01",))
            with server.owner(database) as another:
                another.execute("SET lock_timeout = '20s'")
                assert another.execute("SELECT count(*) FROM inspections").fetchone() == (0,)


async def test_a_month_that_is_there_needs_no_lock(server: Postgres, database: str) -> None:
    settings = prepared(server, database)
    with connect(settings.central) as one, connect(settings.central) as other:
        one.execute(MAKE_MONTH, ("2026-05-01",))
        with one.transaction():
            one.execute(MAKE_MONTH, ("2026-06-01",))
            other.execute("SET lock_timeout = '20s'")
            other.execute(MAKE_MONTH, ("2026-05-01",))


async def test_who_waited_for_another_that_made_the_month_finds_it_there(server: Postgres, database: str) -> None:
    settings = prepared(server, database)
    with connect(settings.central) as one, connect(settings.central) as other:
        with one.transaction():
            one.execute(MAKE_MONTH, ("2026-05-01",))
            waiting = asyncio.create_task(asyncio.to_thread(other.execute, MAKE_MONTH, ("2026-05-01",)))
            await waits_for_a_lock(server, database)
        await waiting


async def test_a_month_that_was_only_detached_is_told_as_what_it_is(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1"])
    with server.owner(database) as owner:
        owner.execute(MAKE_MONTH, ("2026-05-01",))
        owner.execute("ALTER TABLE inspections DETACH PARTITION inspections_2026_05")
        with pytest.raises(PlantError, match="no partition of relation") as refused:
            await caught_up(settings, tmp_path)
        assert refused.value.code == "plant.not_taken"
        async with Replicating(settings, tmp_path).at_work() as replicating:
            await replicating.hears("does not take a row")
            await asyncio.to_thread(is_remembered, tmp_path, "plant.not_taken")
            found = standing_of(settings, CELL, tmp_path, feed_records(settings, tmp_path), START)
            assert found.problem is not None
            assert (found.problem.code, found.is_well) == ("plant.not_taken", False)
            owner.execute("DROP TABLE inspections_2026_05")
            await holds(server, database, 1)


def is_remembered(folder: Path, fault: str) -> None:
    """Return when the book has a fault."""
    while (page := Book(folder).read()) is None or page.fault != fault:
        pass


# ---------------------------------------------------------------------- versions


OLD_INSPECTION = """INSERT INTO inspection_station.inspections (cell, inspection_id, entered_at, number, part_id,
    part_type, state, record, digest) VALUES ('old', %s, %s, 1, 'A1', 'a', 'sorted', '{}', 'ab')
    ON CONFLICT (cell, inspection_id, entered_at) DO UPDATE SET record = excluded.record"""
OLD_TOLD = """UPDATE inspection_station.cells SET part_number = 1, part_id = %s, told_at = now()
    WHERE cell = 'old'"""


async def test_a_cell_of_the_older_version_writes_before_while_and_after_the_tables_are_brought_up(
    server: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.make_database(database)
    owner, user = (configured(server.port, database, name).central for name in (OWNER, USER))
    with monkeypatch.context() as older:
        older.setattr(schema, "VERSIONS", VERSIONS[:1])
        older.setattr(schema, "GRANTS", tuple(text.replace(", {schema}.alarms", "") for text in schema.GRANTS))
        with connect(owner) as connection:
            assert migrate(connection, USER).now == 1
    with connect(user) as old:
        old.execute("INSERT INTO inspection_station.cells (cell, station_id) VALUES ('old', 'one')")
        for number, month in enumerate(("2026-05", "2026-06", "2026-07")):
            old.execute(MAKE_MONTH, (f"{month}-01",))
            with old.transaction():
                old.execute(OLD_INSPECTION, (f"{number}", f"{month}-02T06:00:00.000Z"))
                if number == 1:
                    migrating = asyncio.create_task(asyncio.to_thread(migrated, server, database))
                    await waits_for_a_lock(server, database)
                old.execute(OLD_TOLD, (f"{number}",))
            if number == 1:
                assert await migrating == (1, 2)
        with monkeypatch.context() as older:
            older.setattr(schema, "VERSIONS", VERSIONS[:1])
            require_usable(old)
    assert count(server, database) == 3
    assert ask(server, database, "SELECT part_id FROM cells") == [("2",)]


def migrated(server: Postgres, database: str) -> tuple[int, int]:
    with connect(configured(server.port, database, OWNER).central) as connection:
        done = migrate(connection, USER)
        return done.before, done.now


async def test_a_version_that_older_cells_may_not_write_refuses_them(server: Postgres, database: str) -> None:
    settings = prepared(server, database)
    with server.owner(database) as owner:
        owner.execute("INSERT INTO versions (version, oldest) VALUES (3, 2)")
        require_usable(owner)
        owner.execute("UPDATE versions SET oldest = 3 WHERE version = 3")
        with pytest.raises(PlantError, match="it has version 3"):
            require_usable(owner)
        with pytest.raises(PlantError, match="it has version 3"):
            migrate(owner)
    assert version_1.SCHEMA in ask(server, database, "SHOW search_path")[0][0]
    assert settings.central.database == database


# ---------------------------------------------------------------------- names, restarts, clocks


async def test_records_that_were_put_back_leave_none_out_although_the_clock_was_wrong(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    cell = tmp_path / "cell"
    await inspect(cell, ["A1"], clock)
    shutil.copytree(cell, tmp_path / "backup")
    await inspect(cell, ["A2", "A3"], clock)
    await note(cell, clock, "IDLE EXECUTE")
    await caught_up(settings, cell)
    for file in cell.glob("records.sqlite*"):
        file.unlink()
    shutil.copy(tmp_path / "backup" / "records.sqlite", cell)
    await inspect(cell, ["B1", "B2"], HandClock(START - timedelta(days=1)))
    await note(cell, HandClock(START - timedelta(days=1)), "EXECUTE HELD")
    await caught_up(settings, cell)
    parts = {row[0] for row in ask(server, database, "SELECT part_id FROM inspections")}
    assert parts == {"A1", "A2", "A3", "B1", "B2"}
    assert ("EXECUTE HELD",) in ask(server, database, "SELECT detail FROM journal")


async def test_what_is_told_anew_word_for_word_is_not_written_again(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1", "A2"])
    await caught_up(settings, tmp_path)
    written = "SELECT i.xmin::text, d.xmin::text FROM inspections i JOIN decisions d USING (inspection_id) ORDER BY 1"
    before = ask(server, database, written)
    ask(server, database, "UPDATE cells SET part_number = 0, part_id = '' RETURNING 1")
    assert await caught_up(settings, tmp_path) >= 2
    assert ask(server, database, written) == before


async def test_who_has_lost_the_name_writes_nothing_under_it_any_more(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    old, new = tmp_path / "old", tmp_path / "new"
    await inspect(old, ["A1"])
    await inspect(new, ["B1"], HandClock(START - timedelta(days=1)))
    feed = feed_records(settings, old)
    with connect(settings.central) as connection:
        sending = Sending(connection, CELL, feed, old, Book(old).open().station_id)
        sending.begin(take_over=False)
        await caught_up(settings, new, take_over=True)
        before = ask(server, database, "SELECT part_id, event_number FROM cells")
        with pytest.raises(PlantError) as refused:
            sending.send_parts()
        assert refused.value.code == "plant.cell_taken"
        events = [event_row(CELL, event) for event in feed.events(sending.told.event, 10)]
        with pytest.raises(PlantError):
            sending.write("journal", events, EVENTS_TOLD, (99, "2026-05-01T06:00:00.000Z"))
    assert ask(server, database, "SELECT part_id FROM inspections") == [("B1",)]
    assert ask(server, database, "SELECT part_id, event_number FROM cells") == before


async def test_who_waits_for_the_database_from_the_first_question_on_is_ended_all_the_same(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1"])
    with server.owner(database) as lock, lock.transaction():
        lock.execute("LOCK TABLE cells")
        async with Replicating(settings, tmp_path).at_work():
            await waits_for_a_lock(server, database)
    assert count(server, database) == 0


async def test_a_book_that_cannot_be_written_ends_nothing(
    server: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, clock = prepared(server, database), HandClock()
    await inspect(tmp_path, ["A1"], clock)
    Book(tmp_path).open()
    monkeypatch.setattr(Book, "write", full_disk)
    async with Replicating(settings, tmp_path).at_work() as replicating:
        await replicating.hears("No space left on device")
        await inspect(tmp_path, ["A2"], clock)
        await holds(server, database, 2)


def full_disk(_book: Book, _page: Page) -> None:
    raise PlantError("plant.book_unusable", "No space left on device")


async def test_a_word_of_a_search_is_a_value_and_no_statement(server: Postgres, database: str, tmp_path: Path) -> None:
    name = "x'; DROP TABLE inspections; --"
    prepared(server, database)
    settings = configured(server.port, database, cell=name)
    await inspect(tmp_path, ["A1"])
    await caught_up(settings, tmp_path)
    with connect(settings.central) as connection:
        found = CentralReader(connection).search(Sought(part=name, model=name, reason=name), [name], None, 10)
    assert found.rows == ()
    assert ask(server, database, "SELECT cell FROM inspections") == [(name,)]
    with pytest.raises(psycopg.Error), server.owner(database) as owner:
        migrate(owner, name)
    assert count(server, database) == 1
