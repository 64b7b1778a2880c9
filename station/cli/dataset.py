"""`station dataset …`: render or compose recordings, compare with real metal, make data sets for training."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from station.cli.dataset_augment import augment as augment_images
from station.cli.dataset_blend import blend as blend_defects
from station.cli.dataset_compose import compose as compose_scans
from station.cli.dataset_cut import cut as cut_scans
from station.cli.dataset_make import make as make_data_set
from station.cli.dataset_show import show as show_data_set
from station.cli.terminal import out, progress, refuse
from station.core.errors import StationError

dataset_app = typer.Typer(help="Render or compose recordings, and make data sets for training.", no_args_is_help=True)


@dataset_app.callback()
def dataset() -> None:
    """Render or compose recordings, and make data sets for training."""


dataset_app.command("augment")(augment_images)
dataset_app.command("blend")(blend_defects)
dataset_app.command("compose")(compose_scans)
dataset_app.command("cut")(cut_scans)
dataset_app.command("make")(make_data_set)
dataset_app.command("show")(show_data_set)


@dataset_app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Folder to write; it is made if it is not there.")],
    parts: Annotated[int, typer.Option(min=1, max=99_999, help="Number of housings.")] = 130,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Recordings of different seeds share no housing.")] = 1,
    mix: Annotated[
        str, typer.Option(help="Weights of defect-free, imprinted, pits, roll marks and scratches.")
    ] = "40/17/36/19/18",
    severity: Annotated[
        str,
        typer.Option(
            help="default, curves (size, contrast or both varied, down to what cannot be seen), hard (as small or "
            "faint as the shipped network finds half to nine tenths of), or SIZExCONTRAST such as 0.5x0.7."
        ),
    ] = "default",
    mixed: Annotated[
        float, typer.Option(min=0, max=1, help="Of the housings with several defects, the share of several classes.")
    ] = 0.0,
    lamp_age: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 new, 1 worn out; by default as in everyday use.")
    ] = None,
    marks: Annotated[
        float, typer.Option(min=0, max=10, help="So many times the usual oil, films, stains, dust and fine scratches.")
    ] = 1.0,
    place: Annotated[
        str,
        typer.Option(
            help="Where every defect lies: anywhere, whole (inside one patch), border (cut in half by two patches' "
            "border), corner (where four meet), seam (the turn's start and end), film (on dried oil)."
        ),
    ] = "anywhere",
    unknown: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Parts of none of the classes, in place of the mix: rust-film, thread, burred-dent, droplets, label, "
            "wrong-material, picture (of other metal, from --ground), several with commas between them, or drawn (all "
            "but picture).",
        ),
    ] = None,
    world: Annotated[
        str, typer.Option(help="usual; or hard: marks that look like defects, weak lamps, poor focus, a wobbling axis.")
    ] = "usual",
    ground: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures of real good metal, marks from top to bottom, in place of rendered metal."
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
) -> None:
    """Render housings with known surfaces into a folder: a recording, with truth and masks beside it.

    The same options give the same files, whatever the number of processes. A folder that holds a recording is refused.
    """
    from sim.surfaces import RenderPlan, SeverityPlan, write_recording
    from sim.surfaces.plan import parse_mix, parse_place, parse_setting, parse_unknown

    try:
        setting = parse_setting(world, ground, lamp_age, marks)
        where = parse_place(place)
        plan = RenderPlan(
            parts, seed, parse_mix(mix), SeverityPlan.parse(severity), mixed, setting, where,
            parse_unknown(unknown, where, ground),
        ).planned()  # fmt: skip
        with progress("rendering") as tell:
            write_recording(folder, plan, jobs or os.cpu_count() or 1, tell)
    except StationError as error:
        refuse(error)
    out.print(f"{parts} scans in {folder}", highlight=False)


@dataset_app.command()
def compare(
    pictures: Annotated[Path, typer.Argument(help="Folder of pictures of real metal, marks from top to bottom.")],
    picture: Annotated[Path, typer.Option("--out", help="Where the comparison is drawn, a PNG.")] = Path("finish.png"),
    parts: Annotated[int, typer.Option(min=1, max=200, help="Housings to render, and pictures to read.")] = 60,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Of the rendered housings.")] = 1,
) -> None:
    """Compare rendered metal with pictures of real ground metal: grey values, power along and across the marks."""
    from sim.surfaces.comparison import compare_with

    try:
        likeness = compare_with(pictures, picture, parts, seed)
    except StationError as error:
        refuse(error)
    for name, value in asdict(likeness).items():
        out.print(f"{name:>14} {value:7.4f}", highlight=False)
    out.print(f"drawn in {picture}", highlight=False)
