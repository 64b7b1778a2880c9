"""`station run`: the station as a service, until it is told to stop."""

import asyncio
from pathlib import Path

import structlog

from station.build import open_station
from station.control import listening
from station.controller import Controller
from station.core.errors import StationError
from station.core.events import Watcher
from station.core.settings import Settings
from station.packml import Command, State
from station.shutdown import stop, stopped_by_signals

log = structlog.get_logger()

AUTO_RESET_PAUSE_S = 1.0


async def serve(settings: Settings, folder: Path, watch: Watcher, *, auto_reset: bool) -> None:
    """Run the station until a signal stops it.

    Args:
        settings: The configuration.
        folder: Where database, archive and logs live.
        watch: Told of everything that happens.
        auto_reset: Reset and Start without an operator.

    Raises:
        StationError: The station cannot start, or its line cannot be served.
    """
    async with open_station(settings, folder, watch) as station:
        controller = station.controller
        running = asyncio.create_task(controller.run(), name="controller")
        operator = asyncio.create_task(_operate(controller), name="operator") if auto_reset else None
        try:
            with stopped_by_signals(controller) as stopping:
                async with listening(controller, folder):
                    asked = asyncio.create_task(stopping.wait(), name="signals")
                    await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
                    asked.cancel()
                    if operator is not None:
                        operator.cancel()
                    if running.done():
                        running.result()
        finally:
            await stop(controller, running)


async def _operate(controller: Controller) -> None:
    """Reset and Start, as an operator would who wants the cell to run; after a fault with a pause."""
    wishes = {
        State.STOPPED: Command.RESET,
        State.IDLE: Command.START,
        State.HELD: Command.UNHOLD,
        State.ABORTED: Command.CLEAR,
    }
    while True:
        state = await controller.reached(*wishes)
        if controller.trouble[0] is not None:
            await asyncio.sleep(AUTO_RESET_PAUSE_S)
        try:
            controller.command(wishes[state])
        except StationError as error:
            log.warning("auto_reset_refused", detail=error.detail)
