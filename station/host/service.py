"""`station run`: the station as a service, until it is told to stop."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import structlog

from station.cell.desk import Commander, Desk
from station.cell.packml import Command, State
from station.core.clock import SystemClock
from station.core.errors import StationError
from station.core.events import CellEvent, StateChanged
from station.core.peer import commanding_group
from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.build import Station, open_station
from station.host.control_socket import ControlSocket
from station.host.shutdown import stop, stopped_by_signals
from station.host.watch import Watch
from station.host.watchdog import Notifier

log = structlog.get_logger()

AUTO_RESET_PAUSE_S = 1.0

WISHES = {
    State.STOPPED: Command.RESET,
    State.IDLE: Command.START,
    State.HELD: Command.UNHOLD,
    State.ABORTED: Command.CLEAR,
}
"""What the automatic reset commands in which state."""


async def serve(
    settings: Settings, folder: Path, watchers: Watchers, *, auto_reset: bool, until: asyncio.Event | None = None
) -> None:
    """Run the station until a signal stops it, or an event.

    Args:
        settings: The configuration.
        folder: Where database, archive and logs live.
        watchers: Told of everything that happens.
        auto_reset: Reset and Start without an operator.
        until: When it is set, the cell is stopped in order; None for never.

    Raises:
        StationError: The station cannot start, or its line cannot be served.
    """
    watch = Watch(settings.station.name, settings.table.places, SystemClock())
    notifier, control = Notifier.of(os.environ), ControlSocket(folder, watch, commanding_group())
    watchers.add(_status_for(notifier), StateChanged)
    watch.join(watchers)
    commanders: list[Commander] = [control]
    if auto_reset:
        commanders.append(AutomaticReset())
    async with watchers, open_station(settings, folder, watchers, commanders) as station:
        with control.opened():
            await _run(station, notifier, until or asyncio.Event())


async def _run(station: Station, notifier: Notifier, until: asyncio.Event) -> None:
    """Run until the event, a signal, or the end of what cannot do without."""
    watching = asyncio.create_task(station.watchdog.run(notifier), name="watchdog")
    running = asyncio.create_task(station.operation.run(), name="operation")
    with stopped_by_signals(station.desk) as stopping:
        asked = asyncio.create_task(stopping.wait(), name="signals")
        enough = asyncio.create_task(until.wait(), name="enough")
        try:
            notifier.ready()
            await asyncio.wait({running, watching, asked, enough}, return_when=asyncio.FIRST_COMPLETED)
            for ended in (running, watching):
                if ended.done():
                    ended.result()
        finally:
            asked.cancel()
            enough.cancel()
            notifier.stopping()
            station.operation.dismiss()
            await stop(station.desk, running)
            watching.cancel()
            await asyncio.wait([watching])


def _status_for(notifier: Notifier) -> Callable[[CellEvent], None]:
    """Tells the supervisor of every change of state."""

    def tell_supervisor(event: CellEvent) -> None:
        if isinstance(event, StateChanged):
            reason = f": {event.reason.fault.text}" if event.reason else ""
            notifier.status(f"{event.after.lower()}{reason}")

    return tell_supervisor


class AutomaticReset:
    """A commander who resets and starts, as an operator would who wants the cell to run; after a fault with a pause."""

    async def serve(self, desk: Desk) -> None:
        """Command until cancelled."""
        while True:
            state = await desk.reached(*WISHES)
            if desk.view.reason is not None:
                await asyncio.sleep(AUTO_RESET_PAUSE_S)
            try:
                desk.command(WISHES[state], "the automatic reset")
            except StationError as error:
                log.warning("auto_reset_refused", detail=error.detail)
