"""`station dataset blend`: more images of rare defects, blended from those there are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.dataset_tables import print_data, tell_left_out
from station.cli.terminal import err, out, progress, refuse
from station.core.errors import StationError

if TYPE_CHECKING:
    from models.dataset.store import DataSet
    from models.synthesis.blended_set import Blended, BlendedSet
    from station.core.part import Pixels

SHOWN = 8
"""Images of a class in the picture, taken and made."""


def blend(
    folder: Annotated[Path, typer.Argument(metavar="DATA", help="A data set.")],
    written: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    count: Annotated[int, typer.Option(min=1, max=99_999, help="Images to make of each class.")] = 200,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Class of defects; may be repeated; by default every one."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A mask for each picture (CLASS/NAME.png), not 0 where the defect is; by default what stands out of "
            "good surface is taken.",
        ),
    ] = None,
    made_masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the masks of what was made here, as the data set names it."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw defects that were taken and made side by side, a PNG.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Of grounds, places and contrasts.")] = 1,
) -> None:
    """Blend the defects that train into good images that train, and write the data set anew with what was made.

    What was made is marked as made for ever: it trains, it judges nothing, and no fold that judges what it was made of
    trains on it.
    """
    from models.dataset.store import read_data
    from models.synthesis.blended_set import BlendPlan, add_blended

    try:
        data = read_data(folder)
        with progress("blending") as tell:
            blended = add_blended(
                written, data, BlendPlan(written.name, count, tuple(classes or ()), masks, seed), tell
            )
        _draw(picture, made_masks, data, blended)
    except StationError as error:
        refuse(error)
    tell_left_out(blended.left_out)
    for line in blended.told:
        err.print(line, highlight=False, markup=False, soft_wrap=True)
    print_data(blended.data)
    if picture:
        out.print(f"taken and made side by side in {picture}", highlight=False, markup=False, soft_wrap=True)


def _draw(picture: Path | None, masks: Path | None, data: "DataSet", blended: "BlendedSet") -> None:
    from models.synthesis.sheet import draw_sheet, write_masks

    if picture:
        draw_sheet(picture, {name: (_taken(data, made), _few(made)) for name, made in blended.made.items()})
    if masks:
        write_masks(masks, {one.file.path: one.mask for made in blended.made.values() for one in made})


def _few(made: "list[Blended]") -> "list[Pixels]":
    return [one.image for one in made[:SHOWN]]


def _taken(data: "DataSet", made: "list[Blended]") -> "list[Pixels]":
    """The defects that the first of them show, each once."""
    import numpy as np

    images = list(dict.fromkeys(one.of.image for one in made))[:SHOWN]
    return [np.asarray(data.images[image], np.uint8) for image in images]
