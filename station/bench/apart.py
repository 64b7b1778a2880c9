"""Work in a process of its own: with its own memory, its own event loop, and the cores that it is given.

The process ends with the one that started it, however that one ends.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import ParamSpec, TypeVar

from station.core.errors import BugError
from station.core.logs import configure_logs

P = ParamSpec("P")
T = TypeVar("T")


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function of a module gives in a new process; what it raises, this raises.

    Raises:
        BugError: The process ended without an answer.
    """
    return _apart(None, work, *args, **kwargs)


def apart_on(cores: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on the first so many of the cores that this process may use.

    Raises:
        BugError: As for `apart`.
    """
    return _apart(cores, work, *args, **kwargs)


def _apart(cores: int | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    pool = ProcessPoolExecutor(1, get_context("spawn"), _confine, (cores,))
    with pool:
        try:
            return pool.submit(work, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise BugError("station.bug", f"the process of {work.__module__} ended without an answer") from error


def _confine(cores: int | None) -> None:
    """Before anything is loaded that counts cores."""
    configure_logs("error", None)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _end_with_parent() -> None:
    """At once, as if killed: the simulated cell and the camera's process see that and end too."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
