"""`station dataset …`: render recordings, and make data sets for training."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from station.core.errors import StationError
from station.terminal import err, out, refuse

dataset_app = typer.Typer(help="Render recordings, and make data sets for training.", no_args_is_help=True)


@dataset_app.callback()
def dataset() -> None:
    """Render recordings, and make data sets for training."""


@dataset_app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Folder to write; it is made if it is not there.")],
    parts: Annotated[int, typer.Option(min=1, max=99_999, help="Number of housings.")] = 130,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Recordings of different seeds share no housing.")] = 1,
    mix: Annotated[
        str, typer.Option(help="Weights of defect-free, imprinted, pits, roll marks and scratches.")
    ] = "40/17/36/19/18",
    severity: Annotated[
        str, typer.Option(help="default, curves (any, also too faint to be seen), or SIZExCONTRAST such as 0.5x0.7.")
    ] = "default",
    mixed: Annotated[
        float, typer.Option(min=0, max=1, help="Of the housings with several defects, the share of several classes.")
    ] = 0.0,
    lamp_age: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 new, 1 worn out; by default as in everyday use.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
) -> None:
    """Render housings with known surfaces into a folder: a recording, with truth and masks beside it.

    The same options give the same files, whatever the number of processes. A folder that holds a recording is refused.
    """
    from sim.surfaces import RenderPlan, SeverityPlan, write_recording
    from sim.surfaces.plan import parse_mix

    try:
        plan = RenderPlan(parts, seed, parse_mix(mix), SeverityPlan.parse(severity), mixed, lamp_age).planned()
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("rendering", total=parts)
            write_recording(folder, plan, jobs or os.cpu_count() or 1, lambda: progress.advance(task))
    except StationError as error:
        refuse(error)
    out.print(f"{parts} scans in {folder}", highlight=False)
