"""What the commands that ask a network share: their options, and the settings that these make."""

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.progress import track

from models.version import INSTALL_TRAIN
from station.cli.terminal import REFUSED, err, settings_of
from station.core.errors import ConfigError, RecordingError
from station.core.recording import RecordedScan
from station.core.settings import ModelSettings, Settings

if TYPE_CHECKING:
    from models.manifest import Bundle
    from models.novelty.file import Hashes

Item = TypeVar("Item")

MODEL_HELP = "A shipped bundle's name, a bundle's folder, or a checkpoint (.pt)."

Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
EngineOption = Annotated[str | None, typer.Option("--engine", help="Engine; by default the configured one.")]
PrecisionOption = Annotated[str | None, typer.Option(help="Arithmetic; by default the configured one.")]
MinConfidence = Annotated[
    float | None, typer.Option(min=0.2, max=0.999, help="Below it a part goes to review; by default the configured.")
]


def chosen_settings(
    config: Path | None, engine: str | None, precision: str | None, min_confidence: float | None
) -> Settings:
    """The configuration with what the command line says of the network in its place.

    Raises:
        ConfigError: The configuration cannot be used, or there is no such engine or arithmetic.
    """
    settings = settings_of(config, "simulate.toml")
    wanted = {"engine": engine, "precision": precision}
    chosen = {key: value for key, value in wanted.items() if value is not None}
    try:
        model = ModelSettings.model_validate({**settings.model.model_dump(), **chosen})
    except ValidationError as error:
        raise ConfigError("config.bad_option", f"--engine, --precision: {error.errors()[0]['msg']}") from error
    decision = settings.decision
    if min_confidence is not None:
        decision = decision.model_copy(update={"min_confidence": min_confidence})
    return settings.model_copy(update={"model": model, "decision": decision})


def need_packages_for(model: str) -> None:
    """End the command with a word where a checkpoint is asked and the training packages are not there."""
    from station.offline.measuring import CHECKPOINT

    if model.endswith(CHECKPOINT) and find_spec("torch") is None:
        hint = f"a checkpoint needs the training packages; in the project's folder: {INSTALL_TRAIN}"
        err.print(hint, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED)


def tracked(what: str, items: Sequence[Item]) -> Iterable[Item]:
    """The items, one by one, while a bar on the terminal shows how far it is."""
    return track(items, description=what, console=err, transient=True, disable=not sys.stderr.isatty())


def unseen_scans(
    settings: Settings, recordings: Sequence[Path], records: Path | None
) -> Sequence[RecordedScan | RecordingError]:
    """The scans of recordings, and those of a data folder with what people have labelled, and what cannot be used.

    Raises:
        ConfigError: Neither is given.
        RecordingError: A folder is no recording.
        StationError: Records or labels cannot be read.
    """
    from station.host.records import read_records
    from station.labels.build import open_labels
    from station.offline.calibrating import labelled_scans, scans_of

    if not recordings and records is None:
        raise ConfigError("config.bad_option", "give recordings of such parts (--from), or records (--records)")
    scans: list[RecordedScan | RecordingError] = list(scans_of(recordings, settings))
    if records is not None:
        labels = open_labels(settings, records).labels()
        scans += labelled_scans(read_records(settings, records), labels, records)
    return scans


def trained_hashes(bundle: "Bundle", data_sets: Sequence[Path]) -> "Hashes":
    """Which scans a network was trained on, as far as its bundle and these data sets tell.

    Raises:
        ModelError: What the bundle says cannot be used.
        DatasetError: A data set cannot be read.
    """
    import numpy as np

    from models.dataset.store import read_data
    from models.novelty.file import read_trained
    from models.novelty.learnt import trained_on

    return np.concatenate([read_trained(bundle), *(trained_on(read_data(folder)) for folder in data_sets)])
