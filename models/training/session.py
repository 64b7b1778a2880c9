"""One training in its folder, from the lock to the last curve, told on a console."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.console import Console

from models.training.compute import prepare, translated
from models.training.curves import Row
from models.training.data import TrainingData
from models.training.plan import Plan
from models.training.pretrained import InitialWeights
from models.training.progress import Bars, by_kind, in_all, of_parts
from models.training.remembered import Memories
from models.training.run_folder import occupy
from models.training.start import begin
from models.training.trainer import Training


@dataclass(frozen=True, slots=True)
class Session:
    """Where trainings run and who watches them.

    Attributes:
        device: Where to compute.
        console: Where to tell.
        stop: Whether to end early; asked after each step.
        keep_every_s: Within an epoch, `last.pt` is written so often.
        memories: What frozen layers saw in its trainings.
    """

    device: torch.device
    console: Console
    stop: Callable[[], bool]
    keep_every_s: float
    memories: Memories = field(default_factory=Memories)

    def train(self, folder: Path, plan: Plan, data: TrainingData, initial: InitialWeights | None = None) -> Training:
        """Train, or go on with what is in the folder, until all is done or `stop` says so.

        Raises:
            TrainingError: See `start.begin` and `Training.run`; or the GPU cannot compute in bfloat16.
        """
        prepare(self.device, plan)
        with occupy(folder), translated(folder):
            training = begin(plan, data, folder, self.device, self.keep_every_s, initial, self.memories)
            self.tell(f"{folder}: {plan.network} {_state(training)}; {self._where()}")
            with Bars(self.console, _wrong(data)) as bars:
                training.run(bars, self.stop)
        return training

    def tell(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _where(self) -> str:
        if self.device.type == "cuda":
            return str(torch.cuda.get_device_name())
        return f"{torch.get_num_threads()} threads"


def _wrong(data: TrainingData) -> Callable[[Row], str]:
    """How errors are told: by kind, which takes a class that passes, and of parts where these are judged."""
    if data.origin.good is None:
        return in_all
    return of_parts if data.judged_by == "parts" else by_kind


def _state(training: Training) -> str:
    origin, epochs = training.data.origin, len(training.history)
    if training.finished:
        return f"is done, {epochs} epochs"
    state = f"goes on after epoch {epochs}" if epochs or training.position.step else "begins"
    unit = " parts" if training.data.judged_by == "parts" else ""
    judging = f", {count}{unit} to judge by" if (count := training.data.to_judge) else ""
    return f"{state}: {origin.patches} images of {origin.parts} groups{judging}{_bags(training)}"


def _bags(training: Training) -> str:
    """What is trained by the class of its part alone, in words; empty where nothing is."""
    taken, plan = training.data.taken, training.plan
    if not taken.by_part_label:
        return ""
    said = f"; {taken.by_own_label} by their own label, {taken.by_part_label} by that of their {taken.bags} parts"
    return f"{said}: as bags for {plan.bag_epochs} of {plan.epochs} epochs, then as what they are taken for"
