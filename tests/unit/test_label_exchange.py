"""`station label import` and `export` on a real data folder: the same in and out, all or nothing, and said in words."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.labels.formats.registry import FORMATS
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from tests.labelling import Station
from tests.unit.label_files import written

HEAD = "file,class,level,line,column,height,width,note\n"
ROWS = "{name},Kratzer,part,,,,,\n{name},Kratzer,box,10,20,30,40,\n{name},pits,box,0,0,3584,480,whole\n"
MAPPED = ("--map", "Kratzer=scratches")
KILLED_HALFWAY = """
import os, signal, sys
from contextlib import contextmanager
from station.cli import app
from station.labels import sqlite

class Dying:
    def __init__(self, connection):
        self.execute = connection.execute
        self.many = connection.executemany

    def executemany(self, question, rows):
        self.many(question, rows[: len(rows) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

writing = sqlite.writing

@contextmanager
def dying(*where):
    with writing(*where) as connection:
        yield Dying(connection)

sqlite.writing = dying
app.main()
"""


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return Station.at(tmp_path_factory.mktemp("inspected"))


@pytest.fixture
def station(inspected: Station, tmp_path: Path) -> Station:
    return inspected.copied(tmp_path / "data")


@pytest.fixture
def table(station: Station, tmp_path: Path) -> Path:
    """A CSV of three labels of the archived scan, which lies elsewhere under another name."""
    (tmp_path / "scans").mkdir()
    shutil.copyfile(station.scan, tmp_path / "scans" / "returned part.png")
    return written(tmp_path, {"a.csv": HEAD + ROWS.format(name="returned part.png")}) / "a.csv"


def test_labels_of_a_scan_that_the_records_know_are_the_inspection_s(station: Station, table: Path) -> None:
    scans = ("--scans", table.parent / "scans", "--by", "anna", "--note", "of spring", *MAPPED)
    assert "3 labels, 3 of them new" in station.done("import", table, "--format", "csv", *scans)
    said = station.asked("list")
    assert {label["inspection_id"] for label in said} == {station.archived}
    assert sorted((label["class"], label["source"], label["note"]) for label in said) == [
        ("pits", "import", "whole"),
        ("scratches", "import", "of spring"),
        ("scratches", "import", "of spring"),
    ]
    assert "3 labels, 0 of them new" in station.done("import", table, "--format", "csv", *scans)
    assert len(station.asked("list", "--history")) == 3


def test_what_is_refused_says_so_and_leaves_nothing(station: Station, table: Path) -> None:
    error = station.refused("import", table, "--format", "csv", "--scans", table.parent / "scans")
    assert error.code == "label.import_refused"
    assert "a.csv line 2: there is no class 'Kratzer'" in error.detail
    table.write_text(table.read_text() + "gone.png,pits,part,,,,,\n")
    error = station.refused("import", table, "--format", "csv", "--scans", table.parent / "scans", *MAPPED)
    assert error.detail == f"{table} line 5: the picture gone.png is not there"
    assert station.refused("import", table, "--format", "coco").code == "label.import_refused"
    assert station.asked("list", "--history") == []


def test_an_import_that_would_not_count_because_of_the_clock_is_refused(station: Station, table: Path) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    label = Label(InspectionSubject(station.archived), WholePart(), "pits", "anna", future)
    SqliteLabels(station.folder).add([label])
    scans = ("--scans", table.parent / "scans", *MAPPED)
    error = station.refused("import", table, "--format", "csv", "--by", "anna", *scans)
    assert error.code == "label.said_later"
    assert error.detail.startswith(f"{station.archived}, part: anna said something of it at ")
    assert len(station.asked("list", "--history")) == 1
    station.done("import", table, "--format", "csv", "--by", "bert", *scans)


@pytest.mark.parametrize("wrong", ["Kratzer", "=scratches", "Kratzer="])
def test_a_map_that_is_none(wrong: str, station: Station, table: Path) -> None:
    error = station.refused("import", table, "--format", "csv", "--map", wrong)
    assert error.detail == f"--map {wrong}: write it as THEIRS=OURS, each of theirs once"


def test_an_import_that_is_killed_halfway_leaves_nothing_and_can_be_given_again(station: Station, table: Path) -> None:
    words = ["label", "import", table, "--format", "csv", "--scans", table.parent / "scans", *MAPPED, "--data"]
    dying = [sys.executable, "-c", KILLED_HALFWAY, *map(str, words), str(station.folder)]
    root = Path(__file__).parents[2]
    died = subprocess.run(dying, cwd=root, env=os.environ, capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert station.asked("list", "--history") == []
    assert "3 of them new" in station.done(*words[1:-1])


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.write])
def test_what_goes_out_comes_in_at_another_station(
    name: str, station: Station, inspected: Station, table: Path, tmp_path: Path
) -> None:
    scans = ("--scans", table.parent / "scans", "--by", "anna")
    station.done("import", table, "--format", "csv", *scans, *MAPPED)
    told = station.done("export", tmp_path / "out" / "it", "--format", name, "--by", "anna")
    held = [label for label in station.asked("list") if label["level"] in FORMATS[name].levels]
    assert f"{len(held)} labels in {tmp_path / 'out' / 'it'}" in told
    other = inspected.copied(tmp_path / "other")
    archived = ("--scans", other.folder / "archive", "--by", "anna")
    other.done("import", tmp_path / "out" / "it", "--format", name, *archived)
    assert [_place(label) for label in other.asked("list")] == [_place(label) for label in held]


def _place(label: dict[str, object]) -> str:
    kept = {name: value for name, value in label.items() if name not in {"at", "note", "source"}}
    return json.dumps(kept, sort_keys=True)


def test_what_a_format_cannot_hold_is_told_by_name(station: Station, table: Path, tmp_path: Path) -> None:
    station.done("import", table, "--format", "csv", "--scans", table.parent / "scans", "--by", "anna", *MAPPED)
    told = station.done("export", tmp_path / "out.json", "--format", "coco")
    assert f"left out: {station.archived}, part, scratches by anna: coco does not hold this level (part)" in told
    assert "left out: of every label note, source, when, who: coco does not hold them" in told
    assert "left out" not in station.done("export", tmp_path / "out.jsonl", "--format", "jsonl", "--class", "pits")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


def test_nothing_is_overwritten_and_patches_are_not_written(station: Station, table: Path) -> None:
    before = table.read_text()
    assert station.refused("export", table, "--format", "csv").code == "label.not_written"
    assert table.read_text() == before
    error = station.refused("export", table.parent / "new", "--format", "patch-folders")
    assert error.detail == "patch-folders is only read; `station dataset cut` lays patches out"
    assert not (table.parent / "new").exists()
