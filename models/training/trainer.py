"""Trains a network by a plan, on the CPU or a GPU, and goes on where it was interrupted to the very same result.

Whatever is random is drawn anew from the plan's seed, the epoch and the step, so nothing random has to be kept: what
comes after a checkpoint follows from the checkpoint alone. On the CPU, with the same number of threads, that holds to
the last bit.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import TrainingError
from models.networks.layers import Network
from models.training import checkpoint, curves
from models.training.augment import Batch, ahead
from models.training.compute import autocast, flushed_denormals, put, translated
from models.training.course import Course
from models.training.data import TrainingData, validation_items
from models.training.draw import Indices
from models.training.judging import Judged, judge
from models.training.labels import OPEN
from models.training.layout import add_penalty, freeze, kernels, make_optimiser, train_mode
from models.training.plan import Phase, Plan, differences
from models.training.position import Position
from models.training.progress import TrainingWatcher
from models.training.remembered import Memories, learns_alone


class Rhythm:
    """When it is time again.

    Args:
        every_s: So long after the last beginning, in seconds.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s, self._began = every_s, 0.0

    def begin(self) -> None:
        """Count from now."""
        self._began = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether it is time."""
        return time.monotonic() - self._began >= self._every_s


CHECK_STEPS = 10
"""So often a GPU is asked whether the loss is still a number; asking makes it wait."""


class Training:
    """A network on its way: weights, optimiser, and how far it has come. Made by `start.begin`.

    Args:
        plan: How to train.
        data: Images with their classes, split into those to learn from and those to judge epochs by.
        folder: Where checkpoints and curves go.
        device: Where to compute.
        network: What is trained, on that device.
        keep_every_s: Within an epoch, `last.pt` is written so often.
        memories: What frozen layers saw in other trainings of the session.
    """

    def __init__(
        self,
        plan: Plan,
        data: TrainingData,
        folder: Path,
        device: torch.device,
        network: Network,
        keep_every_s: float,
        memories: Memories | None = None,
    ) -> None:
        self.plan, self.data, self.folder, self.device = plan, data, folder, device
        self.network = network
        self.position = Position()
        self.history: list[curves.Row] = []
        self._course = Course(plan, data, device)
        self._rhythm = Rhythm(keep_every_s)
        self._memories = memories or Memories()
        self._open_phase()

    @property
    def finished(self) -> bool:
        """Whether all phases are done."""
        return self.position.phase == len(self.plan.phases)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, as far as they were not interrupted."""
        return sum(row.seconds for row in self.history)

    @property
    def _phase(self) -> Phase:
        return self.plan.phases[self.position.phase]

    def _open_phase(self) -> None:
        """Freeze what the phase freezes, and begin with a fresh optimiser."""
        self._frozen = freeze(self.network, self._phase.unfrozen_share)
        alone = learns_alone(self.plan, self._phase)
        self.network.memory = self._memories.of(self.network.features, self.plan) if alone else None
        self._optimiser = make_optimiser(self.plan, self._phase, self.network)

    def resume(self) -> bool:
        """Go on from `last.pt`; whether there is one.

        Raises:
            TrainingError: It cannot be used, or is of another plan or data set.
        """
        path = self.folder / checkpoint.LAST
        if not path.exists():
            if (self.folder / checkpoint.BEST).exists():
                raise TrainingError("training.other_run", f"{self.folder}: best.pt without last.pt")
            return False
        document = checkpoint.read_checkpoint(path)
        self._refuse_another(document, path)
        self.history = [curves.Row(**row) for row in document["history"]]
        self.position = Position(**document["position"])
        self._course.take_up(document)
        if not self.finished:
            self._open_phase()
            self._optimiser.load_state_dict(document["optimiser"])
        checkpoint.load_weights(self.network, document, path)
        return True

    def _refuse_another(self, document: dict[str, Any], path: Path) -> None:
        info = checkpoint.info_of(document, path)
        if changed := differences(self.plan, document["plan"]):
            raise TrainingError("training.other_run", f"{path}: {changed}")
        if info.data != self.data.origin:
            mine, other = self.data.origin.sha256[:12], info.data.sha256[:12]
            raise TrainingError("training.other_run", f"{path}: data set {mine}, was {other} ({info.data.source})")

    def run(self, watcher: TrainingWatcher, stop: Callable[[], bool] = lambda: False) -> bool:
        """Run the epochs that are left; whether all are done. `stop` is asked after each step, and ends it early.

        Raises:
            TrainingError: The loss is no number, the memory does not suffice, or the disk takes no checkpoint.
        """
        judged_by = validation_items(self.plan, self.data)
        events = curves.Events(self.folder / curves.TENSORBOARD, len(self.history) + 1)
        self._rhythm.begin()
        with translated(self.folder):
            try:
                while not self.finished and not stop():
                    with flushed_denormals():
                        row = self._run_epoch(judged_by, watcher, stop)
                    if row is not None:
                        events.add(row)
                        best = self._close_epoch(row)
                        watcher.end(row, best=best)
            finally:
                events.close()
        return self.finished

    def _run_epoch(self, judged_by: Indices, watcher: TrainingWatcher, stop: Callable[[], bool]) -> curves.Row | None:
        """The rest of an epoch and its judgement; None where `stop` ended it."""
        began, position, epoch = time.monotonic(), self.position, len(self.history)
        if not position.step:
            self._course.begin(self.network, epoch)
        lesson = self._course.lesson(epoch)
        weights, steps = self._course.class_weights(lesson), lesson.steps
        sums = torch.tensor([position.loss_sum, position.right], dtype=torch.float64, device=self.device)
        watcher.begin(epoch + 1, self.plan.epochs, position.step, steps)
        train_mode(self.network, self._frozen)
        for batch in ahead(lambda step: self._course.batch(lesson, epoch, step), position.step, steps):
            self._seed_and_rate(epoch, steps)
            sums += self._step(batch, lesson.step(position.step), weights)
            position.step += 1
            if self.device.type == "cpu" or position.step % CHECK_STEPS == 0 or position.step == steps:
                watcher.step(position.step, self._note(sums) / int(lesson.ends[position.step - 1]))
            if position.step < steps and self._keep_in_between(sums, stop):
                return None
        judged = judge(self.network, self.data, judged_by, self.device, self.plan)
        labelled = int((lesson.labels[lesson.images] != OPEN).sum())
        shares = position.loss_sum / len(lesson.images), position.right / max(1, labelled)
        return self._row(*shares, judged, time.monotonic() - began)

    def _note(self, sums: Tensor) -> float:
        self.position.loss_sum, self.position.right = float(sums[0]), int(sums[1])
        if not math.isfinite(self.position.loss_sum):
            place = f"epoch {len(self.history) + 1}, step {self.position.step}"
            raise TrainingError("training.diverged", f"{self.folder}: {place}")
        return self.position.loss_sum

    def _keep_in_between(self, sums: Tensor, stop: Callable[[], bool]) -> bool:
        stopped = stop()
        if stopped or self._rhythm.is_over:
            self._note(sums)
            self._keep(checkpoint.LAST)
        return stopped

    def _seed_and_rate(self, epoch: int, steps_per_epoch: int) -> None:
        """Set what this step's dropout draws from, its learning rate, and how far a learnt structure is."""
        seed = np.random.SeedSequence([self.plan.seed, epoch, self.position.step])
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
        step = self.position.phase_epoch * steps_per_epoch + self.position.step
        for group in self._optimiser.param_groups:
            group["lr"] = self._phase.rate(step, steps_per_epoch, self.plan.warm_up_share, self.position.falls)
        before = sum(phase.epochs for phase in self.plan.phases[: self.position.phase])
        self.network.advance((before + step / steps_per_epoch) / self.plan.epochs)

    def _step(self, batch: Batch, images: Indices, weights: Tensor) -> Tensor:
        """One step; the sum of its losses, which is no number where the gradient is none, and of what was right."""
        pixels, labels = put(batch, self.device)
        with autocast(self.plan, self.device):
            logits = self.network(pixels)
        loss = self._course.loss(logits.float(), labels, images, weights)
        loss.backward()
        if self.plan.l2:
            add_penalty(kernels(self.network, self.plan.l2_of), self.plan.l2)
        length = nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip or math.inf)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        right = (logits.detach().argmax(1) == labels).sum()
        return torch.stack([(loss.detach() + 0 * length).double() * len(batch.labels), right.double()])

    def _row(self, loss: float, training_accuracy: float, judged: Judged, seconds: float) -> curves.Row:
        wrong = judged.escapes + judged.overkills + judged.confusions
        return curves.Row(
            epoch=len(self.history) + 1,
            phase=self.position.phase + 1,
            rate=float(self._optimiser.param_groups[0]["lr"]),
            loss=loss,
            validation_loss=judged.loss,
            accuracy=1 - wrong / judged.count if judged.count else 0.0,
            escapes=judged.escapes,
            overkills=judged.overkills,
            confusions=judged.confusions,
            judged=judged.count,
            seconds=round(seconds, 1),
            training_accuracy=training_accuracy,
            auc=judged.auc,
        )

    def _close_epoch(self, row: curves.Row) -> bool:
        """Keep an epoch, and go over to the next phase where this one ends; whether the epoch is the best so far."""
        self.history.append(row)
        best = self.position.close_epoch(row.validation_loss, settled=self.network.settled)
        self.position.look_for_plateau(self._phase, row.validation_loss if row.judged else row.loss)
        if self.position.ends(self._phase):
            self.position.open_phase()
            if not self.finished:
                self._open_phase()
        if best:
            self._keep(checkpoint.BEST)
        self._keep(checkpoint.LAST)
        checkpoint.write_whole(self.folder / curves.CSV, curves.table(self.history))
        checkpoint.write_whole(self.folder / curves.PNG, curves.picture(self.history))
        return best

    def _keep(self, name: str) -> None:
        optimiser = self._optimiser.state_dict() if name == checkpoint.LAST else {}
        document = checkpoint.describe(self.plan, self.data.origin) | {
            "state": self.network.state_dict(),
            "optimiser": optimiser,
            "epochs_done": len(self.history),
            "position": asdict(self.position),
            "history": [row._asdict() for row in self.history],
        }
        if self.position.step:
            document |= self._course.state()
        checkpoint.write_checkpoint(self.folder / name, document)
        self._rhythm.begin()
