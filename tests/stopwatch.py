"""Time for which a process could have run: a bound on it holds on a computer that is busy with other things as well."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

TICK_S = 0.005


class Stopwatch:
    """Counts ticks, each at least as long as it is taken for; while the process is kept from running none comes.

    Attributes:
        s: Seconds that have passed, never more than by the clock on the wall. What waits is counted in full; what
            computes without giving way to other threads is not.
    """

    def __init__(self) -> None:
        self.s = 0.0

    def run(self, ended: threading.Event) -> None:
        """Count until the end."""
        while not ended.wait(TICK_S):
            self.s += TICK_S


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """A stopwatch that runs while in this context."""
    watch, ended = Stopwatch(), threading.Event()
    thread = threading.Thread(target=watch.run, args=(ended,), name="stopwatch")
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()
