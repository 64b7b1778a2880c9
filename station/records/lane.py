"""One thread that does jobs in order, with a bounded number of them waiting."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")


def _nothing() -> None:
    """What is left to do when nothing is."""


class Lane:
    """A thread of its own.

    Args:
        name: Of the thread.
        capacity: Jobs that may wait or be in work at a time.
    """

    def __init__(self, name: str, capacity: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._room = BoundedSemaphore(capacity)
        self.capacity = capacity

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """Have a job done after those before it; never blocks.

        Raises:
            queue.Full: As many jobs as there is room for are waiting.
        """
        if not self._room.acquire(blocking=False):
            raise Full
        future = self._pool.submit(job)
        future.add_done_callback(lambda _done: self._room.release())
        return future

    def wait(self) -> None:
        """Return when everything that was submitted so far is done; blocks so long."""
        self._pool.submit(_nothing).result()

    def close(self, last: Callable[[], None] = _nothing) -> None:
        """Do what is waiting, then `last`, then end the thread; blocks so long.

        Whatever `last` raises is raised here.
        """
        final = self._pool.submit(last)
        self._pool.shutdown(wait=True)
        final.result()
