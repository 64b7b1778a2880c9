"""Work in a process of its own: with its own memory, its own event loop, and the cores that it is given.

The process ends with the one that started it, however that one ends. Where the wait for its answer is broken off, it is
asked to end, so that a cell in it stops in order, and ended if it does not.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from station.core.errors import BugError
from station.core.logs import configure_logs

P = ParamSpec("P")
T = TypeVar("T")

END_TIMEOUT_S = 30.0
"""Longer than a cell takes to stop in order, or to be aborted."""


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function of a module gives in a new process; what it raises, this raises.

    Raises:
        BugError: The process ended without an answer.
    """
    return _apart(None, {}, work, *args, **kwargs)


def apart_on(cores: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on the first so many of the cores that this process may use.

    Raises:
        BugError: As for `apart`.
    """
    return _apart(cores, {}, work, *args, **kwargs)


def apart_under(
    environment: Mapping[str, str], cores: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """The same with some variables of its environment set before anything is loaded that reads them.

    Raises:
        BugError: As for `apart`.
    """
    return _apart(cores, environment, work, *args, **kwargs)


def _apart(
    cores: int | None, environment: Mapping[str, str], work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    spawning = get_context("spawn")
    answer, answering = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_work, args=(answering, cores, work, args, kwargs), name=work.__module__)
    with _in_environment(environment):
        process.start()
    answering.close()
    try:
        value, error = answer.recv()
    except EOFError as ended:
        raise BugError("station.bug", f"the process of {work.__module__} ended without an answer") from ended
    except BaseException:
        process.terminate()
        raise
    finally:
        answer.close()
        process.join(END_TIMEOUT_S)
        process.kill()
        process.join()
        process.close()
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]


@contextmanager
def _in_environment(more: Mapping[str, str]) -> Iterator[None]:
    """While in this context processes begin with these variables, so that what they load first sees them, too."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(answering: Connection, cores: int | None, work: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """The process: confined before anything is loaded that counts cores."""
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that asked; it then ends this one …
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit())  # … so, and what was begun is undone
    configure_logs("error", None)
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    answer: tuple[Any, Exception | None]
    try:
        answer = work(*args, **kwargs), None
    except asyncio.CancelledError:  # asked to end, and what was begun is undone
        return
    except Exception as error:  # noqa: BLE001  # it is raised where the answer is awaited
        answer = None, error
    with suppress(BrokenPipeError):  # nobody waits for it any more
        answering.send(answer)


def _end_with_parent() -> None:
    """At once, as if killed: the simulated cell and the camera's process see that and end too."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
