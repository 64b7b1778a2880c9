"""`station model calibrate`: holds good parts against a bundle, so that the station can tell unknown ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.model_options import PrecisionOption, chosen_settings, trained_hashes, unseen_scans
from station.cli.terminal import ConfigOption, DataOption, err, out, progress
from station.core.novelty.conformal import parts_for
from station.core.settings import Settings

if TYPE_CHECKING:
    from models.manifest import Bundle
    from models.novelty.file import CalibratedParts
    from station.offline.calibrating import GoodParts


def calibrate(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="promoted, a shipped bundle's name, or a bundle's folder.")
    ],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A new folder for the bundle with its calibration.")],
    recordings: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="DIR", help="Recording with good parts not trained on; may be repeated."),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA", help="A station's data folder: archived scans of parts that people have labelled good."
        ),
    ] = None,
    data_sets: Annotated[
        list[Path] | None,
        typer.Option(
            "--data-set",
            metavar="DIR",
            help="A further data set that was trained on; the bundle itself knows that of its export. May be repeated.",
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="What the parts are, for people; by default the folders.")] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Take scans without a label for good parts: somebody has looked.")
    ] = False,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Copy a bundle with what good parts come to: with it the station sends unknown parts to review.

    Each part counts once, by its first scan. Parts that were trained on, that are not labelled good or that the station
    would refuse are left out. Only card, calibration and hash become others; let the copy through the gate.
    """
    from models.novelty.calibrate import Measured, enough, require_reference, write_calibrated
    from models.release.new_folder import refuse_existing
    from models.release.shelf import chosen_bundle
    from models.screening.demands import measured_by
    from station.host.bundles import find_shelf

    refuse_existing(copy)
    settings = chosen_settings(config, None, precision, None)
    found = chosen_bundle(bundle, find_shelf(settings, data))
    require_reference(found)
    good = _good_parts(found, settings, data_sets or (), unlabelled)
    scans = unseen_scans(settings, recordings or (), records)
    with progress("good parts") as done:
        good.take(scans, done)
    _tell("Left out:", good.left_out)
    folders = [*(recordings or ()), *([records] if records else ())]
    told = source or ", ".join(folder.name for folder in folders)
    types, few = enough(Measured(good.parts, told, measured_by(found, settings.model)))
    write_calibrated(found, types, copy)
    out.print(_table(types))
    _tell("Not calibrated:", few)
    _tell("But", _not_promised(types, settings.novelty.alpha))
    out.print(escape(str(copy)), soft_wrap=True, highlight=False)


def _good_parts(bundle: "Bundle", settings: Settings, data_sets: Sequence[Path], unlabelled: bool) -> "GoodParts":
    from models.engines import make_engine
    from station.flow.pixels.library import library
    from station.offline.calibrating import Choice, GoodParts

    library()
    choice = Choice(trained_hashes(bundle, data_sets), settings.table.passing.name if unlabelled else None)
    return GoodParts(make_engine(bundle, settings.model), settings, choice)


def _table(types: "Mapping[str, CalibratedParts]") -> Table:
    table = Table("part type", "good parts", "of them to review as unknown, at the most", box=None)
    for name, parts in types.items():
        table.add_row(name, str(len(parts.scores)), f"{1 / (len(parts.scores) + 1):.2%}")
    return table


def _not_promised(types: "Mapping[str, CalibratedParts]", alpha: float) -> list[str]:
    """The types of which there are too few parts to promise what is configured."""
    if not alpha:
        return []
    counts = {name: len(parts.scores) for name, parts in types.items()}
    return [
        f"{name}: novelty.alpha is {alpha:.2%}, which takes {parts_for(alpha)} good parts; {count} are there, so that "
        f"the station goes by {1 / (count + 1):.2%}"
        for name, count in counts.items()
        if 1 / (count + 1) > alpha
    ]


def _tell(what: str, lines: Sequence[str]) -> None:
    for line in lines:
        err.print(f"{what} {line}", markup=False, soft_wrap=True, highlight=False)
