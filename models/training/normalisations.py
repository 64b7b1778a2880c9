"""Batch normalisations whose statistics are not those of the images: they get them, and answer what they did before.

In evaluation a normalisation is one factor and one shift a channel. Where it was folded into its convolution it does
nothing, and any statistics would do; but in training it divides by those of the batch. So a network that is to train
on needs the statistics of its images, and the scale and shift that undo them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.networks.layers import Network


def folded(network: Network) -> list[nn.BatchNorm2d]:
    """Those whose statistics are mean 0 and variance 1 throughout, as a bundle or an archive leaves them."""
    norms = (module for module in network.features.modules() if isinstance(module, nn.BatchNorm2d))
    return [norm for norm in norms if _says_nothing(norm)]


def _says_nothing(norm: nn.BatchNorm2d) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    return mean is not None and variance is not None and not bool(mean.any()) and bool((variance == 1).all())


def fit(network: Network, norms: Sequence[nn.BatchNorm2d], images: Tensor) -> None:
    """Give normalisations the statistics of what they see; in evaluation the network answers as before.

    Args:
        network: On the CPU.
        norms: Of its features.
        images: (n, 1, height, width) of 0 to 1.
    """
    with torch.no_grad():
        for norm, (mean, variance) in _seen(network, norms, images).items():
            _restate(norm, mean, variance)


def _seen(
    network: Network, norms: Sequence[nn.BatchNorm2d], images: Tensor
) -> dict[nn.BatchNorm2d, tuple[Tensor, Tensor]]:
    """Mean and variance (channels,) of the input of each."""
    seen: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def look(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        seen[norm] = mean.clone(), variance.clone()

    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    network.eval()
    network.features(images)
    for hook in hooks:
        hook.remove()
    return seen


def _restate(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """The same factor and shift by other statistics."""
    if norm.running_mean is None or norm.running_var is None:
        return
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - factor * norm.running_mean
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_(factor * torch.sqrt(variance + norm.eps))
    norm.bias.copy_(shift + factor * mean)
