"""`station model predict`: what a network makes of pictures, whatever they are of."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.model_options import (
    MODEL_HELP,
    EngineOption,
    MinConfidence,
    PrecisionOption,
    chosen_settings,
    need_packages_for,
)
from station.cli.terminal import UNWELL, ConfigOption, JsonOption, err, out
from station.core.errors import StationError

if TYPE_CHECKING:
    from models.detector.reader import Detector
    from station.offline.inspect import NotInspected, Wanted
    from station.offline.predicted_pictures import PredictedPictures
    from station.offline.predicting import Predicted, Predictor


def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, folders of such, or recordings.")],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help=MODEL_HELP)] = "promoted",
    pictures: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write each picture with the evidence beside it there.")
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option("--detector", metavar="DETECTOR", help="Of `station model detector`: find the product first."),
    ] = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    min_confidence: MinConfidence = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a network makes of 8-bit grey pictures (PNG, TIFF, BMP, JPEG) of any size, in percent for each class.

    One of a patch's size is judged as a patch, one with the lines of a turn is cut as the station cuts a scan, and any
    other is resized to a patch, with a word. With a detector the one product in such a picture is judged, and looked at
    again where that is unsure; no product, or several, are a case for review. Folders of masks are left out.
    Exit status 0 only if every picture was judged.
    """
    from station.offline.inspect import NotInspected
    from station.offline.measuring import open_scorer
    from station.offline.predicted_pictures import PredictedPictures
    from station.offline.predicting import Predictor, passing_of, wanted_pictures

    settings = chosen_settings(config, engine, precision, min_confidence)
    need_packages_for(model)
    finder = None if detector is None else _opened(detector, settings.model.threads)
    predictor = Predictor(open_scorer(model, settings)[0], passing_of(model, settings), settings, finder)
    folder = None if pictures is None else PredictedPictures(pictures, predictor)
    rows: list[dict[str, Any]] = []
    table = _table(predictor.scorer.classes)
    failed = False
    for wanted in wanted_pictures(paths):
        found = _judged(wanted, predictor)
        row = found.as_json() if isinstance(found, NotInspected) else _row(found, predictor, folder)
        failed |= isinstance(found, NotInspected)
        rows.append(row)
        if not as_json:
            _tell(found, table, predictor.scorer.classes)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif table.row_count:
        out.print(table)
    if failed:
        raise typer.Exit(UNWELL)


def _opened(folder: Path, threads: int) -> "Detector":
    from models.detector.reader import Detector

    return Detector(folder, threads)


def _judged(wanted: "Wanted | NotInspected", predictor: "Predictor") -> "Predicted | NotInspected":
    from station.core.errors import ModelError
    from station.offline.inspect import NotInspected

    if isinstance(wanted, NotInspected):
        return wanted
    try:
        return predictor.predict(wanted)
    except ModelError:
        raise  # it is the network's fault, of every picture alike
    except StationError as error:
        return NotInspected(wanted.file, error)


def _row(found: "Predicted", predictor: "Predictor", folder: "PredictedPictures | None") -> dict[str, Any]:
    row = found.as_json(predictor.scorer.classes)
    if folder is not None:
        written = folder.save(found)
        row["picture"] = None if written is None else str(written)
    return row


def _table(classes: tuple[str, ...]) -> Table:
    table = Table("picture", "judged as", "verdict", box=None)
    for name in classes:
        table.add_column(f"{name} %", justify="right")
    return table


def _tell(found: "Predicted | NotInspected", table: Table, classes: tuple[str, ...]) -> None:
    """Add a picture to the table, and say what there is to say of it."""
    from station.offline.inspect import NotInspected

    name = str(found.file)
    if isinstance(found, NotInspected):
        err.print(f"{name}  {found.error.code} {found.error}", markup=False, highlight=False, soft_wrap=True)
        return
    height, width = found.shape
    judged_as = f"resized from {height}x{width}" if found.judged_as == "resized" else found.judged_as
    if found.judged_as == "product" and found.patch is not None:
        judged_as = f"product in {found.places[0]}" + (f", {found.looks} looks" if found.looks > 1 else "")
    percents = found.percent(classes)
    table.add_row(
        escape(name), judged_as, found.verdict, *(f"{percents[one]:.2f}" if percents else "-" for one in classes)
    )
    if found.reason:
        err.print(f"{name}  {found.reason}", markup=False, highlight=False, soft_wrap=True)
