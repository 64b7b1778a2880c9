"""The database's versions: old ones are brought up to date with all they hold, newer ones are left alone."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from station.core.errors import BugError, RecordError
from station.core.records import AlarmFilter, RecordFilter
from station.records import opening, reading, schema
from station.records.alarms import read_history
from station.records.ledger import SqliteLedger
from station.records.query import list_records, show_record
from station.records.schema import APPLICATION_ID, VERSIONS
from tests.housings import Destination
from tests.record_samples import PART_TYPE, judgement, open_ledger, part

DATABASE = "records.sqlite"
DUMPS = Path(__file__).parents[1] / "data"
NEWEST = len(VERSIONS)


def with_operators(connection: sqlite3.Connection) -> None:
    """A next version as it could be: a new column, a new table, and what was there moved into it."""
    connection.execute("ALTER TABLE inspections ADD COLUMN operator TEXT NOT NULL DEFAULT 'nobody'")
    connection.execute("CREATE TABLE parts (part_id TEXT PRIMARY KEY, inspections INTEGER NOT NULL)")
    connection.execute("INSERT INTO parts SELECT part_id, count(*) FROM inspections GROUP BY part_id")


def failing_half_way(connection: sqlite3.Connection) -> None:
    with_operators(connection)
    connection.execute("INSERT INTO no_such_table VALUES (1)")


def breaking_references(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO scans VALUES (99, 'pending', 'nowhere.png', 0, NULL, '')")


def know_versions(monkeypatch: pytest.MonkeyPatch, *more: schema.Version) -> None:
    for module in (schema, opening, reading):
        monkeypatch.setattr(module, "VERSIONS", (*VERSIONS, *more))


def old_database(folder: Path, version: int = NEWEST) -> Path:
    """A database that a station of this version has left."""
    path = folder / DATABASE
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DUMPS / f"records_version_{version}.sql").read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def layout(path: Path) -> list[tuple[str, str]]:
    question = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.suffix in (".sqlite", ".lock", ".part"))


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_a_version_is_what_was_released(tmp_path: Path, version: int) -> None:
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as connection:
        schema.migrate(connection, 0, VERSIONS[:version])
    assert version_of(tmp_path / DATABASE) == version
    assert layout(tmp_path / DATABASE) == layout(old_database(tmp_path / "old", version))


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
async def test_an_old_database_goes_on_where_it_stopped(tmp_path: Path, version: int) -> None:
    old_database(tmp_path, version)
    ledger = await open_ledger(tmp_path)
    (left,) = await ledger.open_inspections()
    assert (left.part.part_id, left.number, left.part_type) == ("SMH-0003", 3, PART_TYPE)
    await ledger.judged(left, judgement())
    await ledger.sorted(left, Destination.BIN_PITS)
    assert (await ledger.order("robot", "home", 0, None)).number == 5
    await ledger.close()
    assert version_of(tmp_path / DATABASE) == NEWEST


Rows = dict[str, list[dict[str, Any]]]


def contents(path: Path) -> Rows:
    """Every row of every table, by the names of its columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables}  # noqa: S608  # its own names


def migrated(folder: Path, version: int) -> Path:
    path = old_database(folder, version)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, version)
    return path


OLD = range(1, NEWEST)
GEOMETRIES_SINCE = 5
"""With them came the recipe, the classes' names and the defects."""
GEOMETRY = {"lines_per_turn": 3584, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}


@pytest.mark.parametrize("version", OLD)
def test_a_migration_changes_no_value_that_was_there(tmp_path: Path, version: int) -> None:
    before = contents(old_database(tmp_path, version))
    (tmp_path / "new").mkdir()
    after = contents(migrated(tmp_path / "new", version))
    for row in after["inspections"]:
        settings = json.loads(row["part_type_settings"])
        assert settings["geometry"] == GEOMETRY
        if version < GEOMETRIES_SINCE:
            del settings["geometry"]
        row["part_type_settings"] = json.dumps(settings)
    for table, rows in before.items():
        kept = [{name: now[name] for name in was} for was, now in zip(rows, after[table], strict=True)]
        assert kept == rows, table
    assert {table: len(rows) for table, rows in before.items() if rows}["inspections"] == 3


@pytest.mark.parametrize("version", OLD)
def test_a_migrated_database_is_laid_out_as_a_new_one(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite", isolation_level=None)) as connection:
        schema.migrate(connection, 0)
    assert layout(migrated(tmp_path, version)) == layout(tmp_path / "new.sqlite")


TAMPERING = [
    "UPDATE inspections SET verdict = 'defect_free' WHERE number = 1",
    "UPDATE inspections SET state = 'open', verdict = NULL WHERE number = 1",
    "UPDATE inspections SET state = 'judged', verdict = 'review' WHERE number = 2",
    "DELETE FROM inspections WHERE number = 3",
    "UPDATE judgements SET classes = '[]'",
    "DELETE FROM judgements",
    "INSERT INTO defects VALUES (1, 1, 'pits', 0, 1.0, NULL, NULL, NULL, NULL)",
    "UPDATE orders SET confirmed_place = 'second_inspection' WHERE order_id = 2",
    "DELETE FROM orders",
    "DELETE FROM alarms",
    "UPDATE settlements SET committed_ns = 0",
    "DELETE FROM settlements",
]


@pytest.mark.parametrize("version", [3, 5, NEWEST])
@pytest.mark.parametrize("tampering", TAMPERING)
def test_a_migrated_database_keeps_its_rules_and_its_references(tmp_path: Path, version: int, tampering: str) -> None:
    path = migrated(tmp_path, version)
    before = contents(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(tampering)
    assert contents(path) == before


@pytest.mark.parametrize("version", OLD)
async def test_an_old_database_is_copied_before_it_is_migrated(tmp_path: Path, version: int) -> None:
    before = contents(old_database(tmp_path, version))
    await (await open_ledger(tmp_path)).close()
    copy = tmp_path / f"records-version-{version}-20260501T060000.sqlite"
    assert version_of(copy) == version
    assert contents(copy) == before


@pytest.mark.parametrize("version", range(1, GEOMETRIES_SINCE))
def test_what_an_old_version_judged_are_the_five_classes_of_housings(tmp_path: Path, version: int) -> None:
    old_database(tmp_path, version)
    judged = show_record(tmp_path, list_records(tmp_path, RecordFilter(), 10)[-1].inspection_id)
    assert judged["classes"] == ["defect_free", "imprinted", "pits", "roll_marks", "scratches"]
    assert [len(row) for row in judged["probabilities"]] == [5] * 16
    assert judged["probabilities"][0][0] == pytest.approx(0.29927, abs=1e-5)
    assert (judged["recipe"], judged["recipe_sha256"], judged["rule"]) == (None, None, "algorithm1")
    assert judged["defects"] is None
    assert [order["confirmed"] for order in judged["orders"]] == [None, "bin_pits"]


def test_version_5_keeps_the_networks_own_classes_the_recipe_and_every_defect(tmp_path: Path) -> None:
    old_database(tmp_path, 5)
    judged = show_record(tmp_path, list_records(tmp_path, RecordFilter(), 10)[-1].inspection_id)
    assert judged["classes"] == ["scratches", "defect_free", "pits"]
    assert [len(row) for row in judged["probabilities"]] == [3] * 16
    assert (judged["recipe"], judged["recipe_sha256"], judged["rule"]) == ("SMH-385", "5e" * 32, "algorithm1")
    where = ("angle_deg", "axial_mm", "along_mm", "across_mm")
    assert judged["defects"] == [
        {"class": "pits", "patch": 5, "confidence": 0.75, **dict(zip(where, (47.25, 1.5, 0.25, 0.125), strict=True))},
        {"class": "scratches", "patch": 0, "confidence": 0.5, **dict.fromkeys(where)},
    ]
    assert judged["part_type_settings"]["geometry"] == GEOMETRY


def test_version_6_keeps_how_a_part_was_lit_and_how_strange_it_looked(tmp_path: Path) -> None:
    old_database(tmp_path, 6)
    *_newer, first = list_records(tmp_path, RecordFilter(), 10)
    judged = show_record(tmp_path, first.inspection_id)
    assert judged["light"] == {"level": 63.5, "gain": 1.5, "gains": [1.25, 1.75]}
    strange = {"score": 0.75, "patch": 5, "p": 0.03125, "alpha": 0.0625, "calibration_sha256": "ca" * 32}
    assert judged["novelty"] == strange


def test_version_7_keeps_the_draw_and_the_promise(tmp_path: Path) -> None:
    old_database(tmp_path, 7)
    *_newer, first = list_records(tmp_path, RecordFilter(), 10)
    judged = show_record(tmp_path, first.inspection_id)
    assert judged["spot_check"] == {"lot": 0.125, "one_in": 50, "seed": 7}
    promised = "Of defective parts of type SMH-385 at most 1.00 % pass, with 95 % confidence."
    assert (judged["pass_threshold"], judged["promise"]) == (0.875, promised)


def test_version_8_keeps_which_patches_a_screener_judged_alone(tmp_path: Path) -> None:
    old_database(tmp_path, 8)
    *_newer, first = list_records(tmp_path, RecordFilter(), 10)
    assert show_record(tmp_path, first.inspection_id)["screened"] == [0, 1, 5]


async def test_version_9_knows_which_places_the_line_was_told(tmp_path: Path) -> None:
    old_database(tmp_path, 9)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("SELECT inspection, told_at IS NULL FROM tellings").fetchall() == [(1, 0)]
        with pytest.raises(sqlite3.IntegrityError, match="ends once"):
            connection.execute("UPDATE tellings SET told_at = NULL")
        with pytest.raises(sqlite3.IntegrityError, match="records are kept"):
            connection.execute("DELETE FROM tellings")


@pytest.mark.parametrize("version", OLD)
async def test_of_what_an_older_version_closed_the_line_is_told_nothing(tmp_path: Path, version: int) -> None:
    old_database(tmp_path, version)
    ledger = await open_ledger(tmp_path)
    assert await ledger.untold() == []
    await ledger.close()


def test_what_version_7_judged_knows_of_no_screener(tmp_path: Path) -> None:
    old_database(tmp_path, 7)
    assert show_record(tmp_path, list_records(tmp_path, RecordFilter(), 10)[-1].inspection_id)["screened"] is None


ENDED = "2026-05-01T07:00:00.000Z"


@pytest.mark.parametrize(
    ("table", "value"),
    [("promises", "sentence"), ("challenges", "cause"), ("trials", "verdict"), ("studies", "ended_at")],
)
def test_what_version_7_wrote_down_cannot_be_taken_back(tmp_path: Path, table: str, value: str) -> None:
    with closing(sqlite3.connect(old_database(tmp_path, 7))) as connection:
        connection.execute("UPDATE studies SET ended_at = ?", (ENDED,))
        with pytest.raises(sqlite3.IntegrityError, match=r"final|ends once"):
            connection.execute(f"UPDATE {table} SET {value} = 'another'")  # noqa: S608  # of this list
        with pytest.raises(sqlite3.IntegrityError, match="records are kept"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # of this list


@pytest.mark.parametrize("version", range(1, 6))
def test_what_an_older_version_judged_has_neither_light_nor_novelty(tmp_path: Path, version: int) -> None:
    old_database(tmp_path, version)
    judged = show_record(tmp_path, list_records(tmp_path, RecordFilter(), 10)[-1].inspection_id)
    assert (judged["light"], judged["novelty"]) == (None, None)


async def test_the_alarms_of_version_2_are_read_as_they_stood(tmp_path: Path) -> None:
    old_database(tmp_path, 2)
    ledger = await open_ledger(tmp_path)
    (alarm,) = await ledger.listed_alarms()
    await ledger.close()
    assert (alarm.fault.code, alarm.detail, alarm.count) == ("camera.lost", "cable again", 2)
    assert (alarm.active, alarm.acknowledged, alarm.latched) == (True, False, True)
    assert [row["code"] for row in read_history(tmp_path, 10, AlarmFilter())] == ["camera.lost", "jig.fault"]


async def test_a_migration_keeps_every_row_and_a_copy_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_database(tmp_path)
    before = [show_record(tmp_path, row.inspection_id) for row in list_records(tmp_path, RecordFilter(), 10)]
    know_versions(monkeypatch, with_operators)
    ledger = await open_ledger(tmp_path)
    await ledger.enter(part("SMH-0004"), PART_TYPE)
    await ledger.close()
    after = [show_record(tmp_path, row.inspection_id) for row in list_records(tmp_path, RecordFilter(), 10)]
    assert after[1:] == before
    assert version_of(path) == NEWEST + 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM parts").fetchone() == (3,)
    copy = tmp_path / f"records-version-{NEWEST}-20260501T060000.sqlite"
    assert names(tmp_path) == [copy.name, DATABASE, "station.lock"]
    assert version_of(copy) == NEWEST
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM inspections").fetchone() == (3,)


@pytest.mark.parametrize("bad", [failing_half_way, breaking_references])
async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: schema.Version
) -> None:
    path = old_database(tmp_path)
    before = layout(path)
    know_versions(monkeypatch, bad)
    with pytest.raises(BugError):
        await open_ledger(tmp_path)
    monkeypatch.undo()
    assert (layout(path), version_of(path)) == (before, NEWEST)
    ledger = await open_ledger(tmp_path)
    assert len(await ledger.open_inspections()) == 1
    await ledger.close()


async def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = old_database(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    with pytest.raises(RecordError, match=f"version {NEWEST + 1}, known are versions to {NEWEST}") as caught:
        await open_ledger(tmp_path)
    assert caught.value.code == "record.newer_schema"
    with pytest.raises(RecordError) as caught:
        list_records(tmp_path, RecordFilter(), 1)
    assert caught.value.code == "record.newer_schema"
    assert version_of(path) == NEWEST + 1


def test_an_older_database_is_read_without_being_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_database(tmp_path)
    expected = list_records(tmp_path, RecordFilter(), 10)
    know_versions(monkeypatch, with_operators)
    assert [row.part_id for row in expected] == ["SMH-0003", "SMH-0002", "SMH-0001"]
    assert list_records(tmp_path, RecordFilter(), 10) == expected
    assert version_of(path) == NEWEST


async def test_a_first_start_leaves_an_empty_book(tmp_path: Path) -> None:
    ledger: SqliteLedger = await open_ledger(tmp_path / "made" / "on" / "demand")
    assert list(await ledger.open_inspections()) == []
    await ledger.close()
    assert version_of(tmp_path / "made" / "on" / "demand" / DATABASE) == len(VERSIONS)
