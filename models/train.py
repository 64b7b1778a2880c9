"""Trains a network on patches: plain PyTorch on the CPU, bf16, repeatable, and resumed where it was interrupted.

Each epoch draws its own patches: a share of defect-free ones, the rest evenly over the defects. A part is defective
as soon as one of its 16 patches is, so the many different defect-free patches matter as much as the few defects.
Source: augmentation after Mustafaev et al., section IV C; AdamW with a higher rate and a cosine in place of Adam 1e-4.

    python -m models.train PATCHES CHECKPOINTS --validation PATCHES
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data import PatchSet, read_patches
from models.networks import NETWORKS
from station.core.part import SurfaceClass

BEST, LAST, HISTORY = "best.pt", "last.pt", "history.jsonl"
WARM_UP_SHARE = 0.06


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes:
        network: A key of `NETWORKS`.
        epochs: Number of draws.
        patches_per_epoch: Patches in each of them.
        batch: Patches a step.
        peak_rate: Highest learning rate of AdamW.
        weight_decay: Of AdamW.
        defect_free_share: Share of defect-free patches in a draw.
        seed: Of weights, draws and augmentation.
    """

    network: str
    epochs: int
    patches_per_epoch: int
    batch: int
    peak_rate: float
    weight_decay: float
    defect_free_share: float
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch; the last may be smaller."""
        return math.ceil(self.patches_per_epoch / self.batch)

    def rate(self, step: int) -> float:
        """Learning rate of a step counted over all epochs: a short rise, then half a cosine down to 1 %."""
        steps = self.epochs * self.steps_per_epoch
        rise = max(1, round(WARM_UP_SHARE * steps))
        if step < rise:
            return self.peak_rate * (step + 1) / rise
        share = (step - rise) / max(1, steps - rise)
        return self.peak_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def draw(patches: PatchSet, count: int, defect_free_share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices of patches for one epoch, shuffled; a class with fewer patches than asked is drawn from repeatedly."""
    defects = [surface for surface in SurfaceClass if surface is not SurfaceClass.DEFECT_FREE]
    wanted: dict[SurfaceClass, int] = {
        surface: round(count * (1 - defect_free_share) / len(defects)) for surface in defects
    }
    wanted[SurfaceClass.DEFECT_FREE] = count - sum(wanted.values())
    drawn = [
        rng.choice(indices, number, replace=number > len(indices))
        for surface, number in wanted.items()
        if len(indices := patches.of_class(surface))
    ]
    return rng.permutation(np.concatenate(drawn))


def augment(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Patches (n, 1, 256, 256) of 0 to 1, each mirrored and changed in brightness and contrast at random.

    Source: Mustafaev et al., section IV C: flips, brightness, contrast; turning and cropping alter a defect's pattern.
    """
    count = len(batch)
    chances = torch.rand((4, count, 1, 1, 1), generator=generator)
    batch = torch.where(chances[0] < 0.5, batch.flip(-1), batch)
    batch = torch.where(chances[1] < 0.5, batch.flip(-2), batch)
    mean = batch.mean(dim=(1, 2, 3), keepdim=True)
    contrast, brightness = 0.85 + 0.3 * chances[2], 0.7 + 0.6 * chances[3]
    return ((batch - mean) * contrast + mean).mul(brightness).clamp(0, 1)


def class_weights(labels: NDArray[np.int8]) -> Tensor:
    """Loss weights (5,) of 1/√frequency, 1 on average over the patches; 0 for classes that do not occur."""
    counts = np.bincount(labels, minlength=len(SurfaceClass)).astype(np.float64)
    weights = np.divide(1, np.sqrt(counts), out=np.zeros_like(counts), where=counts > 0)
    weights *= counts.sum() / (weights * counts).sum()
    return torch.tensor(weights, dtype=torch.float32)


@dataclass(frozen=True, slots=True)
class Validation:
    """How a network does on patches that it is not trained on: mean loss, errors by kind, and how many they were."""

    validation_loss: float
    patches: int
    missed: int
    false_alarms: int
    wrong_class: int


class Training:
    """A network on its way: weights, optimiser, and how far it has come.

    Args:
        plan: How to train.
        patches: What to train on.
        folder: Where `best.pt`, `last.pt` and `history.jsonl` go.
    """

    def __init__(self, plan: Plan, patches: PatchSet, folder: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.patches, self.folder = plan, patches, folder
        self.network = NETWORKS[plan.network].make(5, 256, 256).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), plan.peak_rate, weight_decay=plan.weight_decay)
        self.epochs_done = 0
        self.best_loss = math.inf
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Go on from `last.pt`, if there is one of the same plan."""
        path = self.folder / LAST
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["plan"] != asdict(self.plan):
            raise typer.BadParameter(f"{path} was made with other options: {state['plan']}")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epochs_done, self.best_loss = state["epochs_done"], state["best_loss"]

    def run_epoch(self) -> float:
        """Train on one draw; the mean loss."""
        rng = np.random.default_rng([self.plan.seed, self.epochs_done])
        generator = torch.Generator().manual_seed(self.plan.seed * 10_007 + self.epochs_done)
        chosen = draw(self.patches, self.plan.patches_per_epoch, self.plan.defect_free_share, rng)
        weights = class_weights(self.patches.labels[chosen])
        self.network.train()
        total = 0.0
        for number, (images, labels) in enumerate(batches(self.patches, chosen, self.plan.batch)):
            self._set_rate(self.epochs_done * self.plan.steps_per_epoch + number)
            total += self._step(augment(images, generator), labels, weights) * len(labels)
        self.epochs_done += 1
        return total / len(chosen)

    def keep(self, validation: Validation) -> None:
        """Write `last.pt`, and `best.pt` when the validation loss was never lower."""
        best = validation.validation_loss <= self.best_loss
        self.best_loss = min(self.best_loss, validation.validation_loss)
        state = {
            "plan": asdict(self.plan),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epochs_done": self.epochs_done,
            "best_loss": self.best_loss,
            "parts": int(self.patches.parts.max()) + 1,
            "patches": len(self.patches.labels),
        }
        for name in (LAST, BEST) if best else (LAST,):
            partial = self.folder / f"{name}.part"
            torch.save(state, partial)
            partial.replace(self.folder / name)

    def _set_rate(self, step: int) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(step)

    def _step(self, images: Tensor, labels: Tensor, weights: Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(images.to(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(logits.float(), labels, weights)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.detach())


def batches(patches: PatchSet, chosen: NDArray[np.intp], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The chosen patches as images (n, 1, 256, 256) of 0 to 1 and labels (n,), at most `size` at a time."""
    for start in range(0, len(chosen), size):
        indices = chosen[start : start + size]
        pixels = torch.from_numpy(patches.patches[indices]).unsqueeze(1)
        yield pixels.float() / 255, torch.from_numpy(patches.labels[indices].astype(np.int64))


def validate(network: nn.Module, patches: PatchSet, chosen: NDArray[np.intp]) -> Validation:
    """Judge the chosen patches."""
    network.eval()
    loss = missed = false_alarms = wrong_class = 0.0
    with torch.inference_mode():
        for images, labels in batches(patches, chosen, 32):
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(images.to(memory_format=torch.channels_last)).float()
            loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
            found = logits.argmax(dim=1)
            missed += int(((found == 0) & (labels != 0)).sum())
            false_alarms += int(((found != 0) & (labels == 0)).sum())
            wrong_class += int(((found != labels) & (found != 0) & (labels != 0)).sum())
    return Validation(loss / len(chosen), len(chosen), int(missed), int(false_alarms), int(wrong_class))


def train(training: Training, validation: PatchSet, validation_patches: int) -> None:
    """Run the epochs that are left; print and keep each."""
    rng = np.random.default_rng(training.plan.seed)
    chosen = draw(validation, validation_patches, 0.5, rng)
    while training.epochs_done < training.plan.epochs:
        began = time.monotonic()
        loss = training.run_epoch()
        reached = validate(training.network, validation, chosen)
        training.keep(reached)
        line: dict[str, Any] = {
            "epoch": training.epochs_done,
            "loss": round(loss, 5),
            "seconds": round(time.monotonic() - began, 1),
            **asdict(reached),
        }
        with (training.folder / HISTORY).open("a") as history:
            history.write(json.dumps(line) + "\n")
        typer.echo(json.dumps(line))


def main(  # noqa: PLR0913, PLR0917 - the options of a command line
    patches: Annotated[Path, typer.Argument(help="Folder of patches to train on, from `python -m models.data`.")],
    checkpoints: Annotated[Path, typer.Argument(help="Folder for best.pt, last.pt and history.jsonl.")],
    validation: Annotated[Path, typer.Option(help="Folder of patches of other parts, to choose the best epoch by.")],
    network: Annotated[str, typer.Option(help=f"One of {', '.join(NETWORKS)}.")] = "inception-cnn",
    epochs: Annotated[int, typer.Option(min=1, help="Number of epochs.")] = 14,
    patches_per_epoch: Annotated[int, typer.Option(min=1, help="Patches drawn for each epoch.")] = 3000,
    batch: Annotated[int, typer.Option(min=1, help="Patches a step.")] = 32,
    peak_rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 1e-3,
    weight_decay: Annotated[float, typer.Option(min=0, help="Weight decay.")] = 0.01,
    defect_free_share: Annotated[float, typer.Option(min=0, max=1, help="Share of defect-free patches.")] = 0.5,
    validation_patches: Annotated[int, typer.Option(min=1, help="Patches judged after each epoch.")] = 800,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, draws and augmentation.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0 for all cores.")] = 0,
) -> None:
    """Train a network on labelled patches; goes on by itself where an earlier run with the same options stopped."""
    if network not in NETWORKS:
        raise typer.BadParameter(f"unknown network {network}")
    if threads:
        torch.set_num_threads(threads)
    plan = Plan(network, epochs, patches_per_epoch, batch, peak_rate, weight_decay, defect_free_share, seed)
    training = Training(plan, read_patches(patches), checkpoints)
    training.resume()
    train(training, read_patches(validation), validation_patches)


if __name__ == "__main__":
    typer.run(main)
