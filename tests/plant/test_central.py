"""The records of cells in a real PostgreSQL: none is missing and none is twice, whatever breaks in between."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from sim.proxy import Mode, TcpProxy
from station.core.calendar import Shift
from station.core.errors import PlantError
from station.core.moments import stamp
from station.core.ports.feed import BEGINNING
from station.core.sought import Sought
from station.host.records import feed_records, read_records
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from station.page.shift.reckoning import Recorded, reckon
from station.plant.central.connection import connect
from station.plant.central.reading import CentralReader
from station.plant.central.schema import VERSIONS, migrate, require_usable
from station.plant.central.shift import shift_of
from station.plant.central.standing import Standing, standing_of
from station.plant.central.verifying import EVERYTHING, Asked, Verified
from tests.housings import Verdict
from tests.many_records import write_many
from tests.plant.central import (
    QUICK,
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
    waits_for_a_lock,
)
from tests.plant.postgres import OWNER, Postgres, postgres
from tests.record_samples import START, HandClock

pytestmark = [pytest.mark.plant, pytest.mark.timeout(240)]

CELL = "simulated-cell"
REPAIR = Asked(repair=True)
PARTS = [f"A{number}" for number in range(1, 6)]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.make_user("station")
        running.make_user("stranger")
        yield running


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:60]


def verified(server: Postgres, database: str, folder: Path, asked: Asked = EVERYTHING) -> Verified:
    settings = configured(server.port, database)
    with connect(settings.central) as connection:
        return verifying(connection, settings, folder).verify(asked)


def standing(server: Postgres, database: str, folder: Path) -> Standing:
    settings = configured(server.port, database)
    return standing_of(settings, CELL, folder, feed_records(settings, folder), START + timedelta(minutes=1))


async def test_every_inspection_event_and_label_arrives_once_and_late_labels_follow(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    ids = await inspect(tmp_path, {"A1": Verdict.PITS, "A2": Verdict.DEFECT_FREE}, clock)
    await note(tmp_path, clock, "IDLE EXECUTE")
    assert await caught_up(settings, tmp_path) >= 3
    rows = ask(server, database, "SELECT cell, part_id, verdict, confirmed_bin, state FROM inspections ORDER BY 2")
    assert rows == [
        (CELL, "A1", "pits", "bin_pits", "sorted"), (CELL, "A2", "defect_free", "bin_pits", "sorted"),
    ]  # fmt: skip
    decided = ask(server, database, "SELECT model, deciding_patch, ms_after_last_line FROM decisions")
    assert decided == [("inception-cnn-1", 5, 12.25)] * 2
    assert ("state_changed", "IDLE EXECUTE") in ask(server, database, "SELECT event, detail FROM journal")
    for name in ("pits", "defect_free"):
        SqliteLabels(tmp_path).add([Label(InspectionSubject(ids["A1"]), WholePart(), name, "ada", START)])
        assert await caught_up(settings, tmp_path) == 1
    said = ask(server, database, "SELECT subject_id, class, who FROM labels ORDER BY class")
    assert said == [(ids["A1"], "defect_free", "ada"), (ids["A1"], "pits", "ada")]
    assert await caught_up(settings, tmp_path) == 0
    assert verified(server, database, tmp_path).findings == []


async def test_each_month_has_a_partition_of_its_own(server: Postgres, database: str, tmp_path: Path) -> None:
    settings, clock = prepared(server, database), HandClock()
    await inspect(tmp_path, ["A1"], clock)
    clock.advance(days=31)
    await inspect(tmp_path, ["A2"], clock)
    await caught_up(settings, tmp_path)
    for month in ("2026_05", "2026_06"):
        assert count(server, database, f"inspections_{month}") == count(server, database, f"decisions_{month}") == 1


async def test_what_waited_while_the_plant_was_away_comes_when_it_is_back(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    await inspect(tmp_path, PARTS[:2], clock)
    await caught_up(settings, tmp_path)
    server.kill()
    try:
        await inspect(tmp_path, PARTS[2:4], clock)
        away = standing(server, database, tmp_path)
        async with Replicating(settings, tmp_path).at_work() as replicating:
            await replicating.hears("cannot be reached")
            await inspect(tmp_path, PARTS[4:], clock)
            await asyncio.to_thread(server.start)
            await holds(server, database, 5)
    finally:
        if standing(server, database, tmp_path).problem is not None:
            server.start()
    assert away.problem is not None
    assert (away.problem.code, away.waiting, away.is_well) == ("plant.no_database", 2, False)
    assert verified(server, database, tmp_path).findings == []


async def test_a_server_that_is_killed_in_the_middle_of_a_batch_loses_none_and_doubles_none(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A0"])
    await caught_up(settings, tmp_path)
    await inspect(tmp_path, PARTS, HandClock(START + timedelta(hours=1)))
    with server.owner(database) as lock, lock.transaction():
        lock.execute("LOCK TABLE decisions")  # the inspections are written then, the decisions are not
        replicating = Replicating(settings, tmp_path)
        async with replicating.at_work():
            await waits_for_a_lock(server, database)
            server.kill()
            await replicating.hears("cannot be reached")
            await asyncio.to_thread(server.start)
            assert count(server, database) in {1, 6}
            await holds(server, database, 6)
        with pytest.raises(psycopg.Error, match=r"closed|terminating|lost"):
            lock.execute("SELECT 1")
        lock.close()
    assert (count(server, database), count(server, database, "decisions")) == (6, 6)
    assert verified(server, database, tmp_path).findings == []


async def test_an_answer_that_is_lost_makes_nothing_twice(server: Postgres, database: str, tmp_path: Path) -> None:
    prepared(server, database)
    await inspect(tmp_path, PARTS)
    proxy = TcpProxy(socket.create_server(("127.0.0.1", 0)), ("127.0.0.1", server.port))
    settings = configured(proxy.address[1], database)
    pace = replace(QUICK, answer_s=2.0)
    try:
        with server.owner(database) as lock:
            lock.execute("BEGIN")
            lock.execute("LOCK TABLE decisions")
            async with Replicating(settings, tmp_path, pace).at_work() as replicating:
                await waits_for_a_lock(server, database)
                proxy.switch(Mode.DROP_REPLY)
                lock.execute("COMMIT")
                await replicating.hears("the connection broke")
                proxy.switch(Mode.PASS)
                await holds(server, database, 5)
    finally:
        await proxy.close()
    assert (count(server, database), count(server, database, "decisions")) == (5, 5)
    assert verified(server, database, tmp_path).findings == []


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.HALF_OPEN, Mode.REFUSE])
async def test_a_network_that_is_cut_is_told_and_gone_on_with(
    server: Postgres, database: str, tmp_path: Path, mode: Mode
) -> None:
    prepared(server, database)
    clock = HandClock()
    await inspect(tmp_path, PARTS[:1], clock)
    proxy = TcpProxy(socket.create_server(("127.0.0.1", 0)), ("127.0.0.1", server.port))
    settings = configured(proxy.address[1], database)
    pace = replace(QUICK, answer_s=2.0)
    try:
        async with Replicating(settings, tmp_path, pace).at_work() as replicating:
            await holds(server, database, 1)
            proxy.switch(mode)
            await inspect(tmp_path, PARTS[1:], clock)
            await replicating.hears("cannot be reached")
            proxy.switch(Mode.PASS)
            proxy.cut()
            await holds(server, database, 5)
    finally:
        await proxy.close()
    assert verified(server, database, tmp_path).findings == []


async def test_what_is_delivered_a_second_time_is_there_once(server: Postgres, database: str, tmp_path: Path) -> None:
    settings = prepared(server, database)
    ids = await inspect(tmp_path, PARTS)
    SqliteLabels(tmp_path).add([Label(InspectionSubject(ids["A1"]), WholePart(), "pits", "ada", START)])
    first = await caught_up(settings, tmp_path)
    before = {table: count(server, database, table) for table in ("inspections", "decisions", "labels", "journal")}
    ask(
        server,
        database,
        """UPDATE cells SET part_number = 0, part_id = '', part_entered_at = '',
        event_number = 0, event_at = '', label_number = 0 RETURNING 1""",
    )
    assert await caught_up(settings, tmp_path) == first
    assert {table: count(server, database, table) for table in before} == before
    assert verified(server, database, tmp_path).findings == []


async def test_a_restart_goes_on_where_it_was(server: Postgres, database: str, tmp_path: Path) -> None:
    settings, clock = prepared(server, database), HandClock()
    for number, name in enumerate(PARTS, 1):
        await inspect(tmp_path, [name], clock)
        async with Replicating(settings, tmp_path).at_work():
            await holds(server, database, number)
    assert ask(server, database, "SELECT cell, part_number FROM cells") == [(CELL, 5)]
    assert count(server, database) == 5


async def test_two_cells_lie_beside_each_other_and_a_name_is_one_data_folders(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    prepared(server, database)
    settings = {name: configured(server.port, database, cell=name) for name in ("left", "right")}
    for name, one in settings.items():
        await inspect(tmp_path / name, ["A1"])
        await caught_up(one, tmp_path / name)
    cells = ask(server, database, "SELECT cell, count(*) FROM inspections GROUP BY 1 ORDER BY 1")
    assert cells == [("left", 1), ("right", 1)]
    with pytest.raises(PlantError) as refused:
        await caught_up(settings["left"], tmp_path / "right")
    assert refused.value.code == "plant.cell_taken"
    assert await caught_up(settings["left"], tmp_path / "right", take_over=True) >= 0
    with pytest.raises(PlantError) as refused:
        await caught_up(settings["left"], tmp_path / "left")
    assert refused.value.code == "plant.cell_taken"


async def test_a_database_without_tables_or_with_newer_ones_is_told(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    server.make_database(database)
    await inspect(tmp_path, ["A1"])
    settings = configured(server.port, database, OWNER)
    with pytest.raises(PlantError, match="it has no tables of a station; needed is version 2") as refused:
        await caught_up(settings, tmp_path)
    assert refused.value.code == "plant.wrong_schema"
    with connect(settings.central) as connection:
        assert (migrate(connection).before, migrate(connection).before) == (0, len(VERSIONS))
        connection.execute("INSERT INTO inspection_station.versions (version, oldest) VALUES (99, 99)")
        with pytest.raises(PlantError, match="it has version 99, known are versions to 2"):
            require_usable(connection)


async def test_a_user_without_rights_is_told_what_grants_them(server: Postgres, database: str, tmp_path: Path) -> None:
    prepared(server, database)
    await inspect(tmp_path, ["A1"])
    stranger = configured(server.port, database, "stranger")
    with pytest.raises(PlantError, match=r"migrate --grant USER.*permission denied") as refused:
        await caught_up(stranger, tmp_path)
    assert refused.value.code == "plant.refused"
    with pytest.raises(PlantError, match="does not exist") as refused:
        await caught_up(configured(server.port, "nowhere"), tmp_path)
    assert refused.value.code == "plant.refused"
    async with Replicating(stranger, tmp_path).at_work() as replicating:
        await replicating.hears("permission denied")
        with connect(configured(server.port, database, OWNER).central) as connection:
            migrate(connection, "stranger")
        await holds(server, database, 1)


STATEMENTS = (
    "DELETE FROM inspections",
    "DELETE FROM journal",
    "UPDATE journal SET detail = ''",
    "UPDATE labels SET who = ''",
    "DROP TABLE inspections_2026_05",
    "CREATE TABLE more (one integer)",
)


async def test_a_cells_user_changes_no_label_and_no_event_and_removes_nothing(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1"])
    await caught_up(settings, tmp_path)
    with connect(settings.central) as connection:
        connection.execute("SET search_path = inspection_station")
        for statement in STATEMENTS:
            with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
                connection.execute(statement)


async def test_a_full_disk_of_the_plant_is_told_and_gone_on_with(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    await inspect(tmp_path, ["A1"])
    with server.owner(database) as owner:
        owner.execute("""CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$""")
        owner.execute("""CREATE TRIGGER full_disk BEFORE INSERT ON inspections
            FOR EACH ROW EXECUTE FUNCTION full_disk()""")
        async with Replicating(settings, tmp_path).at_work() as replicating:
            await replicating.hears("The disk of the plant's database is full")
            owner.execute("DROP TRIGGER full_disk ON inspections")
            await holds(server, database, 1)


async def test_what_was_changed_there_is_found_by_its_hash_and_written_again(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    write_many(tmp_path, 450)
    await caught_up(settings, tmp_path)
    assert (verified(server, database, tmp_path).compared, count(server, database)) == (450, 450)
    ids = [row[0] for row in ask(server, database, "SELECT inspection_id FROM inspections ORDER BY number")]
    with server.owner(database) as owner:
        owner.execute("UPDATE inspections SET verdict = 'pits' WHERE inspection_id = %s", (ids[0],))
        owner.execute(
            """UPDATE inspections SET record = replace(record::text, '0.9', '0.8')::json
            WHERE inspection_id = %s""", (ids[1],)
        )  # fmt: skip
        owner.execute("UPDATE decisions SET confidence = 0.1 WHERE inspection_id = %s", (ids[2],))
        owner.execute("DELETE FROM inspections WHERE inspection_id = %s", (ids[300],))
        owner.execute("DELETE FROM defects WHERE inspection_id = %s AND rank = 1", (ids[6],))
    found = verified(server, database, tmp_path, REPAIR)
    assert found.findings == [
        f"{ids[0]}: inspections: verdict differ", f"{ids[1]}: inspections: record differ",
        f"{ids[2]}: decisions: confidence differ", f"{ids[6]}: not in defects", f"{ids[300]}: not in inspections",
    ]  # fmt: skip
    assert found.written == 5
    assert verified(server, database, tmp_path).findings == []


async def test_records_that_were_put_back_go_on_and_what_they_have_lost_stays_there(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, clock = prepared(server, database), HandClock()
    cell = tmp_path / "cell"
    await inspect(cell, PARTS[:2], clock)
    shutil.copytree(cell, tmp_path / "backup")
    await inspect(cell, PARTS[2:4], clock)
    await caught_up(settings, cell)
    (cell / "records.sqlite").unlink()
    shutil.copy(tmp_path / "backup" / "records.sqlite", cell)
    await inspect(cell, PARTS[4:], clock)
    await caught_up(settings, cell)
    parts = ask(server, database, "SELECT part_id FROM inspections ORDER BY entered_at")
    assert [row[0] for row in parts] == PARTS
    (words,) = verified(server, database, cell).findings
    assert words == "2026-05: 2 inspections more there than in the cell's records, as after a backup was put back"


SEARCHES = (
    Sought(),
    Sought(verdict="pits"),
    Sought(part_type="late", defect="pits"),
    Sought(reason="part.low_confidence"),
    Sought(
        model="network-2", verdict="defect_free", since="2025-01-01T01:00:00.000Z", until="2025-01-01T01:20:00.000Z"
    ),
    Sought(part="SMH-0000123"),
    Sought(part="20250101T0030"),
    Sought(part="20250101T003000"),
    Sought(inspections=("20250101T000015000-0000001", "20250101T000030000-0000002", "nobody")),
)


async def test_a_search_finds_what_the_cells_own_search_finds_page_by_page(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings = prepared(server, database)
    write_many(tmp_path, 400)
    await caught_up(settings, tmp_path)
    own = read_records(settings, tmp_path)
    with connect(settings.central) as connection:
        reader = CentralReader(connection)
        for sought in SEARCHES:
            wanted = {row.inspection_id: row for row in own.search(sought, None, 1000).rows}
            found, before = [], None
            while True:
                page = reader.search(sought, [CELL], before, 37)
                found += [row for _cell, row in page.rows]
                before = page.before
                if before is None:
                    break
            assert {row.inspection_id: row for row in found} == wanted, sought
            assert [row.entered_at for row in found] == sorted((row.entered_at for row in found), reverse=True)
            assert len(found) == len(wanted)
        assert reader.search(Sought(), ["another"], None, 10).rows == ()


async def test_a_shift_is_reckoned_as_the_cells_own_page_reckons_it_and_many_cells_together(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    prepared(server, database)
    begin = START.replace(hour=6, minute=0, second=0, microsecond=0)
    shift = Shift(begin.date(), 1, begin, begin + timedelta(hours=8))
    now = begin + timedelta(hours=9)
    own = {}
    for cell, verdict in (("left", Verdict.PITS), ("right", Verdict.DEFECT_FREE)):
        folder, settings = tmp_path / cell, configured(server.port, database, cell=cell)
        clock = HandClock()
        await note(folder, clock, "STOPPED IDLE", "IDLE EXECUTE")
        ids = await inspect(folder, {"A1": verdict, "A2": Verdict.DEFECT_FREE}, clock)
        await note(folder, clock, "EXECUTE HELD robot.lost gone", "IDLE EXECUTE", "EXECUTE STOPPED")
        SqliteLabels(folder).add([Label(InspectionSubject(ids["A2"]), WholePart(), "pits", "ada", START)])
        await caught_up(settings, folder)
        own[cell] = read_records(settings, folder).period(stamp(shift.begin), stamp(shift.end))
    settings = configured(server.port, database)
    with connect(settings.central) as connection:
        reader = CentralReader(connection)
        assert reader.cells() == ["left", "right"]
        for cell, period in own.items():
            there = reader.period(cell, stamp(shift.begin), stamp(shift.end))
            assert sorted(there.groups, key=repr) == sorted(period.groups, key=repr)
            assert (there.defects, there.changes, there.left) == (period.defects, period.changes, period.left)
            assert there.heard == period.heard
        found = shift_of(reader, settings, ["left", "right"], shift, now)
    table = settings.table
    for cell, period in own.items():
        alone = reckon(shift, shift.end, [Recorded(period, live=False, judged=())], table, 0)
        assert (found.cells[cell].parts, found.cells[cell].states) == (alone.parts, alone.states)
        assert found.cells[cell].stops == alone.stops
        assert found.cells[cell].found.escapes.trials == 1
    together = found.together
    assert together.parts.verdicts["defect_free"] == 3
    assert together.parts.verdicts["pits"] == 1
    assert together.states["EXECUTE"] == sum((one.states["EXECUTE"] for one in found.cells.values()), timedelta())
    assert sum(together.states.values(), timedelta()) == 2 * timedelta(hours=8)
    assert together.oee.quality == pytest.approx(3 / 4)
    assert together.found.escapes.trials == 2


async def test_how_it_stands_tells_what_waits_and_since_when(server: Postgres, database: str, tmp_path: Path) -> None:
    settings = prepared(server, database)
    ids = await inspect(tmp_path, PARTS)
    waiting = standing(server, database, tmp_path)
    assert (waiting.waiting, waiting.last, waiting.told_at) == (5, "", None)
    assert waiting.lag_s == pytest.approx(60)
    await caught_up(settings, tmp_path)
    done = standing(server, database, tmp_path)
    assert (done.waiting, done.lag_s, done.last, done.is_well) == (0, 0, ids["A5"], True)
    assert done.told_at is not None
    assert feed_records(settings, tmp_path).waiting(BEGINNING)[0] == 5
