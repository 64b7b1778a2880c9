"""A folder in which a generator learns, or has learnt: its checkpoint, and what it draws as it goes.

RUN/last.pt           generator, critic, optimisers; it goes on from here
RUN/losses.csv        losses and diversity, each time the images were looked at
RUN/drawn/STEP.png    taken ones beside drawn ones, always of the same numbers
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.errors import TrainingError
from models.synthesis.gan_images import Originals
from models.synthesis.gan_plan import GanPlan, make_plan
from models.synthesis.gan_size import Size
from models.synthesis.gan_training import NETWORKS, SHOWN, GanTraining, Step, draw
from models.synthesis.sheet import draw_sheet
from models.training.checkpoint import LAST, load_weights, read_checkpoint, write_whole
from models.training.run_folder import check_room, occupy

LOSSES, PICTURES = "losses.csv", "drawn"
ROOM = 2_000_000_000
"""Bytes: two checkpoints of the largest pair, with their optimisers, and pictures."""


def learn(
    folder: Path, plan: GanPlan, originals: Originals, device: torch.device, look_every: int,
    told: Callable[[Step], None], stop: Callable[[], bool],
) -> bool:  # fmt: skip
    """Learn, or go on with what is in the folder; whether all steps are done.

    Raises:
        TrainingError: The folder is taken or holds another training, or see `GanTraining.run`.
    """
    with occupy(folder):
        check_room(folder, ROOM)
        training = GanTraining(plan, originals, folder, device, look_every)
        training.resume()

        def seen(row: Step) -> None:
            write_whole(folder / LOSSES, _table(training.position.history))
            drawn = draw(training.generator, SHOWN, [plan.seed, 4])
            (folder / PICTURES).mkdir(exist_ok=True)
            shown = list(originals.images[:SHOWN]), list(drawn)
            draw_sheet(folder / PICTURES / f"{row.step:06d}.png", {", ".join(plan.classes): shown})
            told(row)

        return training.run(seen, stop)


def _table(history: list[Step]) -> bytes:
    names = [field.name for field in fields(Step)]
    lines = [",".join(names), *(",".join(f"{getattr(row, name):.6g}" for name in names) for row in history)]
    return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Learnt:
    """A generator that has learnt.

    Attributes:
        generator: On the CPU.
        plan: How it learnt.
        steps: How long.
        of: The files that it learnt from, by their SHA-256.
        sha256: Of its checkpoint.
    """

    generator: nn.Module
    plan: GanPlan
    steps: int
    of: tuple[str, ...]
    sha256: str

    def draw(self, count: int, seed: int) -> NDArray[np.uint8]:
        """Images (count, px, px) uint8; the same for the same seed."""
        return draw(self.generator, count, [seed, 5])


def read_learnt(run: Path) -> Learnt:
    """The generator of a run.

    Raises:
        TrainingError: There is none, or its checkpoint cannot be used.
    """
    path = run / LAST if run.is_dir() else run
    document = read_checkpoint(path)
    if not isinstance(document.get("gan_plan"), dict):
        raise TrainingError("training.bad_checkpoint", f"{path}: no checkpoint of a generator")
    plan = make_plan(**document["gan_plan"])
    generator, _critic = NETWORKS[plan.kind](Size(plan.px, plan.width))
    load_weights(generator, document, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Learnt(generator.eval(), plan, document["steps"], tuple(document["originals"]), sha256)
