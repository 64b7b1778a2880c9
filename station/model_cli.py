"""`station model …`: train, measure, release and choose the network."""

import typer

from station.model_measure_cli import evaluate, robustness
from station.model_release_cli import card, export, gate, list_bundles, promote, rollback, show
from station.model_train_cli import compare, crossval, networks, train

model_app = typer.Typer(help="Train, measure, release and choose the network.", no_args_is_help=True)


@model_app.callback()
def model() -> None:
    """Train, measure, release and choose the network."""


for command in (train, networks, crossval, compare, evaluate, robustness, export, card, gate, show, promote, rollback):
    model_app.command()(command)
model_app.command("list")(list_bundles)
