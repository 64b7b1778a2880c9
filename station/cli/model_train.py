"""`station model …`: train, and compare networks."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Table

from models.errors import TrainingError
from models.networks import NETWORKS, SETS
from models.version import INSTALL_TRAIN
from station.cli.model_tables import (
    benchmark_table,
    comparison_table,
    crossval_table,
    errors_table,
    paired_table,
)
from station.cli.terminal import REFUSED, err, out

if TYPE_CHECKING:
    from models.dataset.store import DataSet
    from models.training.comparison import Comparison
    from models.training.plan import Plan
    from models.training.pretrained import InitialWeights
    from models.training.session import Session

EXTRA = ("torch", "timm", "tensorboard", "matplotlib")

DataFolder = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Data set, from `station dataset make`.", show_default=False)
]
OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoints, curves and results.", show_default=False)
]
NetworkName = Annotated[str, typer.Option(help="A name of `station model networks`.")]
Penalty = Annotated[float | None, typer.Option(min=0, help="Penalty on kernels; the paper's is 0.01.")]
Recipe = Annotated[
    str, typer.Option(help="Choices that belong together: station, paper, transfer, head, industnet, product.")
]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs; by default the recipe's.")]
Items = Annotated[int | None, typer.Option(min=1, help="Images an epoch draws; by default all there are.")]
BatchSize = Annotated[int | None, typer.Option(min=2, help="Images a step; by default 32, the paper's 128.")]
Rate = Annotated[float | None, typer.Option(help="Highest learning rate; by default the recipe's.")]
Draw = Annotated[str | None, typer.Option(help="even: classes in fixed shares; whole: every image once an epoch.")]
InitialFile = Annotated[
    Path | None,
    typer.Option("--init", metavar="WEIGHTS", help="Begin with a bundle, a checkpoint, or an .npz of ImageNet."),
]
FirstShare = Annotated[float | None, typer.Option(min=0, max=0.99, help="Share of images that pass in an even draw.")]
Loss = Annotated[str | None, typer.Option(help="weighted: classes by 1/√frequency; plain: all images alike.")]
Dropout = Annotated[float | None, typer.Option(min=0, max=0.95, help="Share that the head's dropouts leave out.")]
RandomWeights = Annotated[
    str | None, typer.Option("--initial", help="Random weights: he, or keras, as its layers begin and normalise.")
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights", metavar="FILE", help="ImageNet's weights of a network of timm's, a file of its; never fetched."
    ),
]
WeightsHash = Annotated[
    str | None, typer.Option("--sha256", metavar="HEX", help="What the hash of --weights must be, or begin with.")
]
Augmentation = Annotated[
    str | None,
    typer.Option(
        help="Of mirror, upend, brightness, contrast, light, exposure, rotate, shift, zoom, crop, perspective, noise, "
        "erase, with commas; none for nothing."
    ),
]
OfClass = Annotated[
    list[str] | None,
    typer.Option("--of-class", metavar="CLASS=CHANGES", help="Changes of one class besides the others; repeatable."),
]
PrecisionOption = Annotated[str | None, typer.Option(help="bf16 or f32.")]
ValidationItems = Annotated[int | None, typer.Option(min=0, help="Images judged after each epoch; 0 for all.")]
Seed = Annotated[int, typer.Option(min=0, help="Of weights, draws and augmentation.")]
Labels = Annotated[
    str, typer.Option(help="patch: images' own; part: those of parts alone; auto: own where there are any.")
]
BagShare = Annotated[
    float | None, typer.Option(help="Share of the epochs that learn from whole parts before pseudo-labels; 0.5.")
]
Threads = Annotated[int, typer.Option(min=0, help="Threads; 0 for all cores.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")]
KeepEvery = Annotated[float, typer.Option(min=0, help="Minutes between checkpoints within an epoch.")]


class Choices(NamedTuple):
    """What every training can be told of its plan."""

    recipe: Recipe = "station"
    epochs: Epochs = None
    items_per_epoch: Items = None
    batch: BatchSize = None
    rate: Rate = None
    l2: Penalty = None
    draw: Draw = None
    augmentation: Augmentation = None
    precision: PrecisionOption = None
    seed: Seed = 1
    labels: Labels = "auto"
    bag_share: BagShare = None
    loss: Loss = None
    dropout: Dropout = None
    initial: RandomWeights = None
    of_class: OfClass = None

    def plan(self, kind: str, network: str, **more: Any) -> "Plan":
        """The plan for a network on a data set of this kind, with more choices by the names of `plan_from`.

        Raises:
            TrainingError: They contradict each other.
        """
        from models.training.plan import plan_from

        return plan_from(
            self.recipe, kind, network=network, epochs=self.epochs, items_per_epoch=self.items_per_epoch,
            batch=self.batch, rate=self.rate, l2=self.l2, draw=self.draw,
            augmentation=changes_named(self.augmentation), precision=self.precision, seed=self.seed,
            labels=self.labels, bag_share=self.bag_share, loss=self.loss, dropout=self.dropout, initial=self.initial,
            of_class=changes_of_classes(self.of_class), **more,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Computing:
    """Where every training can be told to compute, and how often it keeps what it has reached."""

    threads: Threads = 0
    device: Device = "auto"
    keep_every_min: KeepEvery = 5.0

    def session(self) -> "Session":
        """A session where it shall compute, told on the terminal, that Ctrl-C ends well.

        Raises:
            TrainingError: A GPU is asked for and there is none.
        """
        return session_on(self.device, self.threads, self.keep_every_min)


def with_choices(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each of `Choices` and `Computing` in place of these two."""
    plan, computing = signature(Choices).parameters, signature(Computing).parameters
    own = {name: one for name, one in signature(command).parameters.items() if name not in {"choices", "computing"}}

    @wraps(command)
    def told(**options: Any) -> None:
        command(
            **{name: options[name] for name in own},
            choices=Choices(**{name: options[name] for name in plan}),
            computing=Computing(**{name: options[name] for name in computing}),
        )

    every = (*own.values(), *plan.values(), *computing.values())
    options = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in every]
    told.__signature__ = Signature(options)  # type: ignore[attr-defined]
    told.__annotations__ = {one.name: one.annotation for one in options}
    return told


@with_choices
def train(
    data: DataFolder,
    out_folder: OutFolder,
    choices: Choices,
    computing: Computing,
    network: NetworkName = "inception-cnn",
    schedule: Annotated[str | None, typer.Option(help="cosine, constant, exponential or plateau.")] = None,
    optimiser: Annotated[str | None, typer.Option(help="adamw or adam.")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0, help="Decoupled weight decay of adamw.")] = None,
    first_share: FirstShare = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Stop after so many epochs without a gain; 0 for never.")
    ] = None,
    plateau: Annotated[
        int | None, typer.Option(min=1, help="Epochs without a gain after which a plateau's rate falls; 10.")
    ] = None,
    init: InitialFile = None,
    weights: Weights = None,
    sha256: WeightsHash = None,
    frozen_epochs: Annotated[int | None, typer.Option(min=0, help="Epochs that train the head alone, first.")] = None,
    frozen_rate: Annotated[float | None, typer.Option(help="Learning rate of those.")] = None,
    unfrozen_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the layers trained after them, from the head.")
    ] = None,
    validation_items: ValidationItems = None,
) -> None:
    """Train a network; the same command goes on where it was interrupted, to the same result."""
    need_training_packages()
    from models.dataset.store import read_data, verify_images
    from models.training.data import divide

    data_set = read_data(data)
    verify_images(data_set)
    initial = begun_with([str(init)] if init else None, weights, sha256, network_named(network))
    plan = choices.plan(
        data_set.manifest.kind, network_named(network), schedule=schedule, optimiser=optimiser,
        weight_decay=weight_decay, first_class_share=first_share, patience=patience, plateau=plateau,
        init=initial.sha256 if initial else None, frozen_epochs=frozen_epochs, frozen_rate=frozen_rate,
        unfrozen_share=unfrozen_share, validation_items=validation_items,
    )  # fmt: skip
    session = computing.session()
    training = session.train(out_folder, plan, divide(data_set, plan.labels), initial)
    refuse_unfinished(out_folder, finished=training.finished)
    best = min(training.history, key=lambda row: row.validation_loss)
    session.tell(f"Lowest validation loss after epoch {best.epoch}: {out_folder / 'best.pt'}")


@with_choices
def crossval(
    data: DataFolder,
    out_folder: OutFolder,
    choices: Choices,
    computing: Computing,
    network: NetworkName = "inception-cnn",
    folds: Annotated[int, typer.Option(min=2, max=20, help="Folds of training and validation together.")] = 5,
    init: InitialFile = None,
    weights: Weights = None,
    sha256: WeightsHash = None,
) -> None:
    """Cross-validate a network by groups; the same command goes on where it was interrupted.

    Each fold is judged by its last epoch, so that no choice is made on the images that judge. Weights to begin with
    must come from other images.
    """
    need_training_packages()
    from models.dataset.store import read_data, verify_images
    from models.training.crossval import crossvalidate

    data_set = read_data(data)
    verify_images(data_set)
    initial = begun_with([str(init)] if init else None, weights, sha256, network_named(network))
    plan = choices.plan(
        data_set.manifest.kind, network_named(network), patience=0, init=initial.sha256 if initial else None
    )
    result = crossvalidate(data_set, plan, folds, out_folder, computing.session(), initial)
    refuse_unfinished(out_folder, finished=result is not None)
    if result is not None:
        out.print(crossval_table([result]))
        title = f"{network}: {result.judged}, each judged by a network that had not seen it"
        out.print(errors_table(result.pooled, title, result.judged))


@with_choices
def compare(
    data: DataFolder,
    out_folder: OutFolder,
    choices: Choices,
    computing: Computing,
    networks: Annotated[
        str,
        typer.Option(
            help="Names of `station model networks`, with commas; or all, paper, ablation, ablation-atto. The first is "
            "the one that the others are held against."
        ),
    ],
    folds: Annotated[int, typer.Option(min=0, max=20, help="Cross-validate each with so many folds, too.")] = 0,
    init: Annotated[
        list[str] | None,
        typer.Option("--init", metavar="[NETWORK=]WEIGHTS", help="Begin that network, or all, with these; repeatable."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="[NETWORK=]FILE", help="ImageNet's weights, a file of timm's; repeatable."),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure speed, size and memory on each engine, too; with a picture.")
    ] = False,
    validation_items: ValidationItems = None,
) -> None:
    """Train networks by one plan and judge them on the test split; goes on where it was interrupted.

    All networks of the paper's tables, by its recipe: `--networks paper --folds 10 --recipe paper`, on a GPU. What the
    parts of IndustNet are worth: `--networks ablation --folds 5 --recipe industnet`.
    """
    need_training_packages()
    from models.dataset.store import read_data, verify_images
    from models.training.comparison import compare as compare_networks

    data_set = read_data(data)
    verify_images(data_set)
    runs = []
    for name in names_of(networks):
        initial = begun_with(init, weights, None, name)
        started = initial.sha256 if initial else None
        plan = choices.plan(data_set.manifest.kind, name, validation_items=validation_items, patience=0, init=started)
        runs.append((plan, initial))
    rows = compare_networks(data_set, runs, folds, out_folder, computing.session())
    refuse_unfinished(out_folder, finished=rows is not None)
    for row in rows or ():
        judged = "images" if row.images else "parts"
        out.print(errors_table(row.images or row.judged, f"{row.network}: {judged} of the test split", judged))
    out.print(comparison_table(rows or ()))
    if rows and len(rows) > 1:
        out.print(paired_table(rows))
    if measure:
        _measure(data_set, rows or (), out_folder)


def _measure(data_set: "DataSet", rows: "Sequence[Comparison]", folder: Path) -> None:
    need_training_packages("nncf", "onnx", "onnxscript")
    from models.benchmark.measuring import measure_networks
    from models.benchmark.writing import write_benchmark

    benchmark = measure_networks(data_set, rows, folder, lambda text: err.print(text, highlight=False))
    out.print(benchmark_table(benchmark))
    for path in write_benchmark(folder, benchmark):
        out.print(str(path), soft_wrap=True, highlight=False)


def networks() -> None:
    """List the networks that can be trained, with the paper's parameter counts beside ours."""
    table = Table("network", "trainable parameters, M", "Table 10's, M", "layers", "source", "--weights of", "engines")
    for spec in NETWORKS.values():
        paper = f"{spec.paper_parameters_m:.2f}" if spec.paper_parameters_m else "-"
        table.add_row(
            *(spec.name, f"{spec.trainable_parameters / 1e6:.2f}", paper, str(spec.layers or "-"), spec.source),
            *(spec.timm or "-", f"no {', '.join(name for name, _ in spec.unserved)}" if spec.unserved else "all"),
        )
    out.print(table)
    out.print("For 5 classes and images of 256x256. Table 10, of Mustafaev et al., counts running statistics, too.")
    out.print(f"Several at once: {'; '.join(f'{name}: {len(members)}' for name, members in SETS.items())}.")


# ---------------------------------------------------------------------- what these commands share


def need_training_packages(*more: str) -> None:
    """End with a hint where the extra `train` is not installed, or one more package of it that is needed here."""
    if any(find_spec(name) is None for name in (*EXTRA, *more)):
        hint = f"this command needs the training packages; in the project's folder: {INSTALL_TRAIN}"
        err.print(hint, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED)


def network_named(name: str) -> str:
    """The name, if there is such a network.

    Raises:
        TrainingError: There is none.
    """
    if name not in NETWORKS:
        raise TrainingError("training.bad_plan", f"unknown network {name}; there are {', '.join(NETWORKS)}")
    return name


def begun_with(
    init: list[str] | None, weights: list[str] | None, sha256: str | None, network: str
) -> "InitialWeights | None":
    """What a network begins with of what was given; None for random weights.

    Args:
        init: Bundles, checkpoints or archives, each for all networks or, as NAME=FILE, for one.
        weights: Files of timm's, likewise.
        sha256: What the hash of the latter must be.
        network: Which one begins.

    Raises:
        TrainingError: A file does not fit the network, or it shall begin with two.
    """
    from models.training.pretrained import initial_weights, timm_weights

    of_ours, of_timm = _given_for(network, init), _given_for(network, weights)
    if len(of_ours) + len(of_timm) > 1:
        told = ", ".join([*of_ours, *of_timm])
        raise TrainingError("training.bad_plan", f"{network} can begin with one file, not with {told}")
    if of_timm:
        return timm_weights(Path(of_timm[0]), network, sha256)
    return initial_weights(Path(of_ours[0]), network) if of_ours else None


def _given_for(network: str, given: list[str] | None) -> list[str]:
    """The files that are for a network: its own before those for all."""
    own = [text.partition("=")[2] for text in given or () if text.partition("=")[0] == network]
    return own or [text for text in given or () if text.partition("=")[0] not in NETWORKS]


def changes_named(text: str | None) -> tuple[str, ...] | None:
    """Augmentations as a tuple; None where nothing was said."""
    if text is None:
        return None
    return () if text == "none" else tuple(text.split(","))


def changes_of_classes(given: list[str] | None) -> dict[str, tuple[str, ...]] | None:
    """Augmentations by class from CLASS=CHANGES; None where nothing was said."""
    if given is None:
        return None
    return {name: changes_named(changes) or () for name, _, changes in (text.partition("=") for text in given)}


def names_of(networks: str) -> tuple[str, ...]:
    """Names of networks from a list with commas, or the name of a set of them.

    Raises:
        TrainingError: One is unknown.
    """
    if networks in SETS:
        return SETS[networks]
    return tuple(network_named(name.strip()) for name in networks.split(","))


def session_on(device: str, threads: int, keep_every_min: float) -> "Session":
    """A session on a device, told on the terminal, that Ctrl-C ends well.

    Raises:
        TrainingError: A GPU is asked for and there is none.
    """
    import torch

    from models.training.memory import keep_freed_memory
    from models.training.session import Session

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    there = torch.cuda.is_available()
    if device not in {"auto", "cpu", "cuda"} or (device == "cuda" and not there):
        raise TrainingError("training.no_device", device)
    chosen = torch.device("cuda" if there and device != "cpu" else "cpu")
    return Session(chosen, out, interrupts(), keep_every_min * 60)


def refuse_unfinished(folder: Path, *, finished: bool) -> None:
    """End with status 1 where a session was interrupted."""
    if not finished:
        out.print(f"Interrupted; the same command goes on with what is in {folder}.", soft_wrap=True, highlight=False)
        raise typer.Exit(1)


def interrupts() -> Any:
    """From now on Ctrl-C and a request to end are only noted; says whether one came. A second one ends at once."""
    came: list[int] = []

    def note(number: int, _frame: Any) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return lambda: bool(came)
