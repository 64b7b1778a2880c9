"""Labels on the disk: only ever added, whole or not at all, whoever else labels and whatever the disk does."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from models.errors import LabelError
from station.labels import database
from station.labels.database import DATABASE
from station.labels.rows import COLUMNS, row_of
from station.labels.schema import APPLICATION_ID, VERSIONS
from station.labels.sqlite import ADD, SqliteLabels
from station.records import opening
from tests.file_systems import mounted
from tests.label_samples import label
from tests.other_users import MEMBERS, as_another, needs_root

REPLACE = """REPLACE INTO labels
    SELECT 1, subject, subject_id, file, level, region, geometry, 'scratches', who, at, source, note FROM labels"""
ROOT = Path(__file__).parents[2]
LABELLER = """
import sys
from datetime import timedelta
from pathlib import Path
from station.labels.sqlite import SqliteLabels
from tests.label_samples import label
store = SqliteLabels(Path(sys.argv[1]))
sys.stdin.readline()
for minute in range(int(sys.argv[3])):
    store.add([label(who=sys.argv[2], minutes=minute)])
"""
LABELS_IN_A_LOOP = """
import itertools, sys
from pathlib import Path
from station.labels.sqlite import SqliteLabels
from tests.label_samples import label
store = SqliteLabels(Path(sys.argv[1]))
begun = len({one.at for one in store.labels()})
for minute in itertools.count(begun):
    store.add([label(who=f"person {one}", minutes=minute) for one in range(7)])
    print(minute + 1, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def said(folder: Path) -> SqliteLabels:
    """The store of a folder with one label in it."""
    store = SqliteLabels(folder)
    store.add([label()])
    return store


def changed(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def refused(store: SqliteLabels) -> LabelError:
    """Why a label is not taken."""
    with pytest.raises(LabelError) as caught:
        store.add([label("scratches", minutes=1)])
    return caught.value


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------------- only added


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE labels SET class = 'defect_free'", "a label stays what it is"),
        ("UPDATE labels SET note = 'x' WHERE number = 1", "a label stays what it is"),
        ("DELETE FROM labels", "labels are kept"),
        (REPLACE, "a label stays what it is"),
    ],
)
def test_the_database_itself_refuses_every_change(folder: Path, statement: str, words: str) -> None:
    store = said(folder)
    with pytest.raises(sqlite3.IntegrityError, match=words):
        changed(folder, statement)
    assert store.labels() == [label()]


def test_not_even_replacing_gets_a_label_out(folder: Path) -> None:
    store = said(folder)
    changed(
        folder,
        "REPLACE INTO labels SELECT 7, subject, subject_id, file, level, region, geometry, class, who, at, 'audit', '' "
        "FROM labels",
    )
    assert store.labels() == [label()]


@pytest.mark.parametrize(
    "column",
    ["subject = 'part'", "subject_id = ''", "file = 'x'", "level = 'line'", "region = '3'", "geometry = '1,2,3,4'",
     "class = ''", "who = ' '", "at = '2026-05-01'", "source = 'rumour'"],
)  # fmt: skip
def test_the_database_itself_refuses_what_is_no_label(folder: Path, column: str) -> None:
    said(folder)
    name, _, value = column.partition(" = ")
    later = {"at": "'2026-06-01T00:00:00.000Z'", name: value}
    values = [later.get(one, one) for one in COLUMNS.split(", ")]
    insert = f"INSERT INTO labels ({COLUMNS}) SELECT {', '.join(values)} FROM labels"  # noqa: S608  # of this test
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        changed(folder, insert)


# ---------------------------------------------------------------------- on the disk


def test_a_commit_is_on_the_disk_before_it_returns(folder: Path) -> None:
    said(folder)
    with database.writing(folder, 0) as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]
    assert lying(folder) == [DATABASE]


def test_the_file_is_for_its_owner_and_the_owners_group(folder: Path) -> None:
    said(folder)
    assert stat.S_IMODE((folder / DATABASE).stat().st_mode) == 0o640
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def let_in(folder: Path) -> None:
    """Let everybody come as far as to this folder, however deep it lies in this user's own ones."""
    for parent in folder.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)


@needs_root
def test_where_root_labels_first_the_file_is_the_stations_own(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 4712, 4711)
    said(folder)
    found = (folder / DATABASE).stat()
    assert (found.st_uid, found.st_gid) == (4712, 4711)


def test_two_processes_that_label_at_once_lose_nothing(folder: Path) -> None:
    people, each = ("ada", "bob", "cyd"), 20
    command = [sys.executable, "-c", LABELLER, str(folder)]
    processes = [
        subprocess.Popen([*command, who, str(each)], stdin=subprocess.PIPE, cwd=ROOT, text=True) for who in people
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert lying(folder) == [DATABASE]
    assert Counter(one.who for one in SqliteLabels(folder).labels()) == dict.fromkeys(people, each)


def test_who_is_killed_while_labelling_leaves_each_addition_whole_or_not_at_all(folder: Path) -> None:
    for _ in range(5):
        command = [sys.executable, "-c", LABELS_IN_A_LOOP, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
            assert process.stdout is not None
            told = int(process.stdout.readline())
            process.kill()
            told = max([told, *map(int, process.stdout.read().split("\n")[:-1])])
        found = Counter(one.at for one in SqliteLabels(folder).labels())
        assert set(found.values()) == {7}
        assert len(found) >= told
    assert SqliteLabels(folder).add([label(minutes=-1)]) == 1


def test_a_database_that_another_process_has_put_there_meanwhile_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def too_late(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        SqliteLabels(folder).add([label(who="first")])
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    said(folder)
    assert [one.who for one in SqliteLabels(folder).labels()] == ["first", "ada"]


def test_what_another_program_has_locked_is_told_and_read_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_S", 0.05)
    store = said(folder)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(store).code == "label.locked"
        assert store.labels() == [label()]


def test_a_full_disk_is_told_and_nothing_is_half_there(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-o", "size=2M") as disk:
        store = said(disk)
        (disk / "rest").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        assert "are lacking" in refused(store).detail
        assert store.labels() == [label()]


def test_a_disk_that_fills_while_labels_are_written_takes_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ROOM_BYTES", 0)
    with mounted(tmp_path / "small", "-o", "size=1M") as disk:
        store = said(disk)
        with pytest.raises(LabelError) as caught:
            store.add([label(minutes=minute) for minute in range(1, 20_000)])
        assert caught.value.code == "label.disk_failed"
        assert "full" in caught.value.detail
        assert store.labels() == [label()]
        assert store.add([label(minutes=1)]) == 1


def test_a_disk_that_is_full_at_the_first_label_has_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ROOM_BYTES", 0)
    with mounted(tmp_path / "small", "-o", "size=16k") as disk:
        assert refused(SqliteLabels(disk)).code == "label.disk_failed"
        assert lying(disk) == []


def test_the_records_reserve_is_not_touched(folder: Path) -> None:
    error = refused(SqliteLabels(folder, reserve_bytes=1 << 60))
    assert error.code == "label.disk_failed"
    assert "for the records' reserve" in error.detail
    assert not (folder / DATABASE).exists()


@needs_root
def test_where_nothing_may_be_written_labels_are_read_and_none_is_taken(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk") as disk:
        store = said(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert store.labels() == [label()]
        assert refused(store).code == "label.disk_failed"
        assert store.labels() == [label()]


@needs_root
def test_another_user_is_told_that_the_folder_is_not_permitted(folder: Path) -> None:
    folder.mkdir(0o755)
    code = """
from models.errors import LabelError
from station.labels.sqlite import SqliteLabels
from tests.label_samples import label
try:
    SqliteLabels(Path(sys.argv[1])).add([label()])
except LabelError as error:
    print(error.code, error.detail)
"""
    let_in(folder)
    folder.chmod(folder.stat().st_mode | 0o055)
    with as_another(code, folder, first="import cv2, numpy, pydantic, structlog, models.errors, station.labels.sqlite, "
                    "tests.label_samples") as child:  # fmt: skip
        said_by_it, _ = child.communicate(timeout=60)
    assert said_by_it.startswith("label.disk_failed"), said_by_it
    assert os.strerror(errno.EACCES) in said_by_it
    assert lying(folder) == []


@needs_root
def test_the_folders_group_reads_and_a_stranger_does_not(folder: Path) -> None:
    said(folder)
    for path in (folder, folder / DATABASE):
        os.chown(path, 0, MEMBERS)
    let_in(folder)
    code = """
from models.errors import LabelError
from station.labels.sqlite import SqliteLabels
try:
    print(len(SqliteLabels(Path(sys.argv[1])).labels()))
except LabelError as error:
    print(error.code)
"""
    loaded = "import station.labels.sqlite"
    for groups, told in (((MEMBERS,), "1\n"), ((), "label.disk_failed\n")):
        with as_another(code, folder, groups=groups, first=loaded) as child:
            assert child.communicate(timeout=60)[0] == told


# ---------------------------------------------------------------------- what is no database of labels


def test_a_newer_version_is_refused_and_left_alone(folder: Path) -> None:
    store = said(folder)
    changed(folder, f"PRAGMA user_version = {len(VERSIONS) + 1}")
    before = (folder / DATABASE).read_bytes()
    for ask in (store.labels, lambda: store.add([label()])):
        with pytest.raises(LabelError) as caught:
            ask()
        assert caught.value.code == "label.newer_schema"
    assert (folder / DATABASE).read_bytes() == before


def test_another_programs_database_and_a_damaged_one_are_refused(folder: Path) -> None:
    folder.mkdir()
    store, path = SqliteLabels(folder), folder / DATABASE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE labels (x)")
    foreign = path.read_bytes()
    for content in (foreign, b"", b"no database at all" * 99):
        path.write_bytes(content)
        for ask in (store.labels, lambda: store.add([label()])):
            with pytest.raises(LabelError) as caught:
                ask()
            assert caught.value.code == "label.database_damaged"
        assert path.read_bytes() == content


def test_a_row_that_is_no_label_is_told(folder: Path) -> None:
    store = said(folder)
    row = [*row_of(label(minutes=1))]
    row[3:6] = ["patch", "999", "3584,448,128,2"]
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(ADD, row)
    with pytest.raises(LabelError) as caught:
        store.labels()
    assert caught.value.code == "label.database_damaged"
    assert "no patch 999" in caught.value.detail


def test_the_database_names_its_kind_and_version(folder: Path) -> None:
    said(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        names = ("application_id", "user_version")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert found == [APPLICATION_ID, len(VERSIONS)]
