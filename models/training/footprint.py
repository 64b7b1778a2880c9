"""How much memory a step of a training takes, reckoned before it begins: a system that runs out kills silently."""

import re
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import TrainingError
from models.training.plan import Plan

MEMINFO = Path("/proc/meminfo")
BYTES_A_PARAMETER = 4 * 4
"""The weight, its gradient and two moments."""
BYTES_A_VALUE = {"bf16": 2, "f32": 4}


def refuse_too_large(network: nn.Module, plan: Plan, height: int, width: int, device: torch.device) -> None:
    """Refuse a plan whose step would not fit the memory that is free.

    Args:
        network: On the CPU.
        plan: Says batch and precision.
        height: Of the images in px.
        width: Of the images in px.
        device: Where it will be trained.

    Raises:
        TrainingError: It would not.
    """
    needed, free = step_bytes(network, plan, height, width), free_bytes(device)
    if needed > free:
        told = f"a step of {plan.batch} images of {height}x{width} takes some {needed / 1e9:.1f} GB by reckoning"
        raise TrainingError("training.out_of_memory", f"{plan.network}: {told}, {free / 1e9:.1f} GB are free")


def step_bytes(network: nn.Module, plan: Plan, height: int, width: int) -> int:
    """What weights and the values of all layers take in a step, kept for the gradient; at least, not at most."""
    values = 0

    def count(_module: nn.Module, _inputs: Any, answer: Any) -> None:
        nonlocal values
        values += answer.numel() if isinstance(answer, Tensor) else 0

    leaves = [module for module in network.modules() if not any(True for _ in module.children())]
    hooks = [leaf.register_forward_hook(count) for leaf in leaves]
    trained = network.training
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 1, height, width))
    finally:
        network.train(trained)
        for hook in hooks:
            hook.remove()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return int(parameters * BYTES_A_PARAMETER + values * plan.batch * BYTES_A_VALUE[plan.precision])


def free_bytes(device: torch.device) -> int:
    """Memory that a process can still get."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", MEMINFO.read_text(encoding="ascii"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else sys.maxsize
