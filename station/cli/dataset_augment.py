"""`station dataset augment`: a data set filled up with changed copies to fixed counts, as the papers make theirs."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.dataset_tables import print_data
from station.cli.terminal import refuse
from station.core.errors import StationError


def augment(
    folder: Annotated[Path, typer.Argument(metavar="DATA", help="A data set.")],
    written: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=COUNT", help="Images of a class that shall train; may be repeated."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="The paper's counts: o-ta (whole scans), p-ta (patches), each times the share that trains."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Of the changes.")] = 1,
) -> None:
    """Fill classes up with changed copies: mirrored, upside down, of other brightness and contrast.

    A training changes images anyway, each time it draws them; this is for comparison with sets that were enlarged
    beforehand. Copies are marked as made, train, and judge nothing.
    """
    from models.dataset.store import read_data
    from models.errors import DatasetError
    from models.synthesis.augmented_set import AugmentPlan, add_copies, counts_of

    try:
        if (to is None) == (recipe is None):
            raise DatasetError("dataset.bad_choice", "give --to or --recipe, one of them")
        data = read_data(folder)
        counts = counts_of(recipe, data) if recipe else dict(map(_count, to or ()))
        made = add_copies(written, data, AugmentPlan(written.name, counts, seed))
    except StationError as error:
        refuse(error)
    print_data(made)


def _count(text: str) -> tuple[str, int]:
    from models.errors import DatasetError

    name, _equals, count = text.rpartition("=")
    if not name or not count.isdecimal():
        raise DatasetError("dataset.bad_choice", f"--to {text}: write CLASS=COUNT, as pits=250")
    return name, int(count)
