"""What the commands share: the terminal, their common options, and how a refusal is told."""

import getpass
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file
from pathlib import Path
from typing import IO, Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import Progress

from config import bundled
from station.core.errors import ConfigError, StationError
from station.core.outlet import Outlet
from station.core.settings import Settings, load_settings

UNWELL, REFUSED, STOPPED = 1, 2, 3
"""Exit status: something is not well; refused before anything moved; the cell was stopped by a fault."""

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
"""Numbers of the files."""

WIDTH = 140
"""Columns of output that goes into a file or a pipe."""
MOST_NAMED = 20
"""Of what was left out so many are named, one by one."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH)


out = _console(stderr=False)
err = _console(stderr=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The configuration file.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder of database, archive and logs; by default the configured or the user's."
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="DATA",
        help="A data folder: what people say of the scans counts, too; masks are left aside.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


@contextmanager
def unhindered(console: Console) -> Iterator[Console]:
    """The same console for a cell at work: a terminal, pipe or disk that is slow, full or gone does not hinder it.

    At the end it waits for what was printed, as long as that is taken.
    """
    stream, name = (sys.stderr, "standard error") if console.stderr else (sys.stdout, "standard output")
    outlet = Outlet.of(stream, name)
    try:
        yield Console(file=cast("IO[str]", outlet), width=None if outlet.isatty() else WIDTH)
    finally:
        outlet.close()


@contextmanager
def progress(what: str, on: Console = err) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal with the time left; what it gives is told how many are done and how many there are.

    Args:
        what: What is counted.
        on: Where else is printed meanwhile, so that the bar stays below it; where that is no terminal there is no bar.
    """
    with Progress(console=on, transient=True, disable=not on.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def deliver(document: str) -> bool:
    """Print a document on standard output, as long as it is taken; whether it was taken whole."""
    outlet = Outlet.of(sys.stdout, "standard output")
    outlet.write(document + "\n")
    return outlet.close()


@contextmanager
def output_prepared() -> Iterator[None]:
    """While in this context whatever a command prints is printed as well as it can be.

    Characters that the output does not have are replaced. An output that was closed is no number for the next file that
    is opened. An output that takes no more ends the command with a word and exit status 1; a reader who has seen enough
    needs no word.
    """
    while (unused := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        pass
    os.close(unused)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _told(sys.stdout)
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except _OutputError as error:
        _give_up(error)


class _OutputError(Exception):
    """Standard output takes no more; not an OSError, which could be any file's."""


class _StandardOutput(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _OutputError(error.strerror) from error


def _told(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The same stream, which replaces characters and tells its errors from those of other files."""
    stream.flush()
    buffer = io.BufferedWriter(_StandardOutput(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        buffer, stream.encoding, "replace", line_buffering=stream.line_buffering or stream.write_through
    )


def _give_up(error: _OutputError) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_WRONLY), STANDARD_OUTPUT)  # the interpreter tries once more at its end
    if not isinstance(error.__cause__, BrokenPipeError):
        err.print(f"standard output: {error}", highlight=False)
    sys.exit(UNWELL)


def tell_left_out(told: Sequence[str]) -> None:
    """Name what was left out, the first of many, and how many there are."""
    for line in told[:MOST_NAMED]:
        err.print(f"left out: {line}", highlight=False, markup=False, soft_wrap=True)
    if len(told) > MOST_NAMED:
        err.print(f"left out: {len(told) - MOST_NAMED:,} more", highlight=False)


def refuse(error: StationError) -> NoReturn:
    """Say what was refused and why, and end."""
    err.print(f"[bold red]{error.code}[/] {escape(error.fault.text)}")
    if error.detail:
        err.print(escape(error.detail), highlight=False, soft_wrap=True)
    sys.exit(REFUSED)


def settings_of(config: Path | None, shipped: str) -> Settings:
    """The configuration in a file, or the shipped one."""
    if config is not None:
        return load_settings(config)
    with as_file(bundled(shipped)) as path:
        return load_settings(path)


def user_name() -> str:
    """Who gives the command.

    Raises:
        ConfigError: This user has no name.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise ConfigError("config.bad_option", "this user has no name; say with --by who says so") from error


def refuse_auto_reset(settings: Settings, config: Path, *, auto_reset: bool) -> None:
    """Let nobody but a person start a real cell.

    Raises:
        ConfigError: `--auto-reset` with a configuration that is not a simulation's.
    """
    if auto_reset and settings.simulation is None:
        raise ConfigError(
            "config.bad_option", f"--auto-reset is refused: {config} has no [simulation], it is a real cell"
        )


def terminal_log(console: Console) -> logging.Handler | None:
    """Log lines above the live picture, so that they do not tear it."""
    return RichHandler(console=console, show_path=False, show_time=False) if console.is_terminal else None
