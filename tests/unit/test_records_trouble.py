"""When disk, database or process fail: a fault with a name, nothing half written, and work goes on afterwards."""

import asyncio
import gc
import json
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from station.core.errors import RecordError
from station.core.records import RecordFilter
from station.records.ledger import WRITE_DEADLINE_S
from station.records.opening import BUSY_TIMEOUT_S
from station.records.query import export_records
from station.records.trouble import translated
from tests.housings import Destination
from tests.record_samples import PART_TYPE, decision, judgement, open_ledger, part

DATABASE = "records.sqlite"
WRITES_IN_A_LOOP = """
import asyncio, itertools, sys
from pathlib import Path
from station.core.part import Receipt
from tests.housings import Destination
from tests.record_samples import PART_TYPE, judgement, open_ledger, part

async def main() -> None:
    ledger = await open_ledger(Path(sys.argv[1]))
    for count in itertools.count():
        inspection = await ledger.enter(part(f"P-{count}"), PART_TYPE)
        print("entered", inspection.inspection_id, flush=True)
        order = await ledger.order("robot", "load", 0, inspection)
        print("ordered", order.number, flush=True)
        await ledger.judged(inspection, judgement())
        print("judged", inspection.inspection_id, flush=True)
        await ledger.sorted(inspection, Destination.BIN_PITS)
        print("sorted", inspection.inspection_id, flush=True)

asyncio.run(main())
"""


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file may grow beyond what the write-ahead log has now."""
    size = (folder / f"{DATABASE}-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def refused(folder: Path) -> RecordError:
    with pytest.raises(RecordError) as caught:
        await open_ledger(folder)
    return caught.value


async def test_a_full_disk_is_a_fault_each_time_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part("A"), PART_TYPE)
    with full_disk(tmp_path):
        for _ in range(3):
            with pytest.raises(RecordError) as caught:
                await ledger.judged(inspection, judgement())
            assert caught.value.code == "record.disk_failed"
    assert list(await ledger.open_inspections()) == [inspection]
    await ledger.judged(inspection, judgement())
    await ledger.sorted(inspection, Destination.BIN_PITS)
    assert (await ledger.enter(part("B"), PART_TYPE)).number == 2
    await ledger.close()


async def test_an_order_that_could_not_be_written_takes_no_number(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    await ledger.order("robot", "home", 0, None)
    with full_disk(tmp_path), pytest.raises(RecordError):
        await ledger.order("robot", "home", 0, None)
    assert (await ledger.order("robot", "home", 0, None)).number == 2
    await ledger.close()


async def test_every_commit_is_a_full_one_also_after_a_failure(tmp_path: Path) -> None:
    def safeguards(connection: sqlite3.Connection) -> list[object]:
        asked = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]

    ledger = await open_ledger(tmp_path)
    assert await ledger._commit(safeguards) == ["wal", 2, 1]
    with full_disk(tmp_path), pytest.raises(RecordError):
        await ledger.note("fault", "so that the file is opened anew")
    assert await ledger._commit(safeguards) == ["wal", 2, 1]
    await ledger.close()


async def test_a_write_that_fails_after_its_caller_was_cancelled_leaves_no_traceback(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    gate = threading.Event()
    ledger._writer.submit(lambda _database: gate.wait())
    writing = asyncio.create_task(ledger.note("fault", "nobody waits for it"))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    (tmp_path / DATABASE).unlink()
    gate.set()
    with pytest.raises(RecordError):
        await ledger.note("fault", "after it")
    gc.collect()
    assert told == []
    await ledger.close()


async def test_a_vanished_database_is_a_fault_and_no_new_one_is_begun(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    with full_disk(tmp_path), pytest.raises(RecordError):
        await ledger.note("fault", "so that the file is opened anew")
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(RecordError) as caught:
        await ledger.note("fault", "nowhere")
    assert caught.value.code == "record.disk_failed"
    assert not (tmp_path / DATABASE).exists()
    await ledger.close()


async def test_a_second_station_on_the_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    error = await refused(tmp_path)
    assert error.code == "record.in_use"
    assert "process" in error.detail
    await ledger.note("fault", "still at work")
    await ledger.close()
    await (await open_ledger(tmp_path)).close()


async def test_a_locked_database_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.records.opening.BUSY_TIMEOUT_S", 0.01)
    ledger = await open_ledger(tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="locked") as caught:
            await ledger.note("fault", "waits in vain")
    assert caught.value.code == "record.locked"
    await ledger.note("fault", "again")
    await ledger.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_what_is_no_database_is_damaged_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    assert (await refused(tmp_path)).code == "record.database_damaged"
    assert (tmp_path / DATABASE).read_bytes() == content


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    error = await refused(tmp_path)
    assert error.code == "record.database_damaged"
    assert "another program" in error.detail


@pytest.mark.parametrize(
    ("offset", "whence", "content"),
    [
        (-2 * 4096, 2, b"\xa5" * 4096),  # a page of rows
        (36, 0, b"\0\0\0\x05"),  # the count of free pages
        (4096 + 3, 0, b"\xff\xff"),  # the count of cells of the second page
    ],
)
async def test_damage_is_found_when_the_folder_is_opened(
    tmp_path: Path, offset: int, whence: int, content: bytes
) -> None:
    ledger = await open_ledger(tmp_path)
    for count in range(40):
        await ledger.judged(await ledger.enter(part(f"P-{count}"), PART_TYPE), judgement())
    await ledger.close()
    with (tmp_path / DATABASE).open("r+b") as file:
        file.seek(offset, whence)
        file.write(content)
    assert (await refused(tmp_path)).code == "record.database_damaged"


async def test_damage_that_is_met_while_reading_is_told(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    for count in range(40):
        await ledger.judged(await ledger.enter(part(f"P-{count}"), PART_TYPE), judgement())
    await ledger.close()
    content = bytearray((tmp_path / DATABASE).read_bytes())
    content[10 * 4096 :] = b"\xa5" * (len(content) - 10 * 4096)
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(RecordError) as caught:
        "".join(export_records(tmp_path, RecordFilter(), "json"))
    assert caught.value.code == "record.database_damaged"


async def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    error = await refused(tmp_path / "file" / "data")
    assert error.code == "record.disk_failed"
    assert "file" in error.detail


async def test_a_database_that_cannot_be_opened_gives_the_folder_free(tmp_path: Path) -> None:
    (tmp_path / DATABASE).mkdir()
    assert (await refused(tmp_path)).code == "record.disk_failed"
    (tmp_path / DATABASE).rmdir()
    await (await open_ledger(tmp_path)).close()


def test_an_error_of_the_file_system_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"gone\.png: No such file") as caught, translated(tmp_path):
        (tmp_path / "gone.png").read_bytes()
    assert caught.value.code == "record.disk_failed"


def killed_while_writing(folder: Path, lines: int) -> list[tuple[str, str]]:
    """What a process had acknowledged, line by line, when it was killed."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITES_IN_A_LOOP, str(folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        told += [line for line in child.stdout if line.endswith("\n")]
    return [(what, name) for what, name in map(str.split, told)]


@pytest.mark.parametrize("lines", [2, 23, 101])
async def test_after_a_kill_every_acknowledged_write_is_there_and_nothing_is_half(tmp_path: Path, lines: int) -> None:
    acknowledged = killed_while_writing(tmp_path, lines)
    ledger = await open_ledger(tmp_path)
    found = {row["inspection_id"]: row for row in json.loads("".join(export_records(tmp_path, RecordFilter(), "json")))}
    at_least = {"entered": ("open", "judged", "sorted"), "judged": ("judged", "sorted"), "sorted": ("sorted",)}
    for what, name in acknowledged:
        assert what == "ordered" or found[name]["state"] in at_least[what]
    assert len(found) - sum(what == "entered" for what, _name in acknowledged) in {0, 1}
    for row in found.values():
        assert (row["state"] == "open") == (row["judgement"] is None) == (row["verdict"] is None)
        assert len(row["probabilities"]) == (0 if row["state"] == "open" else 16)
    unfinished = [inspection.inspection_id for inspection in await ledger.open_inspections()]
    assert unfinished == [name for name, row in found.items() if row["state"] != "sorted"]
    last = max((int(number) for what, number in acknowledged if what == "ordered"), default=0)
    assert (await ledger.order("robot", "home", 0, None)).number in {last + 1, last + 2}
    await ledger.close()


async def test_judging_many_at_once_loses_none(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspections = await asyncio.gather(*[ledger.enter(part(f"P-{count}"), PART_TYPE) for count in range(30)])
    await asyncio.gather(*[ledger.judged(inspection, judgement(decision())) for inspection in inspections])
    await ledger.close()
    assert (
        len(json.loads("".join(export_records(tmp_path, RecordFilter.parse(None, None, ["pits"], None), "json")))) == 30
    )


HOLDS_A_LOCK = """
import sqlite3, sys
from tests.housings import Destination, TABLE
from tests.housings import Destination, TABLE
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
other.execute("ROLLBACK")
"""


@contextmanager
def locked_by_another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDS_A_LOCK, str(folder / DATABASE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield other
        if other.stdin is not None and not other.stdin.closed:
            other.stdin.close()


async def test_a_lock_of_another_program_is_told_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.records.opening.BUSY_TIMEOUT_S", 0.01)
    ledger = await open_ledger(tmp_path)
    with locked_by_another(tmp_path) as other, pytest.raises(RecordError) as caught:
        await ledger.note("fault", "waits in vain")
    assert caught.value.code == "record.locked"
    assert f"process {other.pid} (python" in caught.value.detail
    await ledger.note("fault", "again")
    await ledger.close()


async def test_a_lock_that_ends_within_the_writes_deadline_needs_nobody(tmp_path: Path) -> None:
    assert BUSY_TIMEOUT_S < WRITE_DEADLINE_S
    ledger = await open_ledger(tmp_path)
    with locked_by_another(tmp_path) as other:
        written = asyncio.create_task(ledger.note("fault", "waits"))
        assert not (await asyncio.wait([written], timeout=0.1))[0], "it waits for the lock"
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        await written
    await ledger.close()
