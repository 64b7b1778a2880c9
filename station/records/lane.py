"""Where jobs are done in order, one at a time, with a bounded number of them waiting: by a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full
from threading import BoundedSemaphore
from typing import Protocol, TypeVar

T = TypeVar("T")


def nothing() -> None:
    """What is left to do when nothing is."""


class Lane(Protocol):
    """Does jobs in order, beside the event loop.

    Attributes:
        capacity: Jobs that may wait or be in work at a time.
    """

    capacity: int

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """Have a job done after those before it; never blocks.

        Raises:
            queue.Full: As many jobs as there is room for are waiting.
        """

    def wait(self) -> None:
        """Return when everything that was submitted so far is done; blocks so long."""

    def close(self, last: Callable[[], None] = nothing) -> None:
        """Do what is waiting, then `last`, then no more; blocks so long.

        Whatever `last` raises is raised here.
        """


OpenLane = Callable[[str, int], Lane]
"""Opens a lane: its name, and how many jobs it has room for."""


class ThreadLane:
    """A `Lane` that is a thread.

    Args:
        name: Of the thread.
        capacity: Jobs that may wait or be in work at a time.
    """

    def __init__(self, name: str, capacity: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._room = BoundedSemaphore(capacity)
        self.capacity = capacity

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """As `Lane.submit`."""
        if not self._room.acquire(blocking=False):
            raise Full
        future = self._pool.submit(job)
        future.add_done_callback(lambda _done: self._room.release())
        return future

    def wait(self) -> None:
        """As `Lane.wait`."""
        self._pool.submit(nothing).result()

    def close(self, last: Callable[[], None] = nothing) -> None:
        """As `Lane.close`; the thread ends."""
        final = self._pool.submit(last)
        self._pool.shutdown(wait=True)
        final.result()
