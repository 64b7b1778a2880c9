"""The compute thread: judges blocks beside the event loop, with a deadline on every job.

    submit ──▶ job done in time ──▶ its answer
       └─────▶ deadline ──▶ model.engine_failed; the thread is given up, a fresh one takes the next job

A thread cannot be ended from outside. One that hangs is given up: what waits behind it is not done, whatever it answers
later is not heard, and because it is a daemon it does not keep the process from ending.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, Protocol, TypeVar

import structlog

from station.core.errors import ModelError

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], None]

log = structlog.get_logger()


class Worker(Protocol):
    """Does jobs in order, beside the event loop.

    Attributes:
        given_up: Nobody waits for it any more; it ends with the job that it is at.
    """

    given_up: bool

    def put(self, job: Job | None) -> None:
        """Have a job done after those before it; None ends the worker."""


Hire = Callable[[Callable[[], object]], Worker]
"""Makes a worker that does this before its first job."""


class _Worker:
    """One thread and the jobs that wait for it."""

    def __init__(self, begin: Callable[[], object]) -> None:
        self.given_up = False
        self._begin = begin
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="compute", daemon=True)
        self.thread.start()

    def put(self, job: Job | None) -> None:
        """Have a job done after those before it; None ends the thread."""
        self._jobs.put(job)

    def _run(self) -> None:
        self._begin()
        while (job := self._jobs.get()) is not None and not self.given_up:
            job()


class ComputeThread:
    """One thread for what computes; used from one event loop.

    Args:
        timeout_s: Deadline of a job, the wait for those before it included.
        begin: What a thread does before its first job, a fresh one that takes the place of a hanging one, too.
        hire: Makes what does the jobs: a thread.
    """

    def __init__(self, timeout_s: float, begin: Callable[[], object] = lambda: None, hire: Hire | None = None) -> None:
        self._timeout_s = timeout_s
        self._begin = begin
        self._hire: Hire = hire or _Worker
        self._worker = self._hire(begin)

    def submit(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Have a job done after those before it; never blocks. What it raises, the future raises.

        A future that is cancelled before its job was begun keeps it from being done. The answer crosses to the event
        loop in one step, because it lies on the way from the last line to the decision.

        Raises:
            ModelError: From the future: `model.engine_failed`, not done within the deadline; the thread is given up.
        """
        loop, worker = asyncio.get_running_loop(), self._worker
        answer: asyncio.Future[T] = loop.create_future()
        deadline = loop.call_later(self._timeout_s, self._give_up, worker, answer)
        answer.add_done_callback(lambda _answer: deadline.cancel())

        def work() -> None:
            if answer.done():
                return
            try:
                tell = partial(_succeed, answer, job(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
                tell = partial(_fail, answer, error)
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody hears
                loop.call_soon_threadsafe(tell)

        worker.put(work)
        return answer

    def close(self) -> None:
        """End the thread after what it has to do; does not wait for it."""
        self._worker.put(None)

    def _give_up(self, worker: Worker, answer: "asyncio.Future[T]") -> None:
        if worker is self._worker:
            log.error("compute_thread_given_up", timeout_s=self._timeout_s)
            worker.given_up = True
            worker.put(None)  # it ends when its job returns, though nothing else comes
            self._worker = self._hire(self._begin)
        detail = f"the compute thread gave no answer within {self._timeout_s:g} s; it is replaced"
        _fail(answer, ModelError("model.engine_failed", detail))


def _succeed(answer: "asyncio.Future[T]", value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: "asyncio.Future[T]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
