"""`station model synthesise …`: generators that draw defects of which there are few pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.dataset_tables import print_data
from station.cli.model_train import need_training_packages, session_on
from station.cli.terminal import out, refuse
from station.core.errors import StationError

if TYPE_CHECKING:
    from models.synthesis.gan_training import Step

synthesise_app = typer.Typer(help="Teach generators to draw rare defects, and measure them.", no_args_is_help=True)

Data = Annotated[Path, typer.Option("--data", metavar="DATA", help="A data set.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a generator.")]
Seed = Annotated[int, typer.Option(min=0, max=999_999, help="Of weights, draws and changes.")]


@synthesise_app.callback()
def synthesise() -> None:
    """Teach generators to draw rare defects, and measure them."""


@synthesise_app.command()
def train(
    data: Data,
    run: Annotated[Path, typer.Option("--out", metavar="RUN", help="Folder of the training.")],
    classes: Annotated[
        list[str], typer.Option("--class", metavar="NAME", help="Class to learn; several at once mix their looks.")
    ],
    kind: Annotated[str, typer.Option(help="sdg-gan or dcgan.")] = "sdg-gan",
    px: Annotated[int, typer.Option(help="Height and width of its images: 64, 128 or 256.")] = 256,
    width: Annotated[float, typer.Option(min=0.05, max=1, help="All numbers of channels times this.")] = 1.0,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the generator.")] = 23_400,
    critic_steps: Annotated[
        int | None, typer.Option(min=1, max=20, help="Of the critic before each; by default 3, of dcgan 1.")
    ] = None,
    batch: Annotated[int, typer.Option(min=2, help="Images a step.")] = 64,
    rate: Annotated[float, typer.Option(min=0, help="Learning rate.")] = 2e-4,
    seed: Seed = 1,
    look_every: Annotated[
        int, typer.Option(min=1, help="After so many steps a picture is drawn and the checkpoint written.")
    ] = 100,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores to use; 0 for all.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Teach a generator to draw a class; the same command goes on where it was interrupted, to the same weights."""
    need_training_packages()
    from models.dataset.store import read_data, verify_images
    from models.synthesis.gan_images import originals_for
    from models.synthesis.gan_plan import make_plan
    from models.synthesis.gan_run import learn

    try:
        plan = make_plan(
            kind=kind, classes=tuple(classes), px=px, width=width, steps=steps, critic_steps=critic_steps, batch=batch,
            rate=rate, seed=seed,
        )  # fmt: skip
        data_set = read_data(data)
        verify_images(data_set)
        session = session_on(device, threads, keep_every_min=0)
        originals = originals_for(data_set, plan)
        session.tell(f"{run}: {kind} of {', '.join(classes)}, {px} px, {len(originals.images)} images")
        learn(run, plan, originals, session.device, look_every, _teller(session.tell, steps), session.stop)
    except StationError as error:
        refuse(error)


def _teller(tell: Callable[[str], None], steps: int) -> "Callable[[Step], None]":
    """Says how far it is, and by the steps since the last word how long the rest will take."""
    import time

    seen = [(0, time.monotonic())]

    def told(row: "Step") -> None:
        before, began = seen[-1]
        now = time.monotonic()
        seen.append((row.step, now))
        said = f"step {row.step}/{steps} critic {row.critic:.3f} generator {row.generator:.3f}"
        left = "" if not before else f", {(now - began) / (row.step - before) * (steps - row.step) / 60:.0f} min left"
        tell(f"{said} diversity {row.diversity:.0%} of real{left}")

    return told


@synthesise_app.command()
def sample(
    run: Run,
    written: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    data: Data,
    count: Annotated[int, typer.Option(min=1, max=99_999, help="Images to draw.")] = 200,
    seed: Seed = 1,
) -> None:
    """Write a data set anew with images that a generator drew; they are marked as made, train, and judge nothing."""
    need_training_packages()
    from models.dataset.store import read_data
    from models.synthesis.drawn_set import add_drawn
    from models.synthesis.gan_run import read_learnt

    try:
        made = add_drawn(written, read_data(data), read_learnt(run), count, seed)
    except StationError as error:
        refuse(error)
    print_data(made)


@synthesise_app.command()
def measure(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of generators of one class.")],
    data: Data,
    features: Annotated[
        Path, typer.Option(metavar="FILE", help="ImageNet's weights of MobileNetV2, an archive (.npz).")
    ],
    count: Annotated[
        int | None, typer.Option(min=16, help="Pictures of each; by default as many as there are taken ones.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw taken, drawn and nearest, a PNG.")] = None,
    seed: Seed = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fréchet distance of drawn to taken pictures, with its limits, and whether what was drawn are copies."""
    need_training_packages()
    from models.dataset.store import read_data
    from models.synthesis.gan_run import read_learnt
    from models.synthesis.measuring import draw_nearest, measure_generators

    try:
        learnt = {str(run): read_learnt(run) for run in runs}
        measured = measure_generators(learnt, read_data(data), features, count, seed)
        if picture:
            draw_nearest(picture, measured)
    except StationError as error:
        refuse(error)
    if as_json:
        out.print_json(json.dumps(measured.document()))
        return
    for line in measured.told():
        out.print(line, highlight=False, markup=False, soft_wrap=True)
