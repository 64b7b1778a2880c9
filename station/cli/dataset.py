"""`station dataset …`: render or compose recordings, compare with real metal, make data sets for training."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from models.errors import DatasetError
from station.cli.dataset_compose import compose as compose_scans
from station.cli.dataset_cut import cut as cut_scans
from station.cli.terminal import ConfigOption, err, out, progress, refuse, settings_of
from station.core.errors import StationError

if TYPE_CHECKING:
    from models.dataset.folders import FolderPlan, Grouping
    from models.dataset.recording import RecordingPlan
    from models.dataset.split import Shares
    from models.dataset.store import DataSet

MOST_NAMED = 20
"""Files that were left out, named one by one."""

dataset_app = typer.Typer(help="Render or compose recordings, and make data sets for training.", no_args_is_help=True)


@dataset_app.callback()
def dataset() -> None:
    """Render or compose recordings, and make data sets for training."""


dataset_app.command("compose")(compose_scans)
dataset_app.command("cut")(cut_scans)


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
    from sim.surfaces.plan import parse_mix, parse_place, parse_setting

    try:
        setting = parse_setting(world, ground, lamp_age, marks)
        plan = RenderPlan(
            parts, seed, parse_mix(mix), SeverityPlan.parse(severity), mixed, setting, parse_place(place)
        ).planned()
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


class Kind(StrEnum):
    """What `make` makes."""

    PATCHES = "patches"
    WHOLE = "whole"
    CLASS_FOLDERS = "class-folders"


@dataset_app.command()
def make(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    sources: Annotated[
        list[Path],
        typer.Option("--from", metavar="DIR", help="A recording, or a folder of class folders or of splits of such."),
    ],
    kind: Annotated[Kind, typer.Option(help="Patches or whole scans, of recordings; or class folders.")] = Kind.PATCHES,
    split: Annotated[
        str | None,
        typer.Option(
            help="Percent of --from for training, validation and test; 0/0/100 to judge alone. "
            "[default: 80/20/0, or 100/0/0 where splits are given]"
        ),
    ] = None,
    validation_from: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="As --from, all for validation; --from then trains.")
    ] = None,
    test_from: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="As --from, all for testing; --from then trains.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of splits, jitter and cuts.")] = 1,
    jitter_px: Annotated[int, typer.Option(min=0, max=8, help="Move a part's edges by up to so many columns.")] = 2,
    cuts: Annotated[
        int,
        typer.Option(
            min=1, max=16, help="Cut a scan that trains so many times, each time from another line of its turn."
        ),
    ] = 1,
    size: Annotated[
        int | None, typer.Option(min=32, max=2048, help="Class folders: make every picture so many px high and wide.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Class folders: every class, in a network's order, also those without pictures here."
        ),
    ] = None,
    passing: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Class folders: the class of good pictures; by default that of [[classes]]."),
    ] = None,
    alike: Annotated[
        bool, typer.Option("--alike", help="Class folders: keep pictures of one object, alike in detail, together.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make a data set for training: labelled images, split by part, with every file's hash in its manifest."""
    from models.dataset.split import parse_shares

    given = (tuple(validation_from or ()), tuple(test_from or ()))
    settings = settings_of(config, "simulate.toml")
    try:
        shares = parse_shares(split) if split else None
        if kind is Kind.CLASS_FOLDERS:
            if len(sources) > 1:
                raise DatasetError("dataset.bad_choice", "class folders are made from one --from alone")
            from models.dataset.folders import FolderPlan

            names = tuple(name.strip() for name in classes.split(",")) if classes else None
            grouping: Grouping = "alike" if alike else "same"
            data = _from_folders(
                folder,
                FolderPlan(
                    folder.name, sources[0], shares, seed, size, grouping, *given, names, passing,
                    usual_passing=settings.table.passing.name,
                ),
            )  # fmt: skip
        elif size or alike or classes or passing:
            raise DatasetError("dataset.bad_choice", "--size, --alike, --classes and --passing are for class folders")
        else:
            from models.dataset.recording import RecordingPlan

            _refuse_class_folders(sources)
            usual: Shares = (100, 0, 0) if any(given) else (80, 20, 0)
            made: Literal["patches", "whole"] = "patches" if kind is Kind.PATCHES else "whole"
            plan = RecordingPlan(
                made, folder.name, tuple(sources), settings.table, settings.geometry.value(),
                *given, shares or usual, seed, jitter_px, cuts,
            )  # fmt: skip
            data = _from_recordings(folder, plan, jobs or os.cpu_count() or 1)
    except StationError as error:
        refuse(error)
    _print(data)
    _tell_unfit(data)


@dataset_app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DATA", help="A data set.")],
    verify: Annotated[bool, typer.Option("--verify", help="Also read all images and check their hash.")] = False,
) -> None:
    """Show what a data set holds: classes, splits, groups, the rule of its labels."""
    from models.dataset.store import read_data, verify_images

    try:
        data = read_data(folder)
        if verify:
            verify_images(data)
    except StationError as error:
        refuse(error)
    _print(data)


def _refuse_class_folders(sources: list[Path]) -> None:
    for folder in sources:
        if folder.is_dir() and not (folder / "recording.jsonl").exists():
            told = f"{folder} is no recording (no recording.jsonl); folders of classes take --kind class-folders"
            raise DatasetError("dataset.bad_source", told)


def _from_folders(folder: Path, plan: "FolderPlan") -> "DataSet":
    from models.dataset.folders import make_from_folders

    with progress("reading") as tell:
        return make_from_folders(folder, plan, tell, _tell_left_out)


def _tell_left_out(names: Sequence[str]) -> None:
    """Name what is no picture of a class; the first of many, and how many there are."""
    for name in names[:MOST_NAMED]:
        err.print(f"left out: {name}", highlight=False, markup=False, soft_wrap=True)
    if len(names) > MOST_NAMED:
        err.print(f"left out: {len(names) - MOST_NAMED} more", highlight=False)


def _tell_unfit(data: "DataSet") -> None:
    """Say what would keep a network that is trained on this from a station."""
    from models.meaning import NAMES, unconfigurable

    if strange := unconfigurable(data.classes):
        err.print(f"for export rename {', '.join(strange)}: {NAMES}", highlight=False, markup=False, soft_wrap=True)
    if data.manifest.passing is None:
        told = "no class passes: a network trained on this cannot judge parts; name the class of good ones (--passing)"
        err.print(told, highlight=False, markup=False, soft_wrap=True)


def _from_recordings(folder: Path, plan: "RecordingPlan", jobs: int) -> "DataSet":
    from models.dataset.recording import make_from_recordings

    with progress("cutting") as tell:
        return make_from_recordings(folder, plan, jobs, tell)


def _print(data: "DataSet") -> None:
    import numpy as np

    from models.dataset.store import SLIVER, Split

    manifest = data.manifest
    table = Table("class", *(split.name.lower() for split in Split))
    named = [(name, number) for number, name in enumerate(data.classes)]
    for name, number in [*named, ("slivers, left out", SLIVER)]:
        counts = [int(np.sum((data.labels == number) & (data.splits == split))) for split in Split]
        table.add_row(name, *(f"{count:,}" for count in counts))
    groups = [len(np.unique(data.groups[data.splits == split])) for split in Split]
    table.add_row("groups", *(f"{count:,}" for count in groups))
    out.print(f"{manifest.name}: {manifest.images:,} images of {manifest.height}x{manifest.width}", highlight=False)
    out.print(table)
    for name in ("kind", "passing", "source", "rule", "seed"):
        out.print(f"{name:>8} {getattr(manifest, name) or '-'}", highlight=False, soft_wrap=True)
    out.print(f"{'sha256':>8} {data.sha256}", highlight=False)
