"""What learning takes of a computer, and that it stops when a part was judged late."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import TrainingError
from station.core.errors import FAULTS
from station.core.table import housings
from station.learn import commands
from station.learn.commands import Commands
from station.learn.ledger import DeadlineLedger, Judged, together
from station.learn.limits import POOLS, Limits, held_back
from station.learn.lock import LOCK, occupied
from station.records.reader import SqliteReader
from tests.housings import Verdict
from tests.record_samples import PART_TYPE, START, HandClock, decision, judgement, open_ledger, part

TELLS = """
import json, os, resource, sys
told = {"cores": sorted(os.sched_getaffinity(0)), "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "policy": os.sched_getscheduler(0), "threads": os.environ["OMP_NUM_THREADS"]}
sys.stdout.write(json.dumps(told))
"""
WAITS = "import sys; sys.stdout.write('up'); sys.stdout.flush(); sys.stdin = None; import signal; signal.pause()"


class Never:
    """A ledger of a line on which nothing is late."""

    def look(self) -> Judged:
        return Judged(parts=3, slowest_ms=20.0)


class LateAtOnce:
    """A ledger of a line that is late from the second look on."""

    def look(self) -> Judged:
        return Judged(parts=3, late=1, slowest_ms=700.0)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    with occupied(tmp_path / "learning") as descriptor:
        yield descriptor


def running(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a script in place of the station."""
    monkeypatch.setattr(commands, "STATION", ("-c", script))


def test_a_step_has_its_core_its_priority_and_idle_time_from_its_first_instruction_on(
    tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(TELLS, monkeypatch)
    limits = Limits(1, 19, 0)
    before = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
    ran = held_back(limits, lambda: Commands(limits, Never, 0.1, lock)(["learn"], tmp_path / "told.json"))
    told = json.loads((tmp_path / "told.json").read_text())
    assert ran.status == 0
    assert told == {"cores": [max(before[0])], "nice": 19, "policy": os.SCHED_IDLE, "threads": "1"}
    assert (os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)) == before


def test_libraries_are_told_how_many_threads_there_may_be() -> None:
    limits = Limits(10_000, 19, 0)
    assert limits.usable == os.sched_getaffinity(0)
    assert {limits.environment[name] for name in POOLS} == {str(len(limits.usable))}


def test_a_step_that_wants_more_memory_than_it_may_have_fails(
    lock: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    running(
        "import time, resource\nwhile resource.getrlimit(resource.RLIMIT_DATA)[0] < 0: pass\nbytearray(10**9)",
        monkeypatch,
    )
    limits = Limits(1, 19, 300)
    assert held_back(limits, lambda: Commands(limits, Never, 0.1, lock)([])).status == 1
    assert "MemoryError" in capfd.readouterr().err


def test_a_late_part_ends_the_step(lock: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running(WAITS, monkeypatch)
    run = Commands(Limits(1, 19, 0), LateAtOnce, 0.05, lock)
    with pytest.raises(TrainingError, match=r"3 parts judged meanwhile, 1 late, the slowest in 700\.0 ms") as stopped:
        run([], tmp_path / "said")
    assert stopped.value.code == "training.part_was_late"
    assert run.running is None


def test_an_interrupted_learning_runs_no_further_step(lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    running("raise SystemExit(0)", monkeypatch)
    run = Commands(Limits(1, 19, 0), Never, 0.05, lock)
    assert run([]).status == 0
    run.interrupt()
    with pytest.raises(TrainingError, match="interrupted"):
        run([])


def test_two_learnings_in_one_folder_are_refused_and_the_one_at_work_is_named(lock: int, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as refused, occupied(tmp_path / "learning"):
        pytest.fail("two at once")
    assert refused.value.code == "training.in_use"


def test_a_step_keeps_the_lock_of_a_command_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "learning"
    with occupied(folder) as descriptor:
        step = subprocess.Popen([sys.executable, "-c", WAITS], pass_fds=(descriptor,), stdout=subprocess.PIPE)
    try:
        with pytest.raises(TrainingError) as refused, occupied(folder):
            pytest.fail("the step is still at work")
        assert refused.value.code == "training.in_use"
    finally:
        step.kill()
        step.communicate()
    with occupied(folder):
        assert (folder / LOCK).exists()


async def judged(folder: Path, times_ms: list[float], clock: HandClock, *, late: bool = False) -> None:
    ledger = await open_ledger(folder, clock=clock)
    for number, late_ms in enumerate(times_ms):
        inspection = await ledger.enter(part(f"P-{clock.now()}-{number}"), PART_TYPE)
        made = decision(Verdict.REVIEW, fault=FAULTS["scan.late"]) if late else decision(Verdict.PITS)
        await ledger.judged(inspection, replace(judgement(made), ms_after_last_line=late_ms))
    await ledger.close()


def test_the_ledger_counts_what_was_judged_since_it_was_opened(tmp_path: Path) -> None:
    clock = HandClock()
    asyncio.run(judged(tmp_path, [900.0], clock, late=True))
    clock.advance(seconds=10)
    ledger = DeadlineLedger(SqliteReader(tmp_path, housings()), clock)
    assert ledger.look() == Judged()
    clock.advance(seconds=10)
    asyncio.run(judged(tmp_path, [20.0, 31.5], clock))
    assert ledger.look() == Judged(parts=2, slowest_ms=31.5)
    clock.advance(minutes=10)
    asyncio.run(judged(tmp_path, [700.0], clock, late=True))
    assert ledger.look() == Judged(parts=3, late=1, slowest_ms=700.0)


def test_where_nothing_was_ever_inspected_nothing_was_late(tmp_path: Path) -> None:
    ledger = DeadlineLedger(SqliteReader(tmp_path, housings()), HandClock(START))
    assert str(ledger.look()) == "no part was judged meanwhile"


def test_steps_are_summed_up() -> None:
    every = [Judged(), Judged(parts=2, slowest_ms=20.0), Judged(parts=3, late=1, slowest_ms=30.0)]
    assert together(every) == Judged(parts=5, late=1, slowest_ms=30.0)
    assert together([]) == Judged()
