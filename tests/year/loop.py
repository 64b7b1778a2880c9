"""An event loop with nothing real below it: its clock jumps, its network is in memory, its threads are declared time.

    ready ─▶ run, one step after the other ─▶ nothing ready ─▶ the clock jumps to the next timer

The same calls in the same order give the same steps: no selector, no thread, no address of an object decides anything.
A `tests.virtual_time.VirtualTimeLoop` waits for real threads and sockets; this one has none.
"""

import asyncio
import itertools
import math
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, Protocol

BEGIN_S = 1000.0
"""What the clock shows when the loop begins."""

OWNER: ContextVar[object] = ContextVar("owner", default=None)
"""Whose task this is: the life of a station, or None for what lies outside of it."""


class StandsStillError(AssertionError):
    """Nothing can happen any more, and somebody waits."""


class Switchboard(Protocol):
    """Where connections lead."""

    async def connect(self, make: Callable[[], asyncio.Protocol], host: str, port: int) -> Any:
        """The transport and protocol of a new connection."""

    def listen(self, make: Callable[[], asyncio.Protocol], where: Any) -> Any:
        """A server."""


class _Jump:
    """In place of a selector: nothing is waited for, the clock jumps."""

    def __init__(self, loop: "YearLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        """What is ready: nothing ever; where nothing is to be run, the clock jumps to the next timer."""
        if timeout is None:
            waiting = sorted(task.get_name() for task in asyncio.all_tasks(self._loop))
            raise StandsStillError(f"no timer runs; these tasks wait for ever: {waiting}")
        if timeout > 0:
            self._loop.jump()
        return []

    def close(self) -> None:
        """Nothing is open."""


class NumberedTask(asyncio.Task):  # type: ignore[type-arg]
    """A task whose place in a set depends on when it was made, and not on where it lies in memory."""

    numbers = itertools.count()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._number = next(self.numbers)
        self.owner = OWNER.get()
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class NumberedFuture(asyncio.Future):  # type: ignore[type-arg]
    """The same of a future."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._number = next(NumberedTask.numbers)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class YearLoop(asyncio.BaseEventLoop):
    """The loop.

    Attributes:
        steps: How many callbacks were run.
        network: Where connections lead.
        job_s: How long what is given to a thread takes: called for each job.
    """

    def __init__(self) -> None:
        super().__init__()
        NumberedTask.numbers = itertools.count()
        self._selector = _Jump(self)
        self._now_s = BEGIN_S
        self._clock_resolution = math.ulp(self._now_s)
        self.steps = 0
        self.network: Switchboard
        self.job_s: Callable[[], float] = lambda: 0.001
        self._at: list[tuple[int, Callable[[], None]]] = []
        self.set_task_factory(_numbered)

    # ------------------------------------------------------------------ time and steps

    def time(self) -> float:
        """Seconds on the loop's own clock."""
        return self._now_s

    def jump(self) -> None:
        """Set the clock to the next timer."""
        self._now_s = max(self._now_s, self._scheduled[0].when())
        # A timer is due when it ends before now plus this, which a float must be able to tell from now.
        self._clock_resolution = math.ulp(self._now_s)

    def after_steps(self, steps: int, call: Callable[[], None]) -> None:
        """Have something called so many steps from now, whatever they are."""
        self._at.append((self.steps + steps, call))

    def _run_once(self) -> None:
        self.steps += len(self._ready)
        super()._run_once()
        if self._at and any(step <= self.steps for step, _call in self._at):
            due = [call for step, call in self._at if step <= self.steps]
            self._at = [(step, call) for step, call in self._at if step > self.steps]
            for call in due:
                call()

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken."""

    # ------------------------------------------------------------------ what else lies below

    def create_future(self) -> "asyncio.Future[Any]":
        """A future with a number."""
        return NumberedFuture(loop=self)

    def run_in_executor(self, _executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        """Do a thread's job on the loop: it is begun after some time, and done after some more."""
        answer = self.create_future()

        def work() -> None:
            if answer.cancelled():
                return
            try:
                result = func(*args)
            except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
                self.call_later(self.job_s(), _fail, answer, error)
            else:
                self.call_later(self.job_s(), _succeed, answer, result)

        self.call_later(self.job_s(), work)
        return answer

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str, port: int, **_: Any
    ) -> Any:
        """A connection through the network in memory."""
        return await self.network.connect(protocol_factory, host, port)

    async def create_server(self, protocol_factory: Callable[[], asyncio.Protocol], *, sock: Any, **_: Any) -> Any:
        """A server at a place of the network in memory."""
        return self.network.listen(protocol_factory, sock)

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> Any:
        """Nobody is looked up."""
        raise AssertionError(f"the address of {host}:{port} was looked up")

    async def shutdown_default_executor(self, *_: Any) -> None:
        """There is none."""


def _numbered(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **said: Any) -> NumberedTask:
    return NumberedTask(work, loop=loop, **said)


def _succeed(answer: "asyncio.Future[Any]", value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def run(loop: YearLoop, work: Coroutine[Any, Any, Any]) -> Any:
    """Run this on the loop until it is done; what is left is cancelled."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work, context=Context())
