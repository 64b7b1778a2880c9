"""`python -m sim`: the simulated cell alone, until it is told to end."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from sim.control import obey
from sim.faults import listing, wishes
from sim.recordings import bundled_recording
from sim.report import Format, Report, report_as
from sim.running import Plan, RunningCell, running_cell
from station.core.choices import Speed
from station.core.errors import ConfigError, StationError
from station.core.logs import configure_logs
from station.core.outlet import Outlet
from station.core.priority import precedence
from station.core.settings import load_settings

EXIT_REFUSED = 2


def simulate(  # noqa: PLR0913  # one argument an option
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
    trace: Annotated[
        Path | None,
        typer.Option(help="File for the registers of PLC and robot as they change; see sim/trace.py."),
    ] = None,
    report: Annotated[
        Format, typer.Option(help="What standard output gets: text for people, or json, one object a line.")
    ] = Format.TEXT,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[@PART][,...]",
            help="Let something break; PART is the number of the fed part, from 1, or its id. May be repeated.",
        ),
    ] = None,
    *,
    list_faults: Annotated[  # noqa: ARG001  # prints and ends before anything else
        bool,
        typer.Option(
            "--list-faults",
            is_eager=True,
            callback=lambda wanted: _list(wanted=wanted),
            help="List the faults, and end.",
        ),
    ] = False,
    control: Annotated[
        bool, typer.Option("--control", help="Obey JSON lines on standard input; see sim/control.py.")
    ] = False,
    end_with_parent: Annotated[
        bool,
        typer.Option("--end-with-parent", help="End when standard input is closed, as it is when the parent dies."),
    ] = False,
) -> None:
    """Run the simulated inspection cell: robot, spin jig, line PLC and what lies under the camera.

    The robot and the PLC are Modbus TCP servers, the jig is a Modbus RTU slave at a pseudo-terminal, and the simulated
    camera's GenTL producer looks at the scene. The cell runs until it gets SIGINT, SIGTERM or SIGHUP. Exit status: 0
    when it was ended so, 2 when it could not start or its recording gives no part, with the reason on standard error.
    """
    configure_logs("error", None)
    try:
        broken = wishes(fault or [])
        plan = Plan(recordings or bundled_recording(), parts, speed, truth, broken, breakable=control, trace=trace)
        with precedence():  # real devices have processors of their own, and answer at once
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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    outlet = Outlet.of(sys.stdout, "standard output")
    settings, report = load_settings(config), report_as(form, outlet)
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    if end_with_parent:
        _require_pipe()
    if end_with_parent or plan.breakable:
        end = ended if end_with_parent else asyncio.Event()
        await loop.connect_read_pipe(lambda: _Input(lines, end), sys.stdin)
    try:
        async with running_cell(settings, plan, report) as running, asyncio.TaskGroup() as group:
            listening = group.create_task(_obey(running, lines, report)) if plan.breakable else None
            await ended.wait()
            if listening:
                listening.cancel()
    finally:
        outlet.close()


async def _obey(running: RunningCell, lines: asyncio.Queue[bytes], report: Report) -> None:
    while True:
        report.answered(obey(running, await lines.get()))


def _require_pipe() -> None:
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        raise ConfigError("config.bad_option", "--end-with-parent: standard input is no pipe")


def _list(*, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(listing())
        raise typer.Exit


class _Input(asyncio.Protocol):
    """Standard input: its lines, and its end."""

    def __init__(self, lines: asyncio.Queue[bytes], ended: asyncio.Event) -> None:
        self._lines = lines
        self._ended = ended
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        *whole, self._begun = (self._begun + data).split(b"\n")
        for line in filter(bytes.strip, whole):
            self._lines.put_nowait(line)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._ended.set()


if __name__ == "__main__":
    main()
