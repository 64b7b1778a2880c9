"""What the benchmarks are made of: counting, timing, watching the event loop, processes of their own."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.engines.processor import instruction_set, usable_cores
from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.bench.apart import apart, apart_on
from station.bench.ceiling import ARITHMETIC, compile_work, computes_in, large_work
from station.bench.cell_run import CellRun, Resident
from station.bench.loop_watch import WatchedSelector
from station.bench.machine import busy_share, processor_name
from station.bench.memory import sizes
from station.bench.model_only import gmac_per_strip
from station.bench.resident import child_running, resident_mb
from station.bench.scaling import core_counts
from station.bench.timing import median, percentiles, times_s
from station.core.errors import BugError, CameraError
from station.core.settings import ModelSettings


def test_repetitions_are_counted_without_the_first() -> None:
    calls: list[int] = []
    assert len(times_s(lambda: calls.append(1), 0.0, at_least=5)) == 5
    assert len(calls) == 6


def test_percentiles_are_named_and_a_single_slow_repetition_does_not_move_the_median() -> None:
    assert percentiles([1.0, 2.0, 3.0], 50, 99) == {"p50": 2.0, "p99": 2.98}
    assert median([1.0, 1.0, 1.0, 90.0]) == 1.0


@pytest.mark.parametrize(
    ("usable", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16])]
)
def test_cores_are_counted_in_powers_of_two_up_to_all(usable: int, counts: list[int]) -> None:
    assert core_counts(usable) == counts


def test_the_shipped_network_costs_one_and_a_half_gmac_a_patch() -> None:
    gmac = gmac_per_strip(load_bundle(bundle_folder(SHIPPED)))
    assert gmac is not None
    assert gmac / 2 == pytest.approx(1.46, abs=0.01)


@pytest.mark.parametrize("kind", ["int8", "fp32"])
def test_what_the_ceiling_is_measured_with_is_large(kind: str) -> None:
    works = list(large_work(kind))
    assert {work.name.split()[0] for work in works} == {"product", "convolution"}
    assert all(work.gmac >= 2048**3 / 1e9 for work in works)


@pytest.mark.skipif("avx2" not in instruction_set(), reason="OpenVINO computes in INT8 from AVX2 on")
@pytest.mark.parametrize("kind", ["int8", "fp32"])
def test_the_ceiling_is_computed_in_the_arithmetic_that_it_is_named_after(kind: str) -> None:
    settings = ModelSettings(bundle="any")
    for work in large_work(kind):
        assert computes_in(compile_work(work.graph, settings)) <= ARITHMETIC[kind], work.name


def test_a_callback_that_blocks_the_loop_is_seen_only_while_it_is_watched() -> None:
    selector = WatchedSelector()

    async def block_twice() -> None:
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251  # nobody watches
        selector.noting = True
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251  # that is what is to be seen
        selector.noting = False
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=selector.loop) as runner:
        runner.run(block_twice())
    assert 20 <= selector.longest_ms < 300


def test_growth_is_the_last_quarter_over_the_first_and_sizes_are_the_largest() -> None:
    run = CellRun(8, resident=[Resident(100, 50), Resident(300, 50), Resident(200, 60), Resident(110, 55)])
    assert sizes(run) == {
        "station_mb": 300, "camera_mb": 60, "parts": 4, "station_growth_mb": 10.0, "camera_growth_mb": 5.0,
    }  # fmt: skip


def test_a_run_loses_every_block_that_was_not_scored() -> None:
    assert CellRun(8, looks=3, scored=24).blocks_lost == 0
    assert CellRun(8, looks=3, scored=21).blocks_lost == 3


def test_the_decisions_time_is_from_the_last_line_to_the_plcs_acknowledgement() -> None:
    whole = {"block_7_last_line": 1_000_000, "decided": 3_000_000, "plc_acknowledged": 8_500_000}
    cut = {"block_3_last_line": 1_000_000, "plc_acknowledged": 8_500_000}
    assert CellRun(8, ledgers=[whole, cut]).decisions_ms == [7.5]


def test_the_steps_after_the_last_line_add_up_to_the_whole_way_and_leave_out_cut_turns() -> None:
    moments = {"decided": 5_700_000, "plc_sent": 6_000_000, "plc_acknowledged": 7_500_000, "committed": 9_000_000}
    last = {"block_7_last_line": 0, "block_7_arrived": 1_000_000, "block_7_scored": 5_500_000}
    before = {f"block_{number}_{moment}": 0 for number in range(7) for moment in ("last_line", "arrived", "scored")}
    whole = before | last | moments
    unscored = {name: at for name, at in whole.items() if name != "block_7_scored"}
    steps = CellRun(8, ledgers=[whole, unscored, before | {"decided": 1}]).steps_ms
    assert {step: [round(ms, 3) for ms in took] for step, took in steps.items()} == {
        "arrived": [1.0], "scored": [4.5], "decided": [0.2], "plc_sent": [0.3], "plc_acknowledged": [1.5],
        "committed": [1.5],
    }  # fmt: skip


def test_memory_is_that_of_the_process_that_is_named() -> None:
    waits = [sys.executable, "-c", "print(flush=True); input()", "some.module"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is there whole
        assert child_running("some.module") == child.pid
        found = resident_mb(child.pid)
        assert found is not None
        assert 1 < found < 1000
        child.communicate(b"\n")
    assert child_running("some.module") is None
    assert resident_mb(child.pid) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9B14\nflags\t: avx2\n", "AMD EPYC 9B14"),
        ("processor\t: 0\nHardware\t: Cortex\n", "Cortex"),
        ("", os.uname().machine),
    ],
)
def test_the_processor_is_named_as_linux_names_it(text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    assert processor_name(tmp_path / "cpuinfo") == name


def test_the_share_of_the_processor_in_use_is_a_share() -> None:
    assert 0 <= busy_share(0.02) <= 1


def test_work_apart_has_the_cores_that_it_was_given_and_a_process_of_its_own() -> None:
    assert apart_on(1, usable_cores) == 1
    assert apart(os.getpid) != os.getpid()


def lose_the_camera() -> None:
    raise CameraError("camera.lost", "told across processes")


def test_what_fails_apart_fails_here() -> None:
    with pytest.raises(CameraError, match="told across processes"):
        apart(lose_the_camera)
    with pytest.raises(BugError, match="ended without an answer"):
        apart(os._exit, 3)


BLOCKING = """
import pathlib, threading
try:
    print("begun", flush=True)
    threading.Event().wait()
finally:
    pathlib.Path(UNDONE).touch()
"""
WAITING = """
import asyncio, pathlib
from station.bench.ending import cancelled_by_request
async def work():
    try:
        print("begun", flush=True)
        await asyncio.Event().wait()
    finally:
        pathlib.Path(UNDONE).touch()
asyncio.run(cancelled_by_request(work()))
"""


@pytest.mark.parametrize("work", [BLOCKING, WAITING], ids=["blocking", "waiting in a loop"])
def test_a_wait_for_work_apart_that_is_broken_off_asks_the_work_to_end(tmp_path: Path, work: str) -> None:
    undone = tmp_path / "undone"
    asking = f"""
from station.bench.apart import apart
from station.bench.ending import ended_by_signals
with ended_by_signals():
    apart(exec, {work!r}, {{"UNDONE": {str(undone)!r}}})
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", asking], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "begun\n"
        asker.terminate()
        _said, words = asker.communicate()  # the end comes when the work's process, which shares the pipes, has ended
    assert words.strip().endswith("KeyboardInterrupt")
    assert words.count("Traceback") == 1, "that of who asked"
    assert undone.exists()


IN_THE_START_OF_A_THREAD = """
import asyncio, os, signal, threading
from station.bench.ending import cancelled_by_request

start, before, interrupted = threading._start_new_thread, signal.getsignal(signal.SIGTERM), []

def interrupting(*arguments):
    interrupted.append(1)
    os.kill(os.getpid(), signal.SIGTERM)
    return start(*arguments)

async def work():
    threading._start_new_thread = interrupting
    thread = threading.Thread(target=print, args=("the thread's work",))
    thread.start()
    thread.join()
    threading._start_new_thread = start
    print("the next wait")
    await asyncio.Event().wait()
    print("never")

try:
    asyncio.run(cancelled_by_request(work()))
except asyncio.CancelledError:
    print("cancelled", len(interrupted), signal.getsignal(signal.SIGTERM) == before)
"""


WHILE_THE_LOOP_SLEEPS = """
import asyncio, os, signal, threading
from station.bench.ending import cancelled_by_request

async def work():
    asleep = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
    asyncio.get_running_loop().call_soon(asleep.start)
    try:
        await asyncio.Event().wait()
    finally:
        asleep.join()

try:
    asyncio.run(cancelled_by_request(work()))
except asyncio.CancelledError:
    print("cancelled")
"""


def alone(work: str) -> list[str]:
    """What the work says, in a process of its own: a signal that is not caught ends that, and no test."""
    ran = subprocess.run(
        [sys.executable, "-c", work], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


def test_a_request_to_end_that_comes_in_the_start_of_a_thread_leaves_it_whole() -> None:
    assert alone(IN_THE_START_OF_A_THREAD) == ["the thread's work", "the next wait", "cancelled 1 True"]


def test_a_request_to_end_that_comes_while_the_loop_sleeps_wakes_it() -> None:
    assert alone(WHILE_THE_LOOP_SLEEPS) == ["cancelled"]


def test_work_apart_ends_with_the_process_that_asked_for_it() -> None:
    work = "print('begun', flush=True); import threading; threading.Event().wait()"
    asking = [sys.executable, "-c", f"from station.bench.apart import apart; apart(exec, {work!r})"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(asking, stdout=subprocess.PIPE, text=True, env=environment) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "begun\n"
        asker.kill()
        assert asker.stdout.read() == ""  # the end comes when the work's process, which shares the pipe, has ended too
