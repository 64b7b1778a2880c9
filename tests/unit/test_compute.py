"""The compute thread: in order, beside the event loop, and given up when it hangs."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from station.cell.compute import ComputeThread
from station.core.errors import ModelError
from tests.thread_jobs import Hang
from tests.virtual_time import in_virtual_time

HANGS_FOR_EVER = """
import asyncio, threading
from station.cell.compute import ComputeThread
from station.core.errors import ModelError

async def main():
    compute = ComputeThread(0.05)
    try:
        await compute.submit(threading.Event().wait)
    except ModelError as error:
        print(error.code)
    compute.close()

asyncio.run(main())
"""


async def test_jobs_are_done_in_order_on_one_thread_beside_the_event_loop() -> None:
    compute, done = ComputeThread(5.0), []

    def job(number: int) -> tuple[int, str]:
        done.append(number)
        return number, threading.current_thread().name

    answers = await asyncio.gather(*[compute.submit(job, number) for number in range(20)])
    compute.close()
    assert done == list(range(20))
    assert answers == [(number, "compute") for number in range(20)]


@pytest.mark.parametrize("error", [ModelError("model.bad_scores", "planted"), TimeoutError("the job's own")])
async def test_what_a_job_raises_is_raised_where_it_is_awaited_and_the_thread_goes_on(error: Exception) -> None:
    compute = ComputeThread(5.0)

    def job() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await compute.submit(job)
    assert caught.value.args == error.args
    assert await compute.submit(lambda: 7) == 7
    compute.close()


@in_virtual_time
async def test_a_thread_that_hangs_is_given_up_and_the_next_job_has_a_fresh_one() -> None:
    compute, hang, late = ComputeThread(20.0), Hang(), []
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    hung, behind = compute.submit(hang), compute.submit(late.append, "behind")
    results = await asyncio.gather(hung, behind, return_exceptions=True)
    assert [result.code for result in results if isinstance(result, ModelError)] == ["model.engine_failed"] * 2
    assert loop.time() - began_s == 20
    assert await compute.submit(threading.current_thread) is not None
    hang.end()
    assert await compute.submit(lambda: "well") == "well"
    assert late == []
    compute.close()


@in_virtual_time
async def test_every_thread_begins_as_it_is_told() -> None:
    begun: list[int] = []
    compute, hang = ComputeThread(20.0, lambda: begun.append(threading.get_ident())), Hang()
    with pytest.raises(ModelError):
        await compute.submit(hang)
    assert await compute.submit(threading.get_ident) == begun[1]
    assert len(set(begun)) == len(begun) == 2
    hang.end()
    compute.close()


async def test_a_thread_that_was_given_up_ends_when_its_job_returns() -> None:
    compute, gate = ComputeThread(0.1), threading.Event()
    hanging = compute._worker.thread
    with pytest.raises(ModelError):
        await compute.submit(gate.wait)
    gate.set()
    await asyncio.to_thread(hanging.join, 20)
    assert not hanging.is_alive()
    compute.close()


async def test_a_job_that_nobody_waits_for_any_more_is_not_begun() -> None:
    compute, gate, done = ComputeThread(5.0), threading.Event(), []
    first = compute.submit(gate.wait)
    second = compute.submit(done.append, 1)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await first
    await compute.submit(lambda: None)
    assert done == []
    compute.close()


def test_a_thread_that_hangs_for_ever_does_not_keep_the_process_from_ending() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS_FOR_EVER], capture_output=True, text=True, timeout=30, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "model.engine_failed"), ended.stderr
