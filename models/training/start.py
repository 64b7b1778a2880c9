"""How a training begins: fresh, or where the one in its folder stopped. What cannot go well is refused here."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.networks.layers import Network
from models.training import checkpoint
from models.training.augment import NO_CHANGES, make_batch
from models.training.data import TrainingData
from models.training.footprint import refuse_too_large
from models.training.lesson import deal
from models.training.plan import Plan, write_plan
from models.training.planned import planned_network
from models.training.remembered import Memories, learns_alone
from models.training.run_folder import check_room
from models.training.trainer import Training

EXAMPLES = 64
"""Images that pretrained weights are fitted to."""
BYTES_A_PARAMETER = 4 * 3 * 4
"""float32; the weight and its two moments; last, best, one in the making and as much to spare."""


def begin(
    plan: Plan,
    data: TrainingData,
    folder: Path,
    device: torch.device,
    keep_every_s: float = 300.0,
    initial: Callable[[Network, Tensor], None] | None = None,
    memories: Memories | None = None,
) -> Training:
    """A training in a folder that `run_folder.occupy` keeps: resumed where there is one, else fresh.

    Args:
        plan: How to train.
        data: Images with their classes, split into those to learn from and those to judge epochs by.
        folder: Where checkpoints and curves go.
        device: Where to compute.
        keep_every_s: Within an epoch, `last.pt` is written so often.
        initial: Puts the weights to begin with into a fresh network, given some images (n, 1, height, width) of 0 to 1;
            None for random weights.
        memories: What frozen layers saw in other trainings of the session.

    Raises:
        TrainingError: The folder holds another training, its disk has no room, a step would not fit the memory, or the
            network takes no such images.
    """
    torch.manual_seed(plan.seed)
    origin = data.origin
    network = planned_network(plan, len(origin.classes), origin.height, origin.width)
    check_room(folder, BYTES_A_PARAMETER * sum(parameter.numel() for parameter in network.parameters()))
    refuse_too_large(network, plan, origin.height, origin.width, device)
    fresh = not (folder / checkpoint.LAST).exists()
    if fresh and initial is not None:
        initial(network, _examples(plan, data))
    network.to(device).to(memory_format=torch.channels_last)
    training = Training(plan, data, folder, device, network, keep_every_s, memories)
    if not training.resume():
        write_plan(plan, asdict(data.taken), folder)
    return training


def _examples(plan: Plan, data: TrainingData) -> Tensor:
    """Images that are trained on; where no layer but the head learns the same ones of any training on this data set.

    In evaluation a fitted network answers as before whatever it was fitted to, and frozen layers stay in it.
    """
    if all(learns_alone(plan, phase) for phase in plan.phases):
        chosen = np.linspace(0, len(data.images) - 1, EXAMPLES).astype(np.intp)
    else:
        chosen = deal(plan, data, data.labels, 0).images[:EXAMPLES]
    batch = make_batch(data.images, data.labels, chosen, NO_CHANGES, np.random.default_rng(plan.seed))
    return torch.from_numpy(batch.images)
