"""The alarms of many cells in a real PostgreSQL, and every other row that is compared there with the cell's records."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from station.core.alarms import AlarmList
from station.core.errors import FAULTS, Reaction
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from station.plant.central.book import Book
from station.plant.central.connection import connect
from station.plant.central.reading import CentralReader
from station.plant.central.verifying import EVERYTHING, MOST_TOLD, Asked, Verified
from tests.many_records import write_many
from tests.plant.central import (
    Replicating,
    ask,
    caught_up,
    configured,
    count,
    holds,
    inspect,
    note,
    prepared,
    verifying,
)
from tests.plant.postgres import Postgres, postgres
from tests.plants import TYPE
from tests.record_samples import START, HandClock, open_ledger, part

pytestmark = [pytest.mark.plant, pytest.mark.timeout(240)]

CELL = "simulated-cell"
ROWS = """SELECT cell, code, count, cleared_at IS NULL, acknowledged_by FROM alarms ORDER BY alarm_id"""
LATER = START + timedelta(minutes=5)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.make_user("station")
        yield running


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:60]


def verified(server: Postgres, database: str, folder: Path, asked: Asked = EVERYTHING) -> Verified:
    settings = configured(server.port, database)
    with connect(settings.central) as connection:
        return verifying(connection, settings, folder).verify(asked)


class AlarmedCell:
    """A cell whose alarm list changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = AlarmList()

    async def raises(self, code: str, detail: str, at: datetime = START) -> None:
        await self._keep(self._list.raise_(FAULTS[code], Reaction.HOLD, detail, at))

    async def acknowledges(self, code: str, at: datetime = LATER) -> None:
        await self._keep(self._list.acknowledge(code, at, "ada"))

    async def runs_again(self, at: datetime = LATER) -> None:
        await self._keep(*self._list.clear(at))

    async def _keep(self, *alarms: object) -> None:
        ledger = await open_ledger(self._folder)
        for alarm in alarms:
            await ledger.keep_alarm(alarm)
        await ledger.close()


async def test_an_alarm_is_told_when_it_is_raised_and_again_whenever_it_changes(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database), AlarmedCell(tmp_path)
    await cell.raises("camera.lost", "no cable")
    await cell.raises("jig.fault", "drive")
    assert await caught_up(settings, tmp_path) >= 2
    assert ask(server, database, ROWS) == [(CELL, "camera.lost", 1, True, ""), (CELL, "jig.fault", 1, True, "")]
    assert await caught_up(settings, tmp_path) <= 2, "what stands is told anew at most once a connection"
    await cell.raises("camera.lost", "no cable again", LATER)
    await cell.acknowledges("camera.lost")
    await caught_up(settings, tmp_path)
    await cell.runs_again()
    await cell.raises("camera.lost", "another time", LATER)
    await caught_up(settings, tmp_path)
    assert ask(server, database, ROWS) == [
        (CELL, "camera.lost", 2, False, "ada"), (CELL, "jig.fault", 1, False, ""), (CELL, "camera.lost", 1, True, ""),
    ]  # fmt: skip
    assert verified(server, database, tmp_path).findings == []


async def test_an_alarm_that_changes_under_a_running_replication_is_told_once_each_time(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database), AlarmedCell(tmp_path)
    async with Replicating(settings, tmp_path).at_work():
        await cell.raises("camera.lost", "no cable")
        await holds(server, database, 1, "alarms")
        await cell.acknowledges("camera.lost")
        await cell.runs_again()
        while await asyncio.to_thread(ask, server, database, ROWS) != [(CELL, "camera.lost", 1, False, "ada")]:
            pass
    assert ask(server, database, "SELECT alarm_number FROM cells") == [(1,)]


async def test_the_alarms_of_all_cells_are_listed_the_newest_first(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    prepared(server, database)
    for minute, name in enumerate(("left", "right")):
        cell = AlarmedCell(tmp_path / name)
        await cell.raises("camera.lost", "no cable", START + timedelta(minutes=minute))
        if name == "left":
            await cell.acknowledges("camera.lost")
            await cell.runs_again()
        await caught_up(configured(server.port, database, cell=name), tmp_path / name)
    with connect(configured(server.port, database).central) as connection:
        reader = CentralReader(connection)
        assert [cell for cell, _alarm in reader.alarm_history([], 10)] == ["right", "left"]
        ((standing, alarm),) = reader.alarms([], 10)
        assert (standing, alarm["code"], alarm["raised_at"]) == ("right", "camera.lost", "2026-05-01T06:01:00.123Z")
        assert reader.alarms(["left"], 10) == []


# ---------------------------------------------------------------------- what verify finds


async def full_cell(folder: Path) -> None:
    """A cell with a row in every table."""
    clock = HandClock()
    ids = await inspect(folder, ["A1", "A2"], clock)
    await note(folder, clock, "IDLE EXECUTE", "EXECUTE STOPPED")
    await AlarmedCell(folder).raises("camera.lost", "no cable")
    SqliteLabels(folder).add([Label(InspectionSubject(ids["A1"]), WholePart(), "pits", "ada", START)])


async def test_a_missing_and_a_changed_event_alarm_and_label_are_found(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await full_cell(tmp_path)
    await caught_up(settings, tmp_path)
    assert verified(server, database, tmp_path).findings == []
    with server.owner(database) as owner:
        owner.execute("DELETE FROM journal WHERE detail = 'IDLE EXECUTE'")
        owner.execute("UPDATE journal SET detail = 'EXECUTE HELD' WHERE detail = 'EXECUTE STOPPED'")
        owner.execute("UPDATE alarms SET acknowledged_by = 'nobody'")
        owner.execute("DELETE FROM labels")
    words = [
        " ".join(said.split(": ")[1:]) for said in verified(server, database, tmp_path, Asked(repair=True)).findings
    ]
    assert words == ["not in journal", "journal detail differ", "alarms acknowledged_by differ", "not in labels"]
    (left,) = verified(server, database, tmp_path).findings
    assert left.endswith("journal: detail differ"), "who may add an event may not change it"


async def test_what_waits_behind_a_part_in_work_is_no_difference(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    await inspect(tmp_path, ["A1"], clock)
    await caught_up(settings, tmp_path)
    await inspect(tmp_path, ["A2", "A3"], clock)
    ledger = await open_ledger(tmp_path, clock)
    await ledger.enter(part("A4", 4), TYPE)
    await ledger.close()
    await inspect(tmp_path, ["A5", "A6"], clock)
    found = verified(server, database, tmp_path)
    assert (found.compared, found.waiting, found.findings) == (1, 2, [])


async def test_looking_enters_no_cell(server: Postgres, database: str, tmp_path: Path) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1"])
    Book(tmp_path).open()
    assert verified(server, database, tmp_path).compared == 0
    with connect(settings.central) as connection:
        assert CentralReader(connection).cells() == []


async def test_however_much_differs_little_of_it_is_kept(server: Postgres, database: str, tmp_path: Path) -> None:
    settings = prepared(server, database)
    write_many(tmp_path, 450)
    await caught_up(settings, tmp_path)
    with server.owner(database) as owner:
        owner.execute("UPDATE inspections SET verdict = 'pits'")
    found = verified(server, database, tmp_path, Asked(repair=True))
    assert found.differences == found.written > 400
    assert len(found.findings) == MOST_TOLD
    assert verified(server, database, tmp_path).findings == []


async def test_a_month_that_was_removed_is_one_difference_and_stays_removed(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    await inspect(tmp_path, ["A1", "A2"], clock)
    clock.advance(days=31)
    await inspect(tmp_path, ["A3"], clock)
    await caught_up(settings, tmp_path)
    with server.owner(database) as owner:
        for table in ("inspections", "decisions", "defects"):
            owner.execute(f"DROP TABLE {table}_2026_05")
    found = verified(server, database, tmp_path, Asked(repair=True))
    assert found.findings == ["inspections_2026_05 is not there any more; the cell's records have 2 rows of it"]
    assert (found.compared, found.written, count(server, database)) == (1, 0, 1)
    assert verified(server, database, tmp_path, Asked("2026-06")).findings == []
