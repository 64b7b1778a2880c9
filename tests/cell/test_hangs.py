"""What hangs becomes a fault, and a wall clock that is set becomes none: above the ports."""

import asyncio
import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

from station.cell.packml import Command, State
from station.core.errors import ModelError
from station.core.records import RecordFilter
from station.records.ledger import SqliteLedger
from station.records.query import export_records
from tests.cell.bench import running, settings, until
from tests.cell.reason_codes import REASON_CODE
from tests.cell.wired_bench import wired
from tests.housings import Verdict
from tests.thread_jobs import Hang
from tests.virtual_time import LoopClock, in_virtual_time

DAY_S = 86_400.0


async def test_a_network_that_hangs_sends_the_part_to_review_and_holds_the_cell_which_runs_on_after_unhold() -> None:
    async with wired(settings(watchdog={"compute_timeout_s": 1.5})) as line_and_cell:
        bench = line_and_cell.cell
        await bench.start()
        gate, score = threading.Event(), bench.classifier.score
        bench.classifier.score = lambda _patches: gate.wait()  # type: ignore[method-assign, assignment, return-value]
        bench.feed("A1")
        assert await bench.desk.reached(State.HELD, State.EXECUTE, State.ABORTED) is State.EXECUTE
        assert await bench.desk.reached(State.HELD) is State.HELD
        entry = next(iter(bench.ledger.entries.values()))
        assert (entry.state, entry.verdict) == ("sorted", Verdict.REVIEW)
        assert entry.reason is not None
        assert entry.reason.code == "model.engine_failed"
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        reason = bench.desk.view.reason
        assert reason is not None
        assert (reason.fault.code, "no answer within 1.5 s" in reason.detail) == ("model.engine_failed", True)
        await line_and_cell.held_for(REASON_CODE["model.engine_failed"])
        assert {result.reason for result in line_and_cell.words.results_of("A1")} == {6005}
        bench.classifier.score = score  # type: ignore[method-assign]
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE)
        bench.feed("A2")
        await bench.sorted(2)
        assert bench.floor.sorted_parts[-1] == ("A2", "second_inspection")
        gate.set()


@in_virtual_time
async def test_a_network_that_hangs_when_it_is_warmed_up_is_told_and_the_cell_does_not_start() -> None:
    configuration, hang, loop = settings(), Hang(), asyncio.get_running_loop()
    async with running(configuration) as bench:
        bench.classifier.warm_up = hang  # type: ignore[method-assign]
        began_s = loop.time()
        bench.give(Command.RESET)
        assert await bench.desk.reached(State.STOPPED, State.IDLE) is State.STOPPED
        assert loop.time() - began_s == configuration.watchdog.compute_timeout_s
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "model.engine_failed"
        hang.end()


class JumpingClock(LoopClock):
    """A wall clock that is somewhere else at every look: years ahead, years back."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now() + timedelta(days=(-1) ** self.looks * 400 * self.looks)


@in_virtual_time
async def test_a_stepped_wall_clock_changes_nothing_but_dates(tmp_path: Path) -> None:
    clock, configuration = JumpingClock(), settings()
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(tmp_path, configuration.records, clock, books, configuration.table)
    async with running(configuration, ledger=ledger, clock=clock, parts=4) as bench:
        await bench.start()
        for number in range(1, 4):
            bench.feed(f"A{number}")
            await until(lambda wanted=number: len(bench.floor.sorted_parts) == wanted)
        await bench.desk.reached(State.SUSPENDED)
        await asyncio.sleep(DAY_S)
        assert bench.desk.view.alarms == ()
        bench.classifier.failure = ModelError("model.engine_failed", "planted")
        bench.feed("A4")
        await bench.desk.reached(State.HELD)
        bench.classifier.failure = None
        bench.desk.acknowledge(None, "anna")
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.COMPLETE)
        assert bench.desk.view.alarms == ()
    await ledger.close()
    rows = json.loads("".join(export_records(tmp_path, RecordFilter(), "json")))
    assert [(row["part_id"], row["state"], row["confirmed_bin"]) for row in rows] == [
        ("A1", "sorted", "second_inspection"), ("A2", "sorted", "second_inspection"),
        ("A3", "sorted", "second_inspection"), ("A4", "sorted", "bin_review"),
    ]  # fmt: skip
    dates = [row["entered_at"] for row in rows]
    assert dates != sorted(dates)
    assert all(0 <= row["ms_after_last_line"] < 20_000 for row in rows)
