"""The simulation's exact timer: no moment is called early or twice, and none that was set anew or taken back."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sim.exact_timer import ExactTimer

FAR_S = 3600.0


@contextmanager
def timer(called: "asyncio.Queue[float]") -> Iterator[ExactTimer]:
    loop = asyncio.get_running_loop()
    with closing(ExactTimer(lambda: called.put_nowait(loop.time()))) as made:
        yield made


async def test_it_calls_once_and_not_before_its_moment() -> None:
    called: asyncio.Queue[float] = asyncio.Queue()
    with timer(called) as exact:
        for step_s in (0.0003, 0.002, 0.0):
            due_s = asyncio.get_running_loop().time() + step_s
            exact.set(due_s)
            assert await called.get() >= due_s
        exact.set(asyncio.get_running_loop().time() + FAR_S)
        assert called.empty()


async def test_a_moment_that_is_over_is_called_at_once() -> None:
    called: asyncio.Queue[float] = asyncio.Queue()
    with timer(called) as exact:
        exact.set(asyncio.get_running_loop().time() - 1)
        await called.get()
        exact.set(0.0)
        await called.get()


async def test_the_moment_that_was_set_last_is_the_one() -> None:
    called: asyncio.Queue[float] = asyncio.Queue()
    with timer(called) as exact:
        exact.set(asyncio.get_running_loop().time() + FAR_S)
        due_s = asyncio.get_running_loop().time() + 0.001
        exact.set(due_s)
        assert await called.get() >= due_s


async def test_what_is_taken_back_is_not_called() -> None:
    taken_back: asyncio.Queue[float] = asyncio.Queue()
    after: asyncio.Queue[float] = asyncio.Queue()
    with timer(taken_back) as exact, timer(after) as later:
        begun_s = asyncio.get_running_loop().time()
        exact.set(begun_s + 0.001)
        exact.set(None)
        later.set(begun_s + 0.002)
        await after.get()
        assert taken_back.empty()


async def test_one_that_came_due_and_was_set_anew_meanwhile_waits_for_the_new_moment() -> None:
    """The loop has seen the file become readable, and before it calls, something else sets the timer."""
    called: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    with timer(called) as exact:
        exact.set(loop.time())
        due_s = loop.time() + 0.001
        loop.call_soon(exact.set, due_s)  # it runs before what the loop finds readable in the same round
        assert await called.get() >= due_s
        exact.set(loop.time() + FAR_S)
        assert called.empty()
