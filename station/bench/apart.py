"""Work in a process of its own: with its own memory, its own event loop, and the cores that it is given."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
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
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
