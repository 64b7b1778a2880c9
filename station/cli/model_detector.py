"""`station model detector`: teach a small network where a product is in a picture."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.model_options import tracked
from station.cli.model_train import need_training_packages
from station.cli.terminal import err, out
from station.core.errors import ConfigError
from station.core.part import Pixels


def detector(
    folder: Annotated[Path, typer.Option("--out", metavar="DETECTOR", help="A new folder for the detector.")],
    products: Annotated[
        list[Path], typer.Option(metavar="DIR", help="Pictures that a product fills; folders in it, too. Repeatable.")
    ],
    grounds: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Pictures of the place without a product. Repeatable.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of 16 scenes each.")] = 800,
    tried: Annotated[int, typer.Option(min=1, help="Scenes that it is tried on, of products kept from it.")] = 400,
    least: Annotated[float, typer.Option(min=0.01, max=0.99, help="From which answer on there is a product.")] = 0.4,
    largest: Annotated[int, typer.Option(min=1, help="Pictures of each kind at most, drawn evenly.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and scenes.")] = 1,
) -> None:
    """Make a detector for `station model predict --detector`: minutes on two cores.

    It learns from scenes in which the products lie on drawn grounds, and on those that are given; every fifth picture
    is kept to try it on. For a cell's own scans none is needed.
    """
    need_training_packages("onnxscript")
    from models.detector.training import Course, train_detector
    from models.release.new_folder import refuse_existing

    refuse_existing(folder)
    shown, empty = _pictures("products", products, largest), _pictures("grounds", grounds or [], largest)
    course = Course(steps=steps, tried=tried, least=least, seed=seed)
    made = train_detector(folder, shown, empty, course, lambda text: err.print(text, highlight=False))
    tried_on = made.tried
    out.print(
        f"of {tried_on.found.trials} products in {tried_on.scenes} scenes {tried_on.found.events} found in place, "
        f"{tried_on.places_too_many} places too many; a product seen in {tried_on.called_in_empty.events} of "
        f"{tried_on.called_in_empty.trials} empty scenes",
        highlight=False,
    )
    out.print(str(folder), soft_wrap=True, highlight=False)


def _pictures(what: str, folders: list[Path], largest: int) -> list[Pixels]:
    """The pictures below some folders, so many of them drawn evenly."""
    from models.dataset.pictures import SUFFIXES, read_picture

    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if folders and not files:
        told = f"--{what} {', '.join(map(str, folders))}: no picture ({', '.join(sorted(SUFFIXES))}) in it"
        raise ConfigError("config.bad_option", told)
    chosen = [files[number * len(files) // largest] for number in range(largest)] if len(files) > largest else files
    return [read_picture(path) for path in tracked(what, chosen)]
