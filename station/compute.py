"""The compute thread: judges blocks beside the event loop, with a deadline on every job.

    submit ──▶ job done in time ──▶ its answer
       └─────▶ deadline ──▶ model.engine_failed; the thread is given up, a fresh one takes the next job

A thread cannot be ended from outside. One that hangs is given up: what waits behind it is not done, whatever it answers
later is not heard, and because it is a daemon it does not keep the process from ending.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

import structlog

from station.core.errors import ModelError

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], None]

log = structlog.get_logger()


class _Worker:
    """One thread and the jobs that wait for it."""

    def __init__(self) -> None:
        self.given_up = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="compute", daemon=True)
        self.thread.start()

    def put(self, job: Job | None) -> None:
        """Have a job done after those before it; None ends the thread."""
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self.given_up:
            job()


class ComputeThread:
    """One thread for what computes; used from one event loop.

    Args:
        timeout_s: Deadline of a job, the wait for those before it included.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._worker = _Worker()

    def submit(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Task[T]":
        """Have a job done after those before it; never blocks. What it raises, the task raises.

        Raises:
            ModelError: From the task: `model.engine_failed`, not done within the deadline; the thread is given up.
        """
        answer: Future[T] = Future()
        worker = self._worker

        def work() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(job(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
                    answer.set_exception(error)

        worker.put(work)
        return asyncio.ensure_future(self._answered(answer, worker))

    def close(self) -> None:
        """End the thread after what it has to do; does not wait for it."""
        self._worker.put(None)

    async def _answered(self, answer: "Future[T]", worker: _Worker) -> T:
        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                return await asyncio.wrap_future(answer)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            self._give_up(worker)
            detail = f"the compute thread gave no answer within {self._timeout_s:g} s; it is replaced"
            raise ModelError("model.engine_failed", detail) from error

    def _give_up(self, worker: _Worker) -> None:
        if worker is self._worker:
            log.error("compute_thread_given_up", timeout_s=self._timeout_s)
            worker.given_up = True
            self._worker = _Worker()
