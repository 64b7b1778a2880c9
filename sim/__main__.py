"""`python -m sim`: the simulated cell alone, until it is told to end."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from sim.pace import Speed
from sim.recordings import bundled_recording
from sim.report import Format, report_as
from sim.running import Plan, running_cell
from station.core.errors import ConfigError, StationError
from station.core.settings import load_settings

EXIT_REFUSED = 2


def simulate(
    config: Annotated[Path, typer.Option(help="Configuration file whose addresses the simulated devices take.")],
    recordings: Annotated[
        Path | None,
        typer.Option(help="Folder of the recording that the infeed plays, over and over; default: the bundled one."),
    ] = None,
    parts: Annotated[
        int | None, typer.Option(min=1, help="How many parts are fed; default: one pass of the recording.")
    ] = None,
    speed: Annotated[
        Speed, typer.Option(help="real: everything takes its time. max: motions take no time.")
    ] = Speed.REAL,
    truth: Annotated[
        Path | None,
        typer.Option(help="File for the cell's own ledger, one JSON object a line; an older file is overwritten."),
    ] = None,
    report: Annotated[
        Format, typer.Option(help="What standard output gets: text for people, or json, one object a line.")
    ] = Format.TEXT,
    *,
    end_with_parent: Annotated[
        bool,
        typer.Option("--end-with-parent", help="End when standard input is closed, as it is when the parent dies."),
    ] = False,
) -> None:
    """Run the simulated inspection cell: robot, spin jig, line PLC and what lies under the camera.

    The robot and the PLC are Modbus TCP servers, the jig is a Modbus RTU slave at a pseudo-terminal, and the simulated
    camera's GenTL producer looks at the scene. The cell runs until it gets SIGINT or SIGTERM. Exit status: 0 when it
    was ended so, 2 when it could not start or its recording gives no part, with the reason on standard error.
    """
    plan = Plan(recordings or bundled_recording(), parts, speed, truth)
    try:
        asyncio.run(_run(config, plan, report, end_with_parent=end_with_parent))
    except StationError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(EXIT_REFUSED) from None


def main() -> None:
    """The command line of `python -m sim`."""
    typer.run(simulate)


async def _run(config: Path, plan: Plan, form: Format, *, end_with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    settings = load_settings(config)
    if end_with_parent:
        await _leash(ended)
    async with running_cell(settings, plan, report_as(form)):
        await ended.wait()


async def _leash(ended: asyncio.Event) -> None:
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        raise ConfigError("config.invalid", "--end-with-parent: standard input is no pipe")
    await asyncio.get_running_loop().connect_read_pipe(lambda: _Leash(ended), sys.stdin)


class _Leash(asyncio.Protocol):
    """Ends the cell when the other end of standard input is gone."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._ended.set()


if __name__ == "__main__":
    main()
