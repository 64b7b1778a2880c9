"""`station model curve`: how good a network gets with so many labelled parts, and what more of them would bring."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from models.errors import TrainingError
from station.cli.model_train import (
    Choices,
    Computing,
    DataFolder,
    NetworkName,
    OutFolder,
    ValidationItems,
    need_training_packages,
    network_named,
    refuse_unfinished,
    with_choices,
)
from station.cli.terminal import out

if TYPE_CHECKING:
    from models.curve.document import Curve
    from models.evaluation.figures.rates import Rate


@with_choices
def curve(
    data: DataFolder,
    out_folder: OutFolder,
    choices: Choices,
    computing: Computing,
    network: NetworkName = "inception-cnn",
    sizes: Annotated[str, typer.Option(metavar="N,N,…", help="Parts to train on, rising.")] = "50,100,200,400",
    expected_parts: Annotated[
        int | None,
        typer.Option("--expect", min=1, metavar="N", help="Say what N parts would bring; by default twice the most."),
    ] = None,
    validation_items: ValidationItems = None,
) -> None:
    """Train a network on more and more parts, and judge each training on the same test split.

    Every smaller set lies in the larger ones. The same command goes on where it was interrupted, and takes further
    sizes. curve.csv, curve.json and curve.png lie in the folder.
    """
    need_training_packages()
    from models.curve.tracing import trace
    from models.dataset.store import read_data, verify_images

    wanted = sizes_named(sizes)
    data_set = read_data(data)
    verify_images(data_set)
    plan = choices.plan(data_set.manifest.kind, network_named(network), validation_items=validation_items, patience=0)
    expected = expected_parts or 2 * wanted[-1]
    traced = trace(data_set, plan, wanted, expected, out_folder, computing.session())
    refuse_unfinished(out_folder, finished=traced is not None)
    if traced is not None:
        out.print(_table(traced))
        out.print(traced.told, highlight=False, markup=False, soft_wrap=True)


def sizes_named(text: str) -> list[int]:
    """Numbers of parts from a list with commas.

    Raises:
        TrainingError: One is no number of parts.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise TrainingError("training.bad_plan", f"--sizes {text}: write it as 50,100,200,400")
    return [int(word) for word in words]


def _table(traced: "Curve") -> Table:
    table = Table("parts", "images", f"{traced.judged} judged wrongly", "escapes", "overkill", box=None)
    for point in traced.points:
        counted = (_told(one) for one in (point.errors, point.escapes, point.overkills))
        table.add_row(str(point.parts), str(point.images), *counted)
    return table


def _told(counted: "Rate") -> str:
    from models.evaluation.figures.wording import percent, within

    return f"{percent(counted.share)}: {within(counted)}"
