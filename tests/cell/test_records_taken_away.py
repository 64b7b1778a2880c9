"""The data folder is deleted, moved or replaced under a running station: nothing is sorted without its record."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from sim.ledger import Happening, Place
from station.cell.packml import Command, State
from tests.cell.fault_bench import PATIENCE_S, FaultBench, fault_bench
from tests.cell.reason_codes import REASON_CODE

FILES = ("records.sqlite", "records.sqlite-wal", "records.sqlite-shm")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[FaultBench]:
    async with fault_bench(tmp_path) as running:
        yield running


def laid_away(bench: FaultBench) -> list[str]:
    """The parts that truly were laid into a place, in order."""
    placed = [entry for entry in bench.truth.entries if entry.event is Happening.PLACED]
    return [str(entry.part_id) for entry in placed if entry.place is not Place.JIG]


def recorded(folder: Path) -> set[str]:
    """The parts whose unload order is written in the database of a folder."""
    question = """SELECT part_id FROM orders JOIN inspections ON inspection = inspections.number
        WHERE device = 'robot' AND verb = 'unload'"""
    with closing(sqlite3.connect(folder / FILES[0])) as connection:
        return {row[0] for row in connection.execute(question)}


async def comes_to(bench: FaultBench, *states: State) -> State:
    async with asyncio.timeout(PATIENCE_S):
        return await bench.desk.reached(*states)


async def sorts_on(bench: FaultBench, parts: int = 3) -> None:
    before = len(laid_away(bench))
    await until(lambda: len(laid_away(bench)) >= before + parts)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # the simulated cell has no event to wait for
            await asyncio.sleep(0.01)


def delete_folder(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # the station may take its lock anew while the folder is emptied


def delete_files(data: Path) -> None:
    for name in FILES:
        (data / name).unlink()


def replace(data: Path) -> None:
    shutil.copy(data / FILES[0], data / "copy")
    (data / "copy").replace(data / FILES[0])


@pytest.mark.parametrize("lose", [delete_folder, delete_files, replace])
async def test_the_cell_is_held_before_the_next_order_and_no_command_makes_it_sort(
    bench: FaultBench, lose: Callable[[Path], None]
) -> None:
    await sorts_on(bench)
    lose(bench.folder / "data")
    before = laid_away(bench)
    assert await comes_to(bench, State.HELD, State.ABORTED) is State.HELD
    await says_why(bench, State.HELD)
    for command in (Command.UNHOLD, Command.RESET, Command.RESET):
        bench.give(command)
        assert await comes_to(bench, State.STOPPED, State.IDLE, State.EXECUTE, State.ABORTED) is State.STOPPED
        await says_why(bench, State.STOPPED)
    assert len(laid_away(bench)) - len(before) <= 1, "the part whose order was out already"


async def says_why(bench: FaultBench, state: State) -> None:
    reason = bench.desk.view.reason
    assert reason is not None
    assert reason.fault.code == "record.disk_failed"
    assert str(bench.folder / "data" / FILES[0]) in reason.detail
    assert "restart the station" in reason.detail
    await until(lambda: bench.words.reports[-1] == (state, REASON_CODE["record.disk_failed"]))


async def test_a_data_folder_that_is_moved_and_moved_back_holds_the_cell_and_no_part_is_without_a_record(
    bench: FaultBench,
) -> None:
    data, elsewhere = bench.folder / "data", bench.folder / "elsewhere"
    await sorts_on(bench)
    data.rename(elsewhere)
    assert await comes_to(bench, State.HELD, State.ABORTED) is State.HELD
    assert set(laid_away(bench)) <= recorded(elsewhere)
    elsewhere.rename(data)
    bench.give(Command.UNHOLD)
    assert await comes_to(bench, State.HELD, State.EXECUTE, State.ABORTED) is State.EXECUTE
    await sorts_on(bench)
    await bench.stop()
    assert set(laid_away(bench)) <= recorded(data)
    places = {row["part_id"]: row["confirmed_bin"] for row in bench.records()}
    assert all(places[part_id] == bench.place_of(part_id) for part_id in laid_away(bench))


async def test_a_log_that_is_deleted_stops_nothing_and_loses_nothing(bench: FaultBench) -> None:
    await sorts_on(bench)
    for name in FILES[1:]:
        (bench.folder / "data" / name).unlink()
    await sorts_on(bench)
    copy = bench.folder / "after a power cut"
    sorted_before = set(laid_away(bench))
    shutil.copytree(bench.folder / "data", copy)
    assert sorted_before <= recorded(copy)
    assert bench.desk.view.state in {State.EXECUTE, State.SUSPENDED, State.SUSPENDING, State.UNSUSPENDING}
    await bench.stop()
