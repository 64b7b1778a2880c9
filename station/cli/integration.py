"""`station integration`: what a PLC's or a robot's programmer needs of this station, made from its register maps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from station.cli.terminal import ConfigOption, out, settings_of

integration_app = typer.Typer(
    help="Programs for the line PLC and the robot, made from the register maps.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip


@integration_app.callback()
def integration() -> None:
    """Programs for the line PLC and the robot, made from the register maps."""


@integration_app.command("export")
def integration_export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where it is written; a new or an empty folder.")],
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of `python -m sim --trace`; the timing is drawn from it.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write function block, SCL, PLCopen XML, variables, texts, robot program and pages into a folder.

    They are made for the maps and profiles, the classes and the places of the configuration. DIR/README.md is where to
    begin.
    """
    from station.plant.integration.export import documents, write

    found = documents(settings_of(config, "simulate.toml"), datetime.now(UTC), trace)
    write(found, folder)
    for document in found:
        out.print(str(folder / document.path), highlight=False, soft_wrap=True)
