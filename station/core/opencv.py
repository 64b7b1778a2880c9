"""How many threads OpenCV computes with."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def on_one_thread() -> Iterator[None]:
    """While in this context OpenCV computes on the thread that calls it alone.

    The number is the process's, not the thread's: what another thread computes meanwhile has one thread, too. The
    results do not depend on it.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
