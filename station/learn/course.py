"""The steps of a learning, each a command of the station or what follows from its results."""

import shlex
import shutil
from pathlib import Path

from models.errors import TrainingError
from models.manifest import load_bundle
from models.novelty.calibrate import LEAST_PARTS
from models.release.parity import arithmetic_for
from models.release.shelf import PROMOTED
from station.core.choices import EngineName, Precision
from station.learn.commands import Commands, Ran
from station.learn.counts import COUNTS, read_counts
from station.learn.parts import DATA, GOOD, HELD_OUT
from station.learn.plan import Plan
from station.learn.steps import Outcome, Step

PARTS_COMMAND = "learn-parts"
RUN, BEST, EXPORTED, WAITING, MEASURED, GATE = "run", "best.pt", "exported", "waiting", "measured", "gate.json"
MISTAKES = "mistakes"
"""In the folder of the learning."""
PASSED, REFUSED_BY_GATE = 0, 1
"""Exit status of the gate."""


class Course:
    """The steps by which a folder becomes a bundle that waits.

    Args:
        folder: Of the learning.
        plan: What it was begun with.
        commands: Runs the station's commands.
        runs: Engine and arithmetic of the station.
        config: The configuration file, or None for the shipped one.
    """

    def __init__(
        self, folder: Path, plan: Plan, commands: Commands, runs: tuple[EngineName, Precision], config: Path | None
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._commands = commands
        self._runs = runs
        self._config: tuple[object, ...] = () if config is None else ("--config", config)
        self.bundle = folder / WAITING / plan.name

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in their order."""
        at = self._folder
        made = (at / DATA, at / HELD_OUT, at / GOOD, at / COUNTS)
        return (
            Step("parts", "gather what is labelled", made, self._parts),
            Step("train", f"train {self._plan.network}", (at / RUN / BEST,), self._train, goes_on=True),
            Step("mistakes", "look for likely mistakes among the labels", (at / MISTAKES,), self._mistakes),
            Step("export", "make a bundle of it", (at / EXPORTED,), self._export),
            Step("calibrate", "have it tell unknown parts", (at / WAITING,), self._calibrate),
            Step("evaluate", "measure it on the parts held out", (at / MEASURED,), self._evaluate),
            Step("gate", f"hold it against {self._plan.present}", (at / GATE,), self._gate),
        )

    def _parts(self) -> Outcome:
        ran = self._run("gather", PARTS_COMMAND, "--out", self._folder, *self._config)
        counts = read_counts(self._folder)
        told = [f"{counts.labels} labels of people", *(f"left out: {n} {why}" for why, n in counts.left_out.items())]
        return Outcome(told=tuple(told), judged=ran.judged)

    def _train(self) -> Outcome:
        training = self._plan.training
        given = {
            "--recipe": training.recipe,
            "--epochs": training.epochs, "--items-per-epoch": training.items_per_epoch, "--rate": training.rate,
            "--batch": training.batch, "--seed": training.seed,
        }  # fmt: skip
        chosen = [word for name, value in given.items() if value is not None for word in (name, value)]
        ran = self._run(
            "train", "model", "train", "--data", self._folder / DATA, "--out", self._folder / RUN,
            "--network", self._plan.network, "--init", self._plan.begin_with,
            "--threads", len(self._commands.limits.usable), *chosen,
        )  # fmt: skip
        return Outcome(judged=ran.judged)

    def _mistakes(self) -> Outcome:
        (self._folder / MISTAKES).mkdir()
        ran = self._commands(
            ["model", "mistakes", self._folder / RUN, "--data", self._folder / DATA, "--out", self._folder / MISTAKES]
        )
        told = (f"not looked for, for the reason above: exit status {ran.status}",) if ran.status else ()
        return Outcome(told=told, judged=ran.judged)

    def _export(self) -> Outcome:
        (self._folder / EXPORTED).mkdir()
        ran = self._run(
            "export", "model", "export", self._folder / RUN / BEST, self._exported, "--data", self._folder / DATA,
            "--golden", self._folder / HELD_OUT, "--number", self._plan.number, *self._config,
        )  # fmt: skip
        manifest = load_bundle(self._exported).manifest
        told: tuple[str, ...] = ()
        if (precision := arithmetic_for(manifest.parity, self._runs)) != self._runs[1]:
            why = manifest.without_int8 or f"{self._runs[1]} decides otherwise than the network"
            told = (f"{why}; from here on it is judged in {precision}",)
        return Outcome(told=told, judged=ran.judged)

    @property
    def _exported(self) -> Path:
        return self._folder / EXPORTED / self._plan.name

    @property
    def _arithmetic(self) -> tuple[object, ...]:
        """The option for another arithmetic than the configured one, where that decides otherwise than the network."""
        precision = arithmetic_for(load_bundle(self._exported).manifest.parity, self._runs)
        return () if precision == self._runs[1] else ("--precision", precision)

    def _calibrate(self) -> Outcome:
        (self._folder / WAITING).mkdir()
        if why := self._not_calibrated():
            shutil.copytree(self._exported, self.bundle)
            return Outcome(told=(f"it cannot tell unknown parts: {why}",))
        ran = self._commands(
            ["model", "calibrate", self._exported, self.bundle, "--from", self._folder / GOOD,
             "--source", "labelled good, not trained on", *self._arithmetic, *self._config]
        )  # fmt: skip
        if ran.status == 0:
            return Outcome(judged=ran.judged)
        shutil.copytree(self._exported, self.bundle)
        return Outcome(told=("it cannot tell unknown parts, for the reason above",), judged=ran.judged)

    def _not_calibrated(self) -> str:
        if load_bundle(self._exported).manifest.novelty is None:
            return "fewer than 200 patches were trained on"
        good = read_counts(self._folder).good
        return f"{good} good parts were kept for that, {LEAST_PARTS} are needed" if good < LEAST_PARTS else ""

    def _evaluate(self) -> Outcome:
        ran = self._run(
            "evaluate", "model", "evaluate", self.bundle, self._folder / HELD_OUT, "--out", self._folder / MEASURED,
            *self._arithmetic, *self._config,
        )  # fmt: skip
        return Outcome(judged=ran.judged)

    def _gate(self) -> Outcome:
        words: list[object] = ["model", "gate", self.bundle, "--against", self._plan.against, *self._config]
        words += ["--overkill-budget", self._plan.overkill_budget, *self._arithmetic]
        for name, recordings in (("--golden", self._plan.golden), ("--test", self._plan.tests)):
            words += [word for one in recordings for word in (name, one.folder)]
        words += ["--test", self._folder / HELD_OUT, "--data", self._plan.data, "--json"]
        ran = self._commands(words, self._folder / GATE)
        if ran.status not in {PASSED, REFUSED_BY_GATE}:
            raise TrainingError("training.step_failed", f"gate: exit status {ran.status}")
        return Outcome(status=ran.status, judged=ran.judged)

    def _run(self, step: str, *words: object) -> Ran:
        ran = self._commands(list(words))
        if ran.status:
            raise TrainingError("training.step_failed", f"{step}: exit status {ran.status}")
        return ran


def next_step(bundle: Path, plan: Plan, precision: Precision | None, config: Path | None) -> str:
    """How a person lets a bundle into the station: by a command, or where the configuration names its bundle, there.

    Args:
        bundle: The one that waits.
        plan: What it was learnt by.
        precision: Another arithmetic than the configured one, in which it was judged; None for that one.
        config: The configuration file.
    """
    if precision is not None:
        slower = f'set precision = "{precision}" in [model], see by `station bench` that it is fast enough, then: '
        return slower + next_step(bundle, plan, None, config)
    if plan.against != PROMOTED:
        return f'put bundle = "{bundle.absolute()}" into [model] in place of "{plan.against}"'
    words = ["station", "model", "promote", bundle, "--data", plan.data]
    return shlex.join(map(str, [*words, *(() if config is None else ("--config", config))]))
