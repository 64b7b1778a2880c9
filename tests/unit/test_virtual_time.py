"""The loop whose clock jumps: exact, never over what a thread or a socket still has to say, and never hanging."""

import asyncio
import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from station.cell.compute import ComputeThread
from station.core.errors import ModelError
from tests.thread_jobs import Hang
from tests.virtual_time import BEGIN_S, LoopClock, TimeStandsStillError, VirtualTimeLoop, in_virtual_time, loop_ns, turn

DAY_S = 86_400.0
WORK_S = 0.02
"""How long a thread works for real: long for a loop that does not wait for it."""


def now_s() -> float:
    return asyncio.get_running_loop().time()


@in_virtual_time
async def test_a_year_is_over_at_once_and_ends_at_the_exact_moment() -> None:
    began = time.monotonic()
    await asyncio.sleep(365 * DAY_S)
    assert now_s() == BEGIN_S + 365 * DAY_S
    assert time.monotonic() - began < DAY_S


@in_virtual_time
async def test_timers_end_in_their_order_each_at_its_own_moment() -> None:
    ended: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append((name, now_s() - BEGIN_S))

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 7200.0), ("soon", 0.25), ("later", 7200.5)):
            group.create_task(wait(name, seconds))
    assert ended == [("soon", 0.25), ("late", 7200.0), ("later", 7200.5)]


@in_virtual_time
async def test_no_time_passes_while_anything_is_ready() -> None:
    for _ in range(10_000):
        await asyncio.sleep(0)
    assert now_s() == BEGIN_S


@in_virtual_time
async def test_who_only_looks_sees_every_step_and_lets_time_pass() -> None:
    seen: list[int] = []
    steps: list[int] = []

    async def work_on() -> None:
        for number in range(3):
            await asyncio.to_thread(work)
            steps.append(number)
            await asyncio.sleep(0)
            steps.append(number)
            await asyncio.sleep(DAY_S)

    working = asyncio.create_task(work_on())
    while not working.done():
        if len(steps) not in seen:
            seen.append(len(steps))
        await turn()
    assert seen == list(range(7))
    assert now_s() == BEGIN_S + 3 * DAY_S


@in_virtual_time
async def test_what_a_look_sets_in_motion_is_looked_at_before_time_passes() -> None:
    answers: list[asyncio.Future[int]] = []
    looks = 0
    while not (answers and answers[0].done()):
        if looks == 1:
            answers.append(asyncio.ensure_future(asyncio.to_thread(work)))
        looks += 1
        await turn()
    assert now_s() == BEGIN_S


@in_virtual_time
async def test_a_deadline_ends_what_would_wait_for_ever() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(DAY_S):
            await asyncio.Event().wait()
    assert now_s() == BEGIN_S + DAY_S


@in_virtual_time
async def test_a_cancelled_timer_moves_no_clock() -> None:
    asyncio.get_running_loop().call_later(DAY_S, pytest.fail).cancel()
    await asyncio.sleep(1)
    assert now_s() == BEGIN_S + 1


async def in_a_pool() -> int:
    return await asyncio.to_thread(work)


async def on_the_compute_thread() -> int:
    compute = ComputeThread(DAY_S)
    try:
        return await compute.submit(work)
    finally:
        compute.close()


async def in_a_chain_of_pools() -> int:
    """The answer of one pool is given to another by the first one's thread."""
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        answer: Future[int] = Future()

        def go_on(done: "Future[int]") -> None:
            second.submit(lambda: answer.set_result(done.result()))

        first.submit(work).add_done_callback(go_on)
        return await asyncio.wrap_future(answer)


def work() -> int:
    time.sleep(WORK_S)
    return 7


@pytest.mark.parametrize("give", [in_a_pool, on_the_compute_thread, in_a_chain_of_pools])
@in_virtual_time
async def test_the_clock_stands_still_while_a_thread_works(give: Callable[[], Awaitable[int]]) -> None:
    async with asyncio.timeout(1e-6):
        assert await give() == 7
    assert now_s() == BEGIN_S


@in_virtual_time
async def test_a_job_that_nobody_waits_for_holds_the_clock_too() -> None:
    done: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (work(), done.append(loop.time())))
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1)
    assert done == [BEGIN_S]


@in_virtual_time
async def test_a_job_whose_caller_is_gone_holds_the_clock_until_it_is_done() -> None:
    begun, done = threading.Event(), list[float]()

    def job() -> None:
        begun.set()
        work()
        done.append(loop.time())

    loop = asyncio.get_running_loop()
    waiting = asyncio.ensure_future(asyncio.to_thread(job))
    await asyncio.sleep(0)
    begun.wait()
    waiting.cancel()
    await asyncio.sleep(1)
    assert (waiting.cancelled(), done) == (True, [BEGIN_S])


@in_virtual_time
async def test_a_job_that_was_cancelled_before_it_began_is_not_done() -> None:
    done, hang = list[int](), Hang()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hang)
        behind = pool.submit(done.append, 1)
        assert behind.cancel()
        hang.end()
    await asyncio.sleep(1)
    assert done == []


@in_virtual_time
async def test_what_a_thread_raises_is_raised_where_it_is_awaited() -> None:
    def fail() -> None:
        raise ModelError("model.bad_scores", "planted")

    with pytest.raises(ModelError, match="planted"):
        await asyncio.to_thread(fail)


@in_virtual_time
async def test_time_passes_over_a_thread_that_hangs_and_over_all_that_waits_behind_it() -> None:
    compute, hang = ComputeThread(20.0), Hang()
    hung, behind = compute.submit(hang), compute.submit(work)
    results = await asyncio.gather(hung, behind, return_exceptions=True)
    assert [type(result) for result in results] == [ModelError, ModelError]
    assert now_s() == BEGIN_S + 20
    assert await compute.submit(work) == 7, "a fresh thread"
    assert now_s() == BEGIN_S + 20
    hang.end()
    await asyncio.sleep(1)
    compute.close()


@in_virtual_time
async def test_a_thread_that_goes_on_after_a_hang_holds_the_clock_again() -> None:
    done: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        hang, loop = Hang(), asyncio.get_running_loop()
        pool.submit(hang)
        pool.submit(lambda: (work(), done.append(loop.time())))
        await asyncio.sleep(DAY_S)
        assert done == []
        hang.end()
        await asyncio.sleep(1)
        assert done == [BEGIN_S + DAY_S]


@in_virtual_time
async def test_no_time_passes_while_something_lies_in_a_socket(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "socket")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
    async with asyncio.timeout(1e-6):
        for line in (b"one\n", b"two\n"):
            writer.write(line)
            assert await reader.readline() == line
    await asyncio.sleep(DAY_S)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    server.close()
    await server.wait_closed()
    assert now_s() == BEGIN_S + DAY_S


def standing_still(test: Callable[[], Awaitable[None]]) -> str:
    """What the loop says of a test that it cannot bring to its end."""

    @functools.wraps(test)
    async def run() -> None:
        await test()

    with pytest.raises(TimeStandsStillError) as caught:
        in_virtual_time(run)()
    return str(caught.value)


def test_a_test_that_would_hang_fails_at_once_and_names_its_tasks() -> None:
    async def hangs() -> None:
        waiting = asyncio.create_task(asyncio.Event().wait(), name="the line")
        await waiting

    assert "'the line'" in standing_still(hangs)


def test_who_looks_for_what_never_comes_fails_at_once() -> None:
    async def looks() -> None:
        while True:
            await turn()

    assert "wait for ever" in standing_still(looks)


def test_time_does_not_overtake_a_connection_whose_end_may_be_elsewhere() -> None:
    async def talks() -> None:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        try:
            await asyncio.sleep(1)
        finally:
            server.close()

    assert "comes from elsewhere" in standing_still(talks)


def test_a_task_that_is_left_fails_the_test() -> None:
    async def leaves() -> None:
        left.append(asyncio.create_task(asyncio.sleep(DAY_S), name="forgotten"))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    with pytest.raises(AssertionError, match="forgotten"):
        in_virtual_time(leaves)()
    assert left[0].cancelled()


ANSWERS_NOTHING = """
import socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.bind(sys.argv[1])
    server.listen()
    print("listening", flush=True)
    connection, _ = server.accept()
    connection.recv(1)
"""


def test_time_does_not_overtake_another_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ANSWERS_NOTHING, str(tmp_path / "socket")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"listening\n"

        async def waits() -> None:
            _reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            try:
                await asyncio.sleep(1)
            finally:
                writer.transport.abort()

        assert "comes from elsewhere" in standing_still(waits)


def test_time_does_not_overtake_a_pipe() -> None:
    async def listens() -> None:
        ours, theirs = os.pipe()
        asyncio.get_running_loop().add_reader(ours, lambda: None)
        try:
            await asyncio.sleep(1)
        finally:
            asyncio.get_running_loop().remove_reader(ours)
            os.close(ours)
            os.close(theirs)

    assert "comes from elsewhere" in standing_still(listens)


def test_time_does_not_overtake_a_thread_that_nobody_counts() -> None:
    gate = threading.Event()

    async def has_a_thread() -> None:
        threading.Thread(target=gate.wait, name="stranger").start()
        await asyncio.sleep(1)

    try:
        assert "['stranger']" in standing_still(has_a_thread)
    finally:
        gate.set()


@in_virtual_time
async def test_the_clock_of_the_loop_tells_its_time_and_a_date_that_goes_with_it() -> None:
    clock = LoopClock()
    began, began_ns = clock.now(), clock.monotonic_ns()
    await asyncio.sleep(DAY_S)
    assert clock.monotonic_ns() - began_ns == DAY_S * 1e9
    assert (clock.now() - began).total_seconds() == DAY_S
    clock.step(-3600)
    assert (clock.now() - began).total_seconds() == DAY_S - 3600
    assert (clock.monotonic_ns(), clock.elapsed_s) == (loop_ns(), DAY_S)


@in_virtual_time
async def test_a_stall_is_time_in_which_nothing_runs() -> None:
    ran: list[float] = []
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.call_later(1.0, lambda: ran.append(loop.time()))
    loop.stall(5.0)
    assert ran == []
    await asyncio.sleep(1.0)
    assert (ran, loop.time()) == ([BEGIN_S + 5], BEGIN_S + 6)
