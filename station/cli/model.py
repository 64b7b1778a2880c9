"""`station model …`: train, measure, release and choose the network."""

import typer

from station.cli.model_calibrate import calibrate
from station.cli.model_curve import curve
from station.cli.model_detector import detector
from station.cli.model_fleet import keys, publish, pull, shadow, sign
from station.cli.model_measure import evaluate, robustness
from station.cli.model_mistakes import mistakes
from station.cli.model_predict import predict
from station.cli.model_promise import promise
from station.cli.model_release import card, export, gate, list_bundles, promote, rollback, show
from station.cli.model_screen import screen
from station.cli.model_synthesise import synthesise_app
from station.cli.model_train import compare, crossval, networks, train

model_app = typer.Typer(help="Train, measure, release and choose the network.", no_args_is_help=True)


@model_app.callback()
def model() -> None:
    """Train, measure, release and choose the network."""


COMMANDS = (
    train, networks, crossval, compare, mistakes, curve, evaluate, robustness, detector, predict, export, screen,
    calibrate, promise, card, gate, show, promote, rollback, keys, sign, publish, pull, shadow,
)  # fmt: skip
for command in COMMANDS:
    model_app.command()(command)
model_app.command("list")(list_bundles)
model_app.add_typer(synthesise_app, name="synthesise")
