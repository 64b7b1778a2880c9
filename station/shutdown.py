"""How a station ends: in order, on a signal, and in bounded time."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from station.controller import Controller
from station.core.errors import StationError
from station.packml import Command, State

log = structlog.get_logger()

STOP_TIMEOUT_S = 20.0
"""A part in work is brought to its place before the cell is Stopped; a cell that needs longer than this is aborted."""


@contextmanager
def stopped_by_signals(controller: Controller) -> Iterator[asyncio.Event]:
    """While in this context, SIGINT and SIGTERM stop the cell in order; the event is set when one has come."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def ask() -> None:
        asked.set()
        request_stop(controller)

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, ask)
    try:
        yield asked
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def request_stop(controller: Controller) -> None:
    """Stop in order, as an operator would; harmless where Stop is not accepted."""
    try:
        controller.command(Command.STOP)
    except StationError as error:
        log.debug("stop_not_needed", detail=error.detail)


async def stop(controller: Controller, running: asyncio.Task[None]) -> None:
    """Bring the cell to Stopped, then end its controller."""
    if not running.done():
        request_stop(controller)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await controller.reached(State.STOPPED, State.ABORTED)
        except TimeoutError:
            controller.command(Command.ABORT)
            await controller.reached(State.ABORTED)
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)
