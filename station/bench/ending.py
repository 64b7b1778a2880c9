"""How a benchmark that is broken off ends: whatever was begun is undone, and nothing is left on the disk or running."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """While in this context SIGTERM and a lost terminal break off as Ctrl-C does, at whose end everything is undone.

    By themselves they would end the process at once, and leave its folders and what it has started.
    """
    before = [signal.signal(number, _break_off) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in zip(ENDING, before, strict=True):
            signal.signal(number, handler)


async def cancelled_by_request(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; SIGTERM cancels it at its next wait, so that what was begun is undone.

    Nothing is raised into what runs when the signal comes. That may be the start of a thread, which an exception leaves
    half begun.

    Raises:
        CancelledError: SIGTERM has come.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, name="work")

    def cancel(_number: int, _frame: FrameType | None) -> None:
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)  # a loop that waits for its sockets looks at its tasks

    before = signal.signal(signal.SIGTERM, cancel)
    try:
        return await task
    finally:
        signal.signal(signal.SIGTERM, before)


def _break_off(_number: int, _frame: FrameType | None) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell sets it for what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
