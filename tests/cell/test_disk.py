"""A disk that fails holds the cell, and nothing is sorted without its record."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from station.cell.packml import Command, State
from station.core.alarms import Alarm
from station.core.clock import SystemClock
from station.core.errors import RecordError
from station.core.part import Pixels, Probabilities
from station.core.records import RecordFilter
from station.core.settings import RecordSettings, Settings
from station.host.housekeeping import JOURNAL_BYTES, LOOK_S, keep_house
from station.records.ledger import WRITE_DEADLINE_S, SqliteLedger
from station.records.query import export_records
from tests.cell.bench import Bench, running, settings, until
from tests.cell.reason_codes import REASON_CODE
from tests.cell.wired_bench import WiredBench, wired
from tests.file_systems import mounted
from tests.housings import Verdict
from tests.thread_jobs import Hang
from tests.virtual_time import clock_here, in_virtual_time

DISK_KB = 900


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 900 kB."""
    with mounted(tmp_path / "disk", "-o", f"size={DISK_KB}k") as folder:
        yield folder


@asynccontextmanager
async def recorded(folder: Path, configuration: Settings) -> AsyncIterator[tuple[WiredBench, SqliteLedger]]:
    """A cell whose records are in a real database, and whose PLC is at a real socket."""
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(folder, RecordSettings(), SystemClock(), books, configuration.table)
    try:
        async with wired(configuration, ledger=ledger) as bench:
            await bench.cell.start()
            yield bench, ledger
    finally:
        await ledger.close()


@asynccontextmanager
async def above_the_ports(folder: Path) -> AsyncIterator[tuple[Bench, SqliteLedger]]:
    """A cell on fakes whose records are in a real database."""
    configuration = settings()
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(folder, RecordSettings(), clock_here(), books, configuration.table)
    try:
        async with running(configuration, ledger=ledger) as bench:
            await bench.start()
            yield bench, ledger
    finally:
        await ledger.close()


def sorted_in(folder: Path) -> dict[str, str]:
    """Part ids and confirmed places, as the database has them."""
    rows = json.loads("".join(export_records(folder, RecordFilter(), "json")))
    return {row["part_id"]: row["confirmed_bin"] for row in rows if row["state"] == "sorted"}


async def feed_until_held(bench: WiredBench, parts: int) -> None:
    """Feed parts until the cell is Held."""
    for number in range(1, parts + 1):
        bench.feed(f"P{number}")
        await until(
            lambda n=number: len(bench.cell.floor.sorted_parts) == n or bench.cell.desk.view.state is State.HELD
        )
        if bench.cell.desk.view.state is State.HELD:
            return
    raise AssertionError("the cell was never Held")


async def test_a_full_disk_holds_the_cell_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    async with recorded(small_disk, settings()) as (bench, _ledger):
        bench.cell.classifier.says = Verdict.PITS
        ballast = small_disk / "ballast"
        free = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * max(0, free.f_bavail * free.f_bsize - 120_000))
        await feed_until_held(bench, 200)
        reason = bench.cell.desk.view.reason
        assert reason is not None
        assert reason.fault.code == "record.disk_failed"
        assert str(small_disk) in reason.detail
        await bench.held_for(REASON_CODE["record.disk_failed"])
        held_with = dict(bench.cell.floor.sorted_parts)
        ballast.unlink()
        assert held_with.items() >= sorted_in(small_disk).items()
        assert len(held_with) - len(sorted_in(small_disk)) <= 1, "at most the part whose last word was being written"
        bench.cell.give(Command.UNHOLD)
        await bench.cell.desk.reached(State.EXECUTE)
        assert sorted_in(small_disk) == dict(bench.cell.floor.sorted_parts)
        bench.feed("again")
        await until(lambda: "again" in dict(bench.cell.floor.sorted_parts))


async def make_read_only(ledger: SqliteLedger, _folder: Path) -> None:
    """From now on SQLite refuses to write, until the file is opened anew."""
    await ledger._write(lambda database: database._ready().execute("PRAGMA query_only = ON"))


async def damage_pages(ledger: SqliteLedger, folder: Path) -> None:
    """The file's pages but the first turn to rubbish while nothing of them is in memory."""
    await ledger._write(lambda database: database._let_go())
    file = database_in(folder)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("breaks", "code"), [(make_read_only, "record.disk_failed"), (damage_pages, "record.database_damaged")]
)
async def test_a_database_that_fails_in_work_holds_the_cell(
    tmp_path: Path, breaks: Callable[[SqliteLedger, Path], Awaitable[None]], code: str
) -> None:
    async with recorded(tmp_path, settings()) as (bench, ledger):
        bench.feed("P1")
        await until(lambda: sorted_in(tmp_path))
        while await ledger.untold():  # noqa: ASYNC110  # that is written down when nothing waits for it
            await asyncio.sleep(0.01)
        await breaks(ledger, tmp_path)
        bench.feed("P2")
        assert await bench.cell.desk.reached(State.HELD) is State.HELD
        reason = bench.cell.desk.view.reason
        assert reason is not None
        assert reason.fault.code == code
        await bench.held_for(REASON_CODE[code])
        assert "P2" not in dict(bench.cell.floor.sorted_parts)
        if breaks is make_read_only:
            await bench.command(Command.UNHOLD, State.EXECUTE)
            await until(lambda: "P2" in dict(bench.cell.floor.sorted_parts))
            await until(lambda: sorted_in(tmp_path) == dict(bench.cell.floor.sorted_parts))


@in_virtual_time
async def test_a_disk_that_does_not_answer_in_time_holds_the_cell_and_nothing_is_sorted_or_lost(tmp_path: Path) -> None:
    loop, hang = asyncio.get_running_loop(), Hang()
    async with above_the_ports(tmp_path) as (bench, ledger):
        score = bench.classifier.score

        def stall_and_score(patches: Pixels) -> Probabilities:
            if not stalled:
                stalled.append(ledger._writer.submit(hang))
            return score(patches)

        stalled: list[object] = []
        bench.classifier.score = stall_and_score  # type: ignore[method-assign]
        began_s = loop.time()
        bench.feed("P1")
        await bench.desk.reached(State.HELD)
        assert loop.time() - began_s == WRITE_DEADLINE_S
        reason = bench.desk.view.reason
        assert reason is not None
        assert reason.fault.code == "record.disk_failed"
        assert bench.floor.sorted_parts == []
        hang.end()
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE)
        await until(lambda: "P1" in sorted_in(tmp_path))
        bench.feed("P2")
        await until(lambda: "P2" in sorted_in(tmp_path))
        assert list(sorted_in(tmp_path)) == ["P1", "P2"]
        assert sorted_in(tmp_path) == dict(bench.floor.sorted_parts)


def database_in(folder: Path) -> Path:
    """The database of a data folder."""
    (database,) = folder.glob("*.sqlite")
    return database


async def test_a_database_with_a_damaged_page_is_refused_at_the_start(tmp_path: Path) -> None:
    async with recorded(tmp_path, settings()) as (bench, _ledger):
        for number in range(30):
            bench.feed(f"P{number}")
            await until(lambda n=number: f"P{n}" in dict(bench.cell.floor.sorted_parts))
    content = bytearray(database_in(tmp_path).read_bytes())
    content[-2 * 4096 : -4096] = b"\xa5" * 4096
    database_in(tmp_path).write_bytes(content)
    with pytest.raises(RecordError) as refused:
        async with recorded(tmp_path, settings()):
            pass
    assert refused.value.code == "record.database_damaged"


@asynccontextmanager
async def kept(folder: Path, rules: RecordSettings) -> AsyncIterator[tuple[Bench, SqliteLedger]]:
    """Such a cell, and the housekeeping at work."""
    async with above_the_ports(folder) as (bench, ledger):
        house = asyncio.create_task(keep_house(ledger, bench.built.alarms, rules))
        try:
            yield bench, ledger
        finally:
            house.cancel()
            await asyncio.wait([house])


async def passes(bench: Bench, part_id: str) -> None:
    """One more part is sorted as if nothing had been."""
    bench.feed(part_id)
    await until(lambda: (part_id, "second_inspection") in bench.floor.sorted_parts)


async def looked_after() -> None:
    """The housekeeping has looked once more, and told what it saw."""
    await asyncio.sleep(LOOK_S + 1)


def standing(bench: Bench, code: str) -> Alarm | None:
    return next((alarm for alarm in bench.built.alarms.listed if alarm.fault.code == code and alarm.active), None)


@in_virtual_time
async def test_a_disk_that_fills_is_an_alarm_before_it_is_full_and_the_cell_goes_on(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=16m") as folder:
        async with kept(folder, RecordSettings(reserve_mb=1, low_mb=8)) as (bench, _ledger):
            await passes(bench, "P1")
            await looked_after()
            assert standing(bench, "record.disk_low") is None
            with (folder / "ballast").open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, 10_000_000)
            await looked_after()
            await passes(bench, "P2")
            alarm = standing(bench, "record.disk_low")
            assert alarm is not None
            assert (alarm.count, "records.low_mb is 8" in alarm.detail) == (1, True)
            (folder / "ballast").unlink()
            await looked_after()
            assert standing(bench, "record.disk_low") is None


READS_WITHOUT_END = """
import sqlite3, sys
reader = sqlite3.connect(sys.argv[1], isolation_level=None)
reader.execute("BEGIN")
reader.execute("SELECT count(*) FROM events").fetchone()
print("reads", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a program that reads the database and does not end."""
    begun: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", READS_WITHOUT_END, str(database_in(tmp_path))]
        begun.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert begun[0].stdout is not None
        assert begun[0].stdout.readline() == "reads\n"
        return begun[0]

    yield begin
    for process in begun:
        process.communicate("")


@in_virtual_time
async def test_a_journal_that_grows_is_an_alarm_that_names_the_reader(
    tmp_path: Path, reader: Callable[[], subprocess.Popen[str]]
) -> None:
    async with kept(tmp_path, RecordSettings(reserve_mb=0, low_mb=0)) as (bench, ledger):
        await ledger.note("fault", "begun")
        process = await asyncio.to_thread(reader)
        while (await ledger.room()).journal <= JOURNAL_BYTES:
            await ledger.note("fault", "x" * 4_000_000)
        await looked_after()
        alarm = standing(bench, "record.journal_grows")
        assert alarm is not None
        assert f"process {process.pid} (python" in alarm.detail
        await asyncio.to_thread(process.communicate, "")
        for _ in range(2):
            await ledger.note("fault", "brings the journal in, and begins it anew")
        await looked_after()
        assert standing(bench, "record.journal_grows") is None
