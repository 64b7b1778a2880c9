"""A backup holds what people said of parts; to restore it adds that to what is there and loses nothing said since."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from models.errors import LabelError
from station.cli.app import app
from station.labels.picking.draws import Draws
from station.labels.picking.lot import Draw
from station.labels.sqlite import SqliteLabels
from station.offline.upkeep.backup import Piece
from station.offline.upkeep.backup.contents import open_backup
from tests.label_samples import NOON, label
from tests.labelling import Station

LABELS = "labels.db"
FIRST, SINCE = label("pits"), label("scratches", minutes=5)


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return Station.at(tmp_path_factory.mktemp("records") / "data")


@pytest.fixture
def data(inspected: Station, tmp_path: Path) -> Path:
    return inspected.copied(tmp_path / "data").folder


def command(*words: object) -> Result:
    return CliRunner().invoke(app, ["backup", *map(str, words)])


def done(*words: object) -> str:
    result = command(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def made(data: Path) -> Path:
    """A backup of a data folder."""
    done("make", data.with_name("backups"), "--data", data)
    return max(data.with_name("backups").iterdir())


def restored(backup: Path, data: Path) -> str:
    return done("restore", backup, "--only", "labels", "--data", data, "--models", data / "models")


def said(data: Path) -> list[Any]:
    return SqliteLabels(data).labels()


def test_a_backup_holds_the_labels_also_those_that_are_only_in_the_log(data: Path) -> None:
    store = SqliteLabels(data)
    store.add([FIRST])
    with closing(sqlite3.connect(data / LABELS)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM labels").fetchone()
        store.add([SINCE])  # which cannot leave the log while somebody reads
        backup = made(data)
    assert said(backup) == [FIRST, SINCE]
    assert open_backup(backup).pieces == (Piece.DATABASE, Piece.LABELS, Piece.CONFIGURATION)
    assert "labels" in done("verify", backup)


def test_a_backup_of_a_station_without_labels_has_none(data: Path) -> None:
    backup = made(data)
    assert open_backup(backup).pieces == (Piece.DATABASE, Piece.CONFIGURATION)
    assert not (data / LABELS).exists()
    assert "holds no labels" in str(command("restore", backup, "--only", "labels", "--data", data).exception)


def test_what_was_said_since_stays_and_what_was_lost_comes_back(data: Path) -> None:
    SqliteLabels(data).add([FIRST])
    backup = made(data)
    SqliteLabels(data).add([SINCE])
    assert f"restored {data / LABELS}: 0 labels" in restored(backup, data)
    assert said(data) == [FIRST, SINCE]
    for path in data.glob(f"{LABELS}*"):
        path.unlink()
    SqliteLabels(data).add([SINCE])
    assert f"restored {data / LABELS}: 1 labels" in restored(backup, data)
    assert said(data) == [FIRST, SINCE]


def test_everything_is_restored_into_an_empty_folder(data: Path, tmp_path: Path) -> None:
    SqliteLabels(data).add([FIRST])
    Draws(data).add([Draw(NOON, 1, 0.5)])
    rehearsal = tmp_path / "rehearsal"
    done("restore", made(data), "--data", rehearsal)
    assert said(rehearsal) == [FIRST]
    assert Draws(rehearsal).all() == [Draw(NOON, 1, 0.5)]


def test_damaged_labels_are_kept_aside_and_those_of_the_backup_take_their_place(data: Path) -> None:
    SqliteLabels(data).add([FIRST])
    backup = made(data)
    (data / LABELS).write_bytes(b"no database" * 1000)
    assert "what lay there is in" in restored(backup, data)
    assert said(data) == [FIRST]
    (aside,) = data.glob("before-restore-*")
    assert (aside / LABELS).read_bytes() == b"no database" * 1000


def test_labels_of_a_newer_version_are_left_alone(data: Path) -> None:
    SqliteLabels(data).add([FIRST])
    backup = made(data)
    with closing(sqlite3.connect(data / LABELS)) as connection:
        connection.execute("PRAGMA user_version = 9")
    before = (data / LABELS).read_bytes()
    error = command("restore", backup, "--only", "labels", "--data", data, "--models", data / "models").exception
    assert isinstance(error, LabelError)
    assert error.code == "label.newer_schema"
    assert (data / LABELS).read_bytes() == before


def test_no_backup_is_made_of_damaged_labels(data: Path) -> None:
    SqliteLabels(data).add([label(minutes=minute) for minute in range(2000)])
    content = bytearray((data / LABELS).read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    (data / LABELS).write_bytes(content)
    error = command("make", data.with_name("backups"), "--data", data).exception
    assert isinstance(error, LabelError)
    assert error.code == "label.database_damaged"
    assert list(data.with_name("backups").iterdir()) == []
