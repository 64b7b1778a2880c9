"""A disk that fails holds the cell, and nothing is sorted without its record."""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from station.core.clock import SystemClock
from station.core.errors import RecordError
from station.core.part import SurfaceClass
from station.core.settings import RecordSettings, Settings
from station.flow.record import SqliteLedger
from station.packml import Command, State
from station.records.query import RecordFilter, export_records
from tests.cell.bench import Bench, running, settings, until

DISK_KB = 700


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 700 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here: it needs root and the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@asynccontextmanager
async def recorded(folder: Path, configuration: Settings) -> AsyncIterator[tuple[Bench, SqliteLedger]]:
    """A cell whose records are in a real database."""
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(folder, RecordSettings(), SystemClock(), books)
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


async def feed_until_held(bench: Bench, parts: int) -> None:
    """Feed parts until the cell is Held."""
    for number in range(1, parts + 1):
        bench.feed(f"P{number}")
        await until(lambda n=number: len(bench.floor.sorted_parts) == n or bench.controller.state is State.HELD)
        if bench.controller.state is State.HELD:
            return
    raise AssertionError("the cell was never Held")


async def test_a_full_disk_holds_the_cell_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    async with recorded(small_disk, settings()) as (bench, _ledger):
        bench.classifier.says = SurfaceClass.PITS
        ballast = small_disk / "ballast"
        free = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * max(0, free.f_bavail * free.f_bsize - 120_000))
        await feed_until_held(bench, 200)
        fault, detail = bench.controller.trouble
        assert fault is not None
        assert fault.code == "record.disk_failed"
        assert str(small_disk) in detail
        held_with = dict(bench.floor.sorted_parts)
        ballast.unlink()
        assert held_with.items() >= sorted_in(small_disk).items()
        assert len(held_with) - len(sorted_in(small_disk)) <= 1, "at most the part whose last word was being written"
        bench.controller.command(Command.UNHOLD)
        await bench.controller.reached(State.EXECUTE)
        assert sorted_in(small_disk) == dict(bench.floor.sorted_parts)
        bench.feed("again")
        await until(lambda: "again" in dict(bench.floor.sorted_parts))


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
        await breaks(ledger, tmp_path)
        bench.feed("P2")
        assert await bench.controller.reached(State.HELD) is State.HELD
        fault, _detail = bench.controller.trouble
        assert fault is not None
        assert fault.code == code
        assert "P2" not in dict(bench.floor.sorted_parts)


def database_in(folder: Path) -> Path:
    """The database of a data folder."""
    (database,) = folder.glob("*.sqlite")
    return database


async def test_a_database_with_a_damaged_page_is_refused_at_the_start(tmp_path: Path) -> None:
    async with recorded(tmp_path, settings()) as (bench, _ledger):
        for number in range(30):
            bench.feed(f"P{number}")
            await until(lambda n=number: f"P{n}" in dict(bench.floor.sorted_parts))
    content = bytearray(database_in(tmp_path).read_bytes())
    content[-2 * 4096 : -4096] = b"\xa5" * 4096
    database_in(tmp_path).write_bytes(content)
    with pytest.raises(RecordError) as refused:
        async with recorded(tmp_path, settings()):
            pass
    assert refused.value.code == "record.database_damaged"
