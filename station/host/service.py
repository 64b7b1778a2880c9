"""`station run`: the station as a service, until it is told to stop."""

import asyncio
import os
from pathlib import Path

import structlog

from station.cell.controller import Controller
from station.cell.packml import Command, State
from station.core.errors import StationError
from station.core.events import CellEvent, StateChanged, Watcher, harmless
from station.core.settings import Settings
from station.host.build import open_station
from station.host.control import listening
from station.host.shutdown import stop, stopped_by_signals
from station.host.watchdog import Notifier

log = structlog.get_logger()

AUTO_RESET_PAUSE_S = 1.0


async def serve(
    settings: Settings, folder: Path, watch: Watcher, *, auto_reset: bool, until: asyncio.Event | None = None
) -> None:
    """Run the station until a signal stops it, or an event.

    Args:
        settings: The configuration.
        folder: Where database, archive and logs live.
        watch: Told of everything that happens.
        auto_reset: Reset and Start without an operator.
        until: When it is set, the cell is stopped in order; None for never.

    Raises:
        StationError: The station cannot start, or its line cannot be served.
    """
    notifier = Notifier.of(os.environ)
    async with open_station(settings, folder, _telling(notifier, harmless(watch))) as station:
        controller = station.controller
        watching = asyncio.create_task(station.watchdog.run(notifier), name="watchdog")
        running = asyncio.create_task(controller.run(), name="controller")
        operator = asyncio.create_task(_operate(controller), name="operator") if auto_reset else None
        with stopped_by_signals(controller) as stopping:
            try:
                async with listening(controller, folder):
                    notifier.ready()
                    asked = asyncio.create_task(stopping.wait(), name="signals")
                    enough = asyncio.create_task((until or asyncio.Event()).wait(), name="enough")
                    await asyncio.wait({running, watching, asked, enough}, return_when=asyncio.FIRST_COMPLETED)
                    asked.cancel()
                    enough.cancel()
                    for ended in (running, watching):
                        if ended.done():
                            ended.result()
            finally:
                notifier.stopping()
                if operator is not None:
                    operator.cancel()
                await stop(controller, running)
                watching.cancel()
                await asyncio.wait([watching])


def _telling(notifier: Notifier, watch: Watcher) -> Watcher:
    """Tells the supervisor of every change of state, and the watcher of everything."""

    def tell(event: CellEvent) -> None:
        if isinstance(event, StateChanged):
            notifier.status(f"{event.after.lower()}{f': {event.reason.text}' if event.reason else ''}")
        watch(event)

    return tell


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
            controller.command(wishes[state], "the automatic reset")
        except StationError as error:
            log.warning("auto_reset_refused", detail=error.detail)
