"""Which layers of a network are trained, and how each of their weights is held small."""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.networks.layers import Network
from models.training.plan import Phase, Plan


def freeze(network: Network, unfrozen_share: float) -> list[nn.Module]:
    """Let the last share of the layers before the head be trained, and the head; the others keep what they are.

    Returns:
        The frozen layers; while the rest trains they belong in evaluation mode.
    """
    layers = [module for module in network.features.modules() if any(True for _ in module.parameters(recurse=False))]
    frozen = layers[: round((1 - unfrozen_share) * len(layers))]
    network.requires_grad_(True)
    for layer in frozen:
        layer.requires_grad_(False)
    return frozen


def train_mode(network: nn.Module, frozen: Iterable[nn.Module]) -> None:
    """Training mode, but for the frozen layers, whose running statistics stay as they are."""
    network.train()
    for layer in frozen:
        layer.eval()


def make_optimiser(plan: Plan, phase: Phase, network: nn.Module) -> torch.optim.Optimizer:
    """The plan's optimiser for what of the network is trained; weight decay is for kernels and matrices only."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if plan.optimiser == "adamw" else torch.optim.Adam
    return kind([group for group in groups if group["params"]], lr=phase.peak_rate, fused=True)


def kernels(network: nn.Module, of: Literal["convolutions", "all"]) -> list[Tensor]:
    """The kernels that are trained and that an L2 penalty is for: of convolutions, as the paper's, or of all layers."""
    kinds = (nn.Conv2d,) if of == "convolutions" else (nn.Conv2d, nn.Linear)
    return [module.weight for module in network.modules() if isinstance(module, kinds) and module.weight.requires_grad]


def add_penalty(penalised: Iterable[Tensor], l2: float) -> None:
    """Add the gradient of `l2` times the sum of the squares to what is there.

    Source: Mustafaev et al., section IV D, "L2 0.01" of Keras: factor times sum of squares, without a half.
    """
    for kernel in penalised:
        if kernel.grad is not None:
            kernel.grad.add_(kernel.detach(), alpha=2 * l2)
