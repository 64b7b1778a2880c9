"""What the commands that ask a network share: their options, and the settings that these make."""

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.progress import track

from models.version import INSTALL_TRAIN
from station.cli.terminal import REFUSED, err, settings_of
from station.core.errors import ConfigError
from station.core.settings import ModelSettings, Settings

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
