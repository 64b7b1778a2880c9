"""What the commands share: the terminal, their common options, and how a refusal is told."""

import logging
import sys
from importlib.resources import as_file
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from config import bundled
from station.core.errors import ConfigError, StationError
from station.core.settings import Settings, load_settings

REFUSED, STOPPED = 2, 3
"""Exit status: refused before anything moved; the cell was stopped by a fault."""

WIDTH = 140
"""Columns of output that goes into a file or a pipe."""


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
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


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


def refuse_auto_reset(settings: Settings, config: Path, *, auto_reset: bool) -> None:
    """Let nobody but a person start a real cell.

    Raises:
        ConfigError: `--auto-reset` with a configuration that is not a simulation's.
    """
    if auto_reset and settings.simulation is None:
        raise ConfigError("config.invalid", f"--auto-reset is refused: {config} has no [simulation], it is a real cell")


def terminal_log(console: Console) -> logging.Handler | None:
    """Log lines above the live picture, so that they do not tear it."""
    return RichHandler(console=console, show_path=False, show_time=False) if console.is_terminal else None
