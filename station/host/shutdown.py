"""How a station ends: in order, on a signal, and in bounded time."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from station.cell.desk import Desk
from station.cell.packml import Command, State
from station.core.errors import StationError

log = structlog.get_logger()

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A hang-up is a terminal that was closed; where it is ignored, as under nohup, it stays so."""

SETTING_ASIDE = (signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN)
"""What a terminal sends to put a process aside, which would leave a cell without its controller in mid-motion."""

STOP_TIMEOUT_S = 20.0
"""A part in work is brought to its place before the cell is Stopped; a cell that needs longer than this is aborted."""


@contextmanager
def stopped_by_signals(desk: Desk) -> Iterator[asyncio.Event]:
    """While in this context, SIGINT, SIGTERM and SIGHUP stop the cell in order; the event is set when one has come.

    A terminal cannot put the cell aside meanwhile: Ctrl-Z is told in the log, and nothing else. Afterwards every signal
    does what it did before.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def ask(number: signal.Signals) -> None:
        log.info("stop_requested", signal=number.name)
        asked.set()
        request_stop(desk)

    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heeded = [number for number in STOPPING if number is not signal.SIGHUP or not ignored]
    before = {number: signal.getsignal(number) for number in (*heeded, *SETTING_ASIDE)}
    for number in heeded:
        loop.add_signal_handler(number, ask, number)
    for number in SETTING_ASIDE:
        signal.signal(number, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTSTP, lambda: log.warning("not_put_aside", signal="SIGTSTP"))
    try:
        yield asked
    finally:
        for number in (*heeded, signal.SIGTSTP):
            loop.remove_signal_handler(number)
        for number, handler in before.items():
            signal.signal(number, handler)


def request_stop(desk: Desk) -> None:
    """Stop in order, as an operator would; harmless where Stop is not accepted."""
    try:
        desk.command(Command.STOP, "the end of the station")
    except StationError as error:
        log.debug("stop_not_needed", detail=error.detail)


async def stop(desk: Desk, running: asyncio.Task[None]) -> None:
    """Bring the cell to Stopped, then end its desk."""
    if not running.done():
        request_stop(desk)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await desk.reached(State.STOPPED, State.ABORTED)
        except TimeoutError:
            desk.command(Command.ABORT, "the end of the station")
            await desk.reached(State.ABORTED)
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)
