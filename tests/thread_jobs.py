"""What threads have still to do: every job from the moment it is given until its answer was told.

The station gives work to threads in two ways, to a `ThreadPoolExecutor` and to its compute thread; `watched_threads`
counts at both. A job that hangs on purpose is a `Hang`: its thread counts for nothing while it does.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from station.cell.compute import _Worker

BYSTANDERS = ("stall guard", "watcher ")
"""How the names of threads begin that only look on."""

_doing = threading.local()


class ThreadJobs:
    """The jobs that were given and are not done, by their worker: a pool, or a thread of the compute thread's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: Counter[object] = Counter()
        self._hanging: set[object] = set()
        self._pools: set[ThreadPoolExecutor] = set()
        self._before = set(threading.enumerate())
        self._running: list[threading.Thread] = []
        self._tell: Callable[[], None] = lambda: None

    def when_one_is_done(self, tell: Callable[[], None]) -> None:
        """Call this, on any thread, when there may be nothing left to do."""
        self._tell = tell

    @property
    def busy(self) -> bool:
        """Whether a thread has a job that will be done without anybody's help."""
        with self._lock:
            return any(self._counts(worker) for worker, left in self._left.items() if left)

    def _counts(self, worker: object) -> bool:
        return worker not in self._hanging and not getattr(worker, "given_up", False)

    @contextmanager
    def one_more(self, worker: object) -> Iterator[None]:
        """While in this context a worker has one more job."""
        self.given(worker)
        try:
            yield
        finally:
            self.done(worker)

    def given(self, worker: object) -> None:
        """A worker has one more job."""
        with self._lock:
            self._left[worker] += 1
            if isinstance(worker, ThreadPoolExecutor):
                self._pools.add(worker)

    def done(self, worker: object) -> None:
        """It has one less, and has told the answer."""
        with self._lock:
            self._left[worker] -= 1
        self._tell()

    def hangs(self, worker: object) -> None:
        """What it does, and what waits behind it, is not done while it hangs."""
        with self._lock:
            self._hanging.add(worker)
        self._tell()

    def goes_on(self, worker: object) -> None:
        """It does what it has to do again."""
        with self._lock:
            self._hanging.discard(worker)

    def do(self, worker: object, job: Callable[[], object]) -> None:
        """Do a job that was given before; on the worker's thread."""
        _doing.job = self, worker
        try:
            job()
        finally:
            del _doing.job
            self.done(worker)

    def strange_threads(self) -> list[str]:
        """Names of threads that were started meanwhile and whose work is not counted."""
        if (running := threading.enumerate()) == self._running:
            return []
        pooled = {thread for pool in self._pools for thread in pool._threads}
        strange = [
            thread.name
            for thread in running
            if thread not in self._before | pooled and not thread.name.startswith(("compute", *BYSTANDERS))
        ]
        self._running = [] if strange else running  # asked at every jump of the clock
        return strange


class Hang:
    """A job that hangs until `end`, whatever it is called with; time passes over it."""

    def __init__(self) -> None:
        self._gate = threading.Event()
        self._lock = threading.Lock()
        self._at: tuple[ThreadJobs, object] | None = None

    def __call__(self, *_whatever: object) -> None:
        """Hang."""
        with self._lock:
            self._at = getattr(_doing, "job", None)
            if self._at and not self._gate.is_set():
                jobs, worker = self._at
                jobs.hangs(worker)
        self._gate.wait()

    def end(self) -> None:
        """Go on."""
        with self._lock:
            if self._at:
                jobs, worker = self._at
                jobs.goes_on(worker)
            self._gate.set()


@contextmanager
def watched_threads(jobs: ThreadJobs) -> Iterator[None]:
    """While in this context every job that is given to a thread counts."""
    submit, put = ThreadPoolExecutor.submit, _Worker.put

    def counted_submit(pool: ThreadPoolExecutor, job: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        answer: Future[Any] = Future()

        def dropped(work: Future[None]) -> None:
            """A pool that is shut down may throw away what it has not begun."""
            if work.cancelled() and answer.cancel():
                jobs.done(pool)

        jobs.given(pool)
        try:
            work = submit(pool, jobs.do, pool, lambda: _answer(answer, lambda: job(*args, **kwargs)))
        except BaseException:
            jobs.done(pool)
            raise
        work.add_done_callback(dropped)
        return answer

    def counted_put(worker: _Worker, job: Callable[[], None] | None) -> None:
        if job is None:
            put(worker, None)
        else:
            jobs.given(worker)
            put(worker, lambda: jobs.do(worker, job))

    with patch.object(ThreadPoolExecutor, "submit", counted_submit), patch.object(_Worker, "put", counted_put):
        yield


def _answer(answer: "Future[Any]", job: Callable[[], object]) -> None:
    """Do a job and tell its answer, all who wait for it included, before this returns."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
        answer.set_exception(error)
    else:
        answer.set_result(result)
