"""Time that tests advance: an event loop whose clock jumps to the next timer when nothing else can happen.

    @in_virtual_time
    async def test_a_line_that_stays_silent_is_an_alarm_after_thirty_seconds() -> None:
        ...
        await asyncio.sleep(3600)  # an hour, and no time

The clock stands still while anything is ready to run, while a thread has a job to do (`tests.thread_jobs`), and while
something lies unread in a socket of this loop. So what happens, and when, does not depend on the computer's haste.

Good for: tasks, timers and futures; jobs on the compute thread and on thread pools, the ledger's and `to_thread`'s;
Unix sockets whose both ends this process has, because the kernel hands over at once what is sent.
Refused, because time would overtake them: other processes, TCP, threads that get their work some other way.
"""

import asyncio
import functools
import math
import os
import selectors
import socket
import stat
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec

from station.core.clock import Clock, SystemClock
from tests.thread_jobs import ThreadJobs, watched_threads

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

P = ParamSpec("P")
Ready = list[tuple[selectors.SelectorKey, int]]

BEGIN_S = 1000.0
"""What the loop's clock shows when it begins."""

START = datetime(2026, 5, 1, 6, tzinfo=UTC)
"""The date of a `LoopClock` when it is made."""


class TimeStandsStillError(AssertionError):
    """Nothing can happen any more, or time would overtake what may happen."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for what is certain to come, and lets the clock jump instead of waiting for a timer."""

    def __init__(self, jobs: ThreadJobs) -> None:
        super().__init__()
        self._jobs = jobs
        self.loop: VirtualTimeLoop
        self.foreign: set[FileDescriptorLike] = set()

    def register(self, fileobj: "FileDescriptorLike", events: int, data: Any = None) -> selectors.SelectorKey:
        """As ever; who may be at the other end is noted."""
        if not _is_ours(fileobj):
            self.foreign.add(fileobj)
        return super().register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        """As ever."""
        self.foreign.discard(fileobj)
        return super().unregister(fileobj)

    def select(self, _timeout: float | None = None) -> Ready:
        """What is ready; never a wait for a timer."""
        # The order counts: a job tells its answer before it is counted as done, so the look at the selector sees it.
        busy = self._jobs.busy
        events = super().select(0)
        quiet = not events and self.loop.is_idle
        if quiet and not busy:
            self.loop.look_or_jump()
            return []
        self.loop.something_happens()
        return super().select(None) if quiet else events


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own.

    Args:
        jobs: What threads have to do.
    """

    def __init__(self, jobs: ThreadJobs) -> None:
        self._now_s = BEGIN_S
        self._jobs = jobs
        self._looking = 0
        self._seen = False
        self._waits = _JumpingSelector(jobs)
        self._waits.loop = self
        super().__init__(self._waits)
        jobs.when_one_is_done(self._look_again)

    def time(self) -> float:
        """Seconds on the loop's own clock."""
        return self._now_s

    def stall(self, seconds: float) -> None:
        """Let time pass and nothing run, as a callback does that computes for so long."""
        self._now_s += seconds

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As ever; the thread that asyncio starts for it is waited for."""
        with self._jobs.one_more(self):
            await super().shutdown_default_executor(*args)

    async def turn(self) -> None:
        """Let what is ready run; who looks for something again and again does not keep the clock from jumping."""
        self._looking += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._looking -= 1

    @property
    def is_idle(self) -> bool:
        """Whether nothing is ready but who only looks."""
        return not self._stopping and len(self._ready) == self._looking  # type: ignore[attr-defined]

    def something_happens(self) -> None:
        """Something else than a look comes next."""
        self._seen = False

    def look_or_jump(self) -> None:
        """Set the clock to the next timer; but who only looks is to have looked since the last thing happened.

        Raises:
            TimeStandsStillError: There is no timer, or something else may happen before it.
        """
        if self._looking and not self._seen:
            self._seen = True
            return
        self._refuse_what_would_be_overtaken()
        if not self._scheduled:  # type: ignore[attr-defined]
            waiting = sorted(task.get_name() for task in asyncio.all_tasks(self))
            raise TimeStandsStillError(f"no timer runs and no thread works; these tasks wait for ever: {waiting}")
        self._seen = False
        self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        # A timer is due when it ends before now plus this, which a float must be able to tell from now.
        self._clock_resolution = math.ulp(self._now_s)

    def _refuse_what_would_be_overtaken(self) -> None:
        if strange := self._jobs.strange_threads():
            raise TimeStandsStillError(f"what these threads have to do is not known: {strange}")
        if foreign := self._waits.foreign:
            raise TimeStandsStillError(f"what comes from these descriptors comes from elsewhere: {foreign}")

    def _look_again(self) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.call_soon_threadsafe(lambda: None)


def _is_ours(fileobj: "FileDescriptorLike") -> bool:
    """Whether it is a Unix socket that nobody but this process has an end of, or one that listens."""
    descriptor = fileobj if isinstance(fileobj, int) else fileobj.fileno()
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as end:
        if end.family != socket.AF_UNIX:
            return False
        peer, *_ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return peer in (0, os.getpid())


class LoopClock:
    """The station's clock by the running loop's time, which is the real one on a real loop; the date can be stepped."""

    def __init__(self, start: datetime = START) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._start = start

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return self._loop.time() - self._began_s

    def monotonic_ns(self) -> int:
        """The loop's time in nanoseconds."""
        return round(self._loop.time() * 1e9)

    def now(self) -> datetime:
        """The date."""
        return self._start + timedelta(seconds=self.elapsed_s)

    def synchronised(self) -> bool:
        """It is its own time server."""
        return True

    def step(self, seconds: float) -> None:
        """Somebody sets the date."""
        self._start += timedelta(seconds=seconds)


def is_virtual() -> bool:
    """Whether the time of the running loop is the test's own."""
    return isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def loop_ns() -> int:
    """The running loop's time in nanoseconds; CLOCK_MONOTONIC on a real loop."""
    return round(asyncio.get_running_loop().time() * 1e9)


def clock_here() -> Clock:
    """A clock for whoever runs on the running loop."""
    return LoopClock() if is_virtual() else SystemClock()


def patience(seconds: float) -> float | None:
    """How long a test may take on the running loop; no limit where an hour takes no time and a hang is told at once."""
    return None if is_virtual() else seconds


async def turn() -> None:
    """Let what is ready run once: for whoever looks again and again for what has no event."""
    loop = asyncio.get_running_loop()
    await (loop.turn() if isinstance(loop, VirtualTimeLoop) else asyncio.sleep(0))


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that runs on a loop with a clock of its own, and leaves no task behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        jobs = ThreadJobs()
        with watched_threads(jobs), asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(jobs)) as runner:
            runner.run(test(*args, **kwargs))
            left = sorted(task.get_name() for task in asyncio.all_tasks(runner.get_loop()))
            assert not left, f"tasks are left: {left}"

    return run
