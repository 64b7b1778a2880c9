"""One training in its folder, from the lock to the last curve, told on a console."""

from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console

from models.training.data import TrainingData
from models.training.plan import Plan
from models.training.pretrained import InitialWeights
from models.training.progress import Bars
from models.training.run_folder import occupy
from models.training.trainer import begin
from station.core.errors import TrainingError


def run_in(
    folder: Path,
    plan: Plan,
    data: TrainingData,
    device: torch.device,
    console: Console,
    stop: Callable[[], bool],
    keep_every_s: float,
    initial: InitialWeights | None = None,
) -> bool:
    """Train, or go on with what is in the folder, until all is done or `stop` says so; whether all is done.

    Raises:
        TrainingError: See `trainer.begin` and `Training.run`; or the GPU cannot compute in bfloat16.
    """
    if device.type == "cuda" and plan.precision == "bf16" and not torch.cuda.is_bf16_supported():
        raise TrainingError("training.no_device", "this GPU has no bfloat16; choose --precision f32")
    with occupy(folder):
        training = begin(plan, data, folder, device, keep_every_s, initial)
        done = len(training.history)
        state = f"goes on after epoch {done}" if done or training.position.step else "begins"
        where = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        counts = f"{data.origin.patches} images of {data.origin.parts} groups, {len(data.validation)} to judge by"
        console.print(f"{plan.network} {state}: {counts}; {where}", highlight=False, soft_wrap=True)
        with Bars(console) as bars:
            finished = training.run(bars, stop)
    if finished:
        lowest = min(training.history, key=lambda row: row.validation_loss)
        console.print(f"Done: best epoch {lowest.epoch}, {folder / 'best.pt'}", highlight=False, soft_wrap=True)
    return finished
