"""`station learn`: from the labels to a bundle that waits; nothing is activated."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.terminal import REFUSED, UNWELL, ConfigOption, DataOption, err, out, settings_of, tell_left_out
from station.core.clock import SystemClock
from station.core.errors import ConfigError
from station.core.settings import Settings

if TYPE_CHECKING:
    from station.learn.commands import Commands
    from station.learn.plan import Plan
    from station.learn.steps import Note

OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder of the learning; the same one goes on.", show_default=False)
]
GoldenOption = Annotated[
    list[Path],
    typer.Option(metavar="DIR", help="Recording of golden parts, every one to be judged rightly; may be repeated."),
]
TestsOption = Annotated[
    list[Path] | None, typer.Option("--test", metavar="DIR", help="A further recording that judges; may be repeated.")
]
MoreOption = Annotated[
    list[Path] | None,
    typer.Option("--with", metavar="DIR", help="Learn from this, too: what `station dataset make --from` takes."),
]
InitOption = Annotated[
    str | None, typer.Option("--init", metavar="BUNDLE", help="Begin with its weights; by default the present one's.")
]
BudgetOption = Annotated[float, typer.Option(min=0, max=1, help="Share of the good parts that need not pass.")]
RecipeOption = Annotated[
    str, typer.Option(help="station: all layers learn on; head: the last ones alone, in a fraction of the time.")
]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Epochs; by default the recipe's.")]
ItemsOption = Annotated[int | None, typer.Option(min=1, help="Patches an epoch draws; by default all there are.")]
BatchOption = Annotated[int | None, typer.Option(min=2, help="Patches a step; by default the recipe's.")]
RateOption = Annotated[float, typer.Option(help="Highest learning rate; the weights are learnt already.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of split, draws and augmentation.")]


def learn(
    out_folder: OutOption,
    golden: GoldenOption,
    tests: TestsOption = None,
    more: MoreOption = None,
    init: InitOption = None,
    overkill_budget: BudgetOption = 0.01,
    recipe: RecipeOption = "station",
    epochs: EpochsOption = None,
    items_per_epoch: ItemsOption = None,
    batch: BatchOption = None,
    rate: RateOption = 3e-4,
    seed: SeedOption = 1,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Learn from what people have labelled: gather, train, export, calibrate, measure, and ask the gate.

    It takes what [learn] allows and stops when a part was judged late. Interrupt it and give the same command: it goes
    on. Exit status: 0 a bundle waits to be promoted, 1 the gate refuses it, 2 nothing can be learnt so.
    """
    from models.training.plan import RECIPES
    from station.learn.lock import occupied
    from station.learn.plan import Training, settle
    from station.learn.planning import Wish, lacking_packages, plan_for, require_disk

    if lacking := lacking_packages():
        err.print(lacking, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED)
    settings = settings_of(config, "simulate.toml")
    if recipe not in RECIPES:
        raise ConfigError("config.bad_option", f"--recipe {recipe}: one of {', '.join(RECIPES)}")
    training = Training(
        recipe=recipe, epochs=epochs, items_per_epoch=items_per_epoch, batch=batch, rate=rate, seed=seed
    )
    wish = Wish(data, init, more or (), golden, tests or (), overkill_budget, training)
    wanted = plan_for(wish, settings, SystemClock().now())
    require_disk(out_folder, settings)
    with occupied(out_folder) as lock:
        plan = settle(out_folder, wanted)
        notes = _learn(out_folder, plan, settings, config, lock)
        raise typer.Exit(_conclude(out_folder, plan, notes, settings, config))


def gather_parts(out_folder: OutOption, config: ConfigOption = None) -> None:
    """The first step of `station learn`, in a process of its own."""
    from models.errors import TrainingError
    from station.learn.parts import make_parts
    from station.learn.plan import read_plan

    if (plan := read_plan(out_folder)) is None:
        raise TrainingError("training.other_run", f"{out_folder} has no plan; give `station learn`")
    make_parts(out_folder, plan, settings_of(config, "simulate.toml"), tell_left_out)


def _learn(folder: Path, plan: "Plan", settings: Settings, config: Path | None, lock: int) -> "list[Note]":
    from station.host.records import read_records
    from station.learn.commands import Commands
    from station.learn.course import Course
    from station.learn.ledger import DeadlineLedger
    from station.learn.limits import Limits, held_back
    from station.learn.steps import run_steps

    reader = read_records(settings, Path(plan.data))
    limits = Limits(settings.learn.cores, settings.learn.nice, settings.learn.memory_mb)
    commands = Commands(limits, lambda: DeadlineLedger(reader, SystemClock()), settings.learn.look_s, lock)
    course = Course(folder, plan, commands, (settings.model.engine, settings.model.precision), config)
    with _interruptible(folder, commands):
        return held_back(limits, lambda: run_steps(folder, plan.sha256, course.steps, _say))


@contextmanager
def _interruptible(folder: Path, commands: "Commands") -> Iterator[None]:
    """While in this context Ctrl-C, or a request to end, ends the command at work and says how it goes on."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        commands.interrupt()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        _say(f"Interrupted; the same command goes on with what is in {folder}.")
        raise typer.Exit(UNWELL) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(folder: Path, plan: "Plan", notes: "list[Note]", settings: Settings, config: Path | None) -> int:
    """Write the report, and say what waits and what a person does now."""
    from models.release.gate_report import GateReport, explain
    from station.core.durable import write_whole
    from station.learn.course import GATE, WAITING, next_step
    from station.learn.ledger import together
    from station.learn.report import REPORT, report_text

    gate = GateReport.model_validate_json((folder / GATE).read_bytes())
    judged_in = gate.measured.precision if gate.measured else settings.model.precision
    other = None if judged_in == settings.model.precision else judged_in
    way = next_step(folder / WAITING / plan.name, plan, other, config)
    told = f"It waits. To let it in: {way}" if gate.passed else "The gate refuses it; the present bundle stays."
    write_whole(folder / REPORT, report_text(folder, plan, notes, told).encode())
    _say("\n".join(explain(gate)))
    _say(f"{together([note.outcome.judged for note in notes])}. {folder / REPORT}")
    _say(told)
    return 0 if gate.passed else UNWELL


def _say(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
