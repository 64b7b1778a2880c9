"""What is written lies where people look for it; what was taken away is noticed before the next order goes out."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from station.core.errors import RecordError
from station.core.place import displaced
from station.records.folder import claim
from station.records.ledger import SqliteLedger
from tests.file_systems import mount, mounted, unmount
from tests.housings import Destination
from tests.record_samples import PART_TYPE, judgement, open_ledger, part

DATABASE, LOCK = "records.sqlite", "station.lock"
READS = """
import sqlite3, sys
from tests.housings import Destination
from tests.housings import Destination
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM sqlite_master").fetchone()
print(1, flush=True)
sys.stdin.read()
"""
FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")


async def at_work(folder: Path) -> SqliteLedger:
    """A ledger with one sorted part, whose record is in the write-ahead log only."""
    ledger = await open_ledger(folder)
    await sort(ledger, "before")
    return ledger


async def sort(ledger: SqliteLedger, part_id: str) -> None:
    inspection = await ledger.enter(part(part_id), PART_TYPE)
    await ledger.judged(inspection, judgement())
    await ledger.order("robot", "unload", 3, inspection)
    await ledger.sorted(inspection, Destination.BIN_PITS)


def recorded(folder: Path) -> list[str]:
    """The parts in a folder's database, by another connection."""
    return [row[0] for row in rows(folder, "SELECT part_id FROM inspections ORDER BY number")]


def rows(folder: Path, question: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchall()


def after_a_power_cut(folder: Path, copy: Path) -> list[str]:
    """What a station would find that starts on what lies on the disk now."""
    shutil.copytree(folder, copy)
    return recorded(copy)


def delete(folder: Path, *names: str) -> None:
    for name in names or FILES:
        (folder / name).unlink()


def move_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def move_folder_and_make_another(folder: Path) -> None:
    move_folder(folder)
    folder.mkdir()


def replace_by_a_copy(folder: Path) -> None:
    shutil.copy(folder / DATABASE, folder / "copy")
    (folder / "copy").replace(folder / DATABASE)


def replace_by_an_empty_file(folder: Path) -> None:
    (folder / DATABASE).unlink()
    (folder / DATABASE).touch()


def replace_by_a_folder(folder: Path) -> None:
    (folder / DATABASE).unlink()
    (folder / DATABASE).mkdir()


def rename_database(folder: Path) -> None:
    (folder / DATABASE).rename(folder / "old.sqlite")


GONE, REPLACED = "is not there any more", "was replaced"
LOSSES: list[tuple[Callable[[Path], None], str]] = [
    (delete, GONE),
    (lambda folder: delete(folder, DATABASE), GONE),
    (shutil.rmtree, GONE),
    (move_folder, GONE),
    (move_folder_and_make_another, GONE),
    (rename_database, GONE),
    (replace_by_a_copy, REPLACED),
    (replace_by_an_empty_file, REPLACED),
    (replace_by_a_folder, REPLACED),
]


@pytest.mark.parametrize(("lose", "told"), LOSSES)
async def test_no_order_is_given_out_once_the_database_is_not_in_its_place(
    tmp_path: Path, lose: Callable[[Path], None], told: str
) -> None:
    folder = tmp_path / "data"
    ledger = await at_work(folder)
    lose(folder)
    for _ in range(3):
        with pytest.raises(RecordError, match=told) as caught:
            await ledger.order("robot", "load", 0, None)
        assert caught.value.code == "record.disk_failed"
        assert str(folder / DATABASE) in caught.value.detail
        assert "restart the station" in caught.value.detail
    with pytest.raises(RecordError, match=told):
        await ledger.enter(part("after"), PART_TYPE)
    await ledger.close()


@pytest.mark.parametrize(
    ("lose", "bring_back"),
    [
        (move_folder, lambda folder: folder.with_name("elsewhere").rename(folder)),
        (rename_database, lambda folder: (folder / "old.sqlite").rename(folder / DATABASE)),
    ],
)
async def test_a_database_that_was_moved_back_is_gone_on_with(
    tmp_path: Path, lose: Callable[[Path], None], bring_back: Callable[[Path], object]
) -> None:
    folder = tmp_path / "data"
    ledger = await at_work(folder)
    lose(folder)
    with pytest.raises(RecordError):
        await ledger.order("robot", "load", 0, None)
    bring_back(folder)
    await sort(ledger, "after")
    assert recorded(folder) == ["before", "after"]
    await ledger.close()
    assert recorded(folder) == ["before", "after"]


async def test_a_database_that_was_moved_away_without_its_log_is_whole(tmp_path: Path) -> None:
    ledger = await at_work(tmp_path / "data")
    (tmp_path / "taken").mkdir()
    (tmp_path / "data" / DATABASE).rename(tmp_path / "taken" / DATABASE)
    with pytest.raises(RecordError):
        await ledger.order("robot", "load", 0, None)
    await ledger.close()
    assert recorded(tmp_path / "taken") == ["before"]


async def test_a_database_put_in_place_of_the_own_one_is_not_touched(tmp_path: Path) -> None:
    """A backup is put back, with its log, under a running station."""
    folder, backup = tmp_path / "data", tmp_path / "backup"
    ledger = await at_work(folder)
    shutil.copytree(folder, backup)
    shutil.rmtree(folder)
    backup.rename(folder)
    before = {name: (folder / name).read_bytes() for name in FILES[:2]}
    with pytest.raises(RecordError, match=REPLACED):
        await ledger.order("robot", "load", 0, None)
    await ledger.close()
    assert {name: (folder / name).read_bytes() for name in FILES[:2]} == before
    ledger = await open_ledger(folder)
    await sort(ledger, "after")
    await ledger.close()
    assert recorded(folder) == ["before", "after"]


async def test_a_new_file_is_never_taken_for_the_old_one(tmp_path: Path) -> None:
    """File systems give the number of a deleted file to the next one, unless somebody has it open."""
    ledger = await at_work(tmp_path)
    await ledger._write(lambda database: database._let_go())
    delete(tmp_path, DATABASE)
    for _ in range(50):
        (tmp_path / DATABASE).touch()
        with pytest.raises(RecordError, match=REPLACED):
            await ledger.note("fault", "nowhere")
        delete(tmp_path, DATABASE)
    await ledger.close()


async def test_a_change_whose_file_is_taken_away_before_its_commit_is_not_confirmed(tmp_path: Path) -> None:
    ledger = await at_work(tmp_path)

    def lose_it(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO events (at, event, detail) VALUES ('', 'a', 'b')")
        delete(tmp_path)

    with pytest.raises(RecordError, match=GONE):
        await ledger._commit(lose_it)
    await ledger.close()


@pytest.mark.parametrize("names", [FILES[1:2], FILES[2:], FILES[1:]])
async def test_a_log_that_is_deleted_under_the_station_costs_no_record(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "data"
    ledger = await at_work(folder)
    delete(folder, *names)
    await ledger.order("robot", "home", 0, None)
    assert after_a_power_cut(folder, tmp_path / "first") == ["before"]
    await sort(ledger, "after")
    assert after_a_power_cut(folder, tmp_path / "second") == ["before", "after"]
    ((detail,),) = rows(folder, "SELECT detail FROM events WHERE event = 'log_begun_anew'")
    assert str(folder / names[0]) in detail
    await ledger.close()
    assert recorded(folder) == ["before", "after"]


async def test_an_old_log_put_in_place_of_the_present_one_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ledger = await at_work(folder)
    old = (folder / FILES[1]).read_bytes()
    await sort(ledger, "between")
    delete(folder, FILES[1])
    (folder / FILES[1]).write_bytes(old)
    await sort(ledger, "after")
    assert after_a_power_cut(folder, tmp_path / "copy") == ["before", "between", "after"]
    await ledger.close()
    assert recorded(folder) == ["before", "between", "after"]


async def test_a_log_is_not_begun_anew_while_its_records_cannot_be_brought_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.records.opening.BUSY_TIMEOUT_S", 0.05)
    ledger = await at_work(tmp_path)
    with reading_elsewhere(tmp_path):
        await sort(ledger, "meanwhile")
        delete(tmp_path, FILES[1])
        for _ in range(2):
            with pytest.raises(RecordError, match="another program reads") as caught:
                await ledger.order("robot", "home", 0, None)
            assert caught.value.code == "record.disk_failed"
    await ledger.order("robot", "home", 0, None)
    await ledger.close()
    assert recorded(tmp_path) == ["before", "meanwhile"]


@contextmanager
def reading_elsewhere(folder: Path) -> Iterator[None]:
    """Another process sees the database as it is now, as long as this lasts."""
    command = [sys.executable, "-c", READS, str(folder / DATABASE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1\n"
        yield
        reader.communicate()


async def test_a_log_that_was_deleted_just_before_the_end_costs_no_record(tmp_path: Path) -> None:
    ledger = await at_work(tmp_path)
    delete(tmp_path, *FILES[1:])
    with reading_elsewhere(tmp_path):
        await ledger.close()
    assert recorded(tmp_path) == ["before"]


async def test_the_station_looks_after_its_files_without_being_asked_to_write(tmp_path: Path) -> None:
    ledger = await at_work(tmp_path / "data")
    delete(tmp_path / "data", FILES[1])
    await ledger.look()
    assert after_a_power_cut(tmp_path / "data", tmp_path / "copy") == ["before"]
    delete(tmp_path / "data")
    with pytest.raises(RecordError, match=GONE):
        await ledger.look()
    await ledger.close()


# ---------------------------------------------------------------------- the lock


def replace_lock(folder: Path) -> None:
    (folder / "new").touch()
    (folder / "new").replace(folder / LOCK)


@pytest.mark.parametrize("lose", [lambda folder: delete(folder, LOCK), replace_lock])
async def test_a_lock_that_is_taken_away_is_taken_anew_before_another_station_can(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    ledger = await at_work(tmp_path)
    lose(tmp_path)
    await ledger.order("robot", "home", 0, None)
    with pytest.raises(RecordError) as caught:
        await open_ledger(tmp_path)
    assert caught.value.code == "record.in_use"
    ((detail,),) = rows(tmp_path, "SELECT detail FROM events WHERE event = 'lock_taken_anew'")
    assert str(tmp_path / LOCK) in detail
    await ledger.close()
    await (await open_ledger(tmp_path)).close()


async def test_a_folder_that_goes_between_two_looks_is_not_made_anew_so_that_it_can_be_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database still lay at its path; when its lock was looked at a moment later, the folder was gone."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    ledger = await at_work(data)
    looked: list[Path] = []

    def displaced_late(path: Path, own: os.stat_result) -> str | None:
        if path.name == LOCK and not looked:
            looked.append(path)
            data.rename(elsewhere)
        return displaced(path, own)

    monkeypatch.setattr("station.records.database.displaced", displaced_late)
    with pytest.raises(RecordError, match="Put it back where it was") as caught:
        await ledger.order("robot", "home", 0, None)
    assert caught.value.code == "record.disk_failed"
    assert looked
    assert not data.exists()
    elsewhere.rename(data)
    await sort(ledger, "after")
    await ledger.close()
    assert recorded(data) == ["before", "after"]


async def test_a_folder_that_another_station_has_taken_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    ledger = await at_work(tmp_path)
    delete(tmp_path, LOCK)
    other = claim(tmp_path)
    for _ in range(2):
        with pytest.raises(RecordError) as caught:
            await ledger.order("robot", "home", 0, None)
        assert caught.value.code == "record.in_use"
    os.close(other)
    await ledger.order("robot", "home", 0, None)
    await ledger.close()


def test_a_lock_that_is_deleted_while_it_is_taken_is_not_taken_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stations start while the file is deleted between opening it and locking it."""
    flock, held = fcntl.flock, list[int]()

    def flock_late(descriptor: int, how: int) -> None:
        if not held:
            held.append(descriptor)
            delete(tmp_path, LOCK)
        flock(descriptor, how)

    monkeypatch.setattr("station.records.folder.fcntl.flock", flock_late)
    first = claim(tmp_path)
    with pytest.raises(RecordError):
        claim(tmp_path)
    os.close(first)


# ---------------------------------------------------------------------- the file system


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    with mounted(tmp_path / "disk") as folder:
        yield folder


async def test_a_file_system_that_vanishes_or_is_replaced_is_noticed(disk: Path) -> None:
    ledger = await at_work(disk / "data")
    unmount(disk)
    with pytest.raises(RecordError, match=GONE):
        await ledger.order("robot", "home", 0, None)
    assert mount(disk)
    (disk / "data").mkdir()
    (disk / "data" / DATABASE).touch()
    with pytest.raises(RecordError, match="on another file system"):
        await ledger.order("robot", "home", 0, None)
    await ledger.close()


async def test_a_file_system_that_hides_the_own_one_is_noticed_until_it_is_gone(disk: Path) -> None:
    ledger = await at_work(disk / "data")
    assert mount(disk)
    with pytest.raises(RecordError, match=GONE):
        await ledger.order("robot", "home", 0, None)
    unmount(disk)
    await ledger.order("robot", "home", 0, None)
    await ledger.close()
    assert recorded(disk / "data") == ["before"]
