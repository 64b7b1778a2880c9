"""A cancellation that a library swallows."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Cancel the task at the end when it was cancelled inside and the library has swallowed that.

    Source: asyncio.wait_for of Python 3.11 returns its future's result when that comes together with a cancellation.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
