"""`station dataset show`: what a data set holds, and whether it is as it was made."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.dataset_tables import print_data
from station.cli.terminal import refuse
from station.core.errors import StationError


def show(
    folder: Annotated[Path, typer.Argument(metavar="DATA", help="A data set.")],
    verify: Annotated[bool, typer.Option("--verify", help="Also read all images and check their hash.")] = False,
) -> None:
    """Show what a data set holds: images and parts by class and split, on whose word, and where they come from."""
    from models.dataset.store import read_data, verify_images

    try:
        data = read_data(folder)
        if verify:
            verify_images(data)
    except StationError as error:
        refuse(error)
    print_data(data)
