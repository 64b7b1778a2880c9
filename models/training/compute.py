"""What a device computes: batches brought to it, logits, and what its failures mean."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.training.augment import NO_CHANGES, Batch, ahead, make_batch
from models.training.data import TrainingData
from models.training.draw import Indices
from models.training.plan import Plan

NO_MEMORY = ("can't allocate memory", "ALLOC_FAILED")
"""What torch, cuBLAS and cuDNN say where memory does not suffice."""


def logits_of(
    network: nn.Module, data: TrainingData, chosen: Indices, device: torch.device, plan: Plan
) -> NDArray[np.float32]:
    """Logits (n, classes) float32 of the chosen images."""
    network.eval()
    size, made = max(32, plan.batch), []
    rng = np.random.default_rng(0)

    def batch(step: int) -> Batch:
        return make_batch(data.images, data.labels, chosen[step * size : (step + 1) * size], NO_CHANGES, rng)

    with torch.inference_mode(), autocast(plan, device):
        for one in ahead(batch, 0, math.ceil(len(chosen) / size)):
            logits = network(put(one, device)[0])
            made.append(logits.float().cpu())
    whole: NDArray[np.float32] = torch.cat(made).numpy()
    return whole


def autocast(plan: Plan, device: torch.device) -> torch.autocast:
    """Products in bfloat16, or everything in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bf16")


def put(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """A batch's images and labels on the device, the images with their channels last in memory."""
    images, labels = torch.from_numpy(batch.images), torch.from_numpy(batch.labels)
    if device.type == "cuda":  # from pinned memory they are fetched while the step before computes
        images, labels = (one.pin_memory().to(device, non_blocking=True) for one in (images, labels))
    return images.to(memory_format=torch.channels_last), labels


def prepare(device: torch.device, plan: Plan) -> None:
    """Have a GPU compute what the plan says, and the same for the same; nothing to do for the CPU.

    Convolutions take one fixed, deterministic algorithm, and float32 means float32, where a GPU would else round the
    factors to 10 bits. What is left to chance is the order in which overlapping maxima add up their gradients.

    Raises:
        TrainingError: The GPU cannot compute in bfloat16.
    """
    if device.type != "cuda":
        return
    if plan.precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise TrainingError("training.no_device", "this GPU has no bfloat16; choose --precision f32")
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Products too small for a normal number count as 0; the processor is many times slower with them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Memory that does not suffice and a disk that takes nothing, as our own errors."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).splitlines()[0] if str(error) else ""
        memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in text for words in NO_MEMORY)
        if not memory:
            raise
        raise TrainingError("training.out_of_memory", text) from error
    except OSError as error:
        raise TrainingError("training.disk_failed", f"{folder}: {error}") from error
