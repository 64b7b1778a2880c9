"""Weights to begin with: a checkpoint of the same network, or ImageNet's of MobileNetV2 as an archive of arrays.

The archive holds, in the order of the network, `c00_w` (OIHW) and `c00_b` of each convolution; its normalisations are
folded into them, its padding is TensorFlow's "same", its input runs from -1 to 1. The first convolution's three colours
are added up for grey. Files are read as data only, never unpickled.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.networks.layers import Network
from models.training import checkpoint

ARCHIVE_NETWORK = "mobilenet-v2"


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """A file of weights.

    Attributes:
        path: Where it is.
        sha256: Of its content.
    """

    path: Path
    sha256: str

    def __call__(self, network: Network, images: Tensor) -> None:
        """Put the weights into a fresh network.

        Args:
            network: On the CPU.
            images: (n, 1, height, width) of 0 to 1, of the kind that it is to be trained on.

        Raises:
            TrainingError: They do not fit it.
        """
        if self.path.suffix == ".npz":
            unfold(network, _arrays(self.path), images, self.path)
        else:
            take_over(network, checkpoint.read_checkpoint(self.path), self.path)


def initial_weights(path: Path, network: str) -> InitialWeights:
    """The file of weights, read once for its hash.

    Raises:
        TrainingError: It cannot be read, or is for another network.
    """
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError("training.bad_weights", f"{path}: {error.strerror}") from error
    theirs = ARCHIVE_NETWORK if path.suffix == ".npz" else _network_of(path)
    if theirs != network:
        raise TrainingError("training.bad_weights", f"{path}: weights of {theirs}, not of {network}")
    return InitialWeights(path, sha256)


def _network_of(path: Path) -> str:
    return checkpoint.info_of(checkpoint.read_checkpoint(path), path).network


def take_over(network: nn.Module, document: Mapping[str, object], path: Path) -> None:
    """Put a checkpoint's weights into a network of its kind; a head for other classes stays as it is.

    Raises:
        TrainingError: They are of another network.
    """
    state, own = document["state"], network.state_dict()
    if not isinstance(state, dict) or state.keys() != own.keys():
        raise TrainingError("training.bad_weights", f"{path}: layers of another network")
    differing = [name for name, value in state.items() if value.shape != own[name].shape]
    if any(not name.startswith("head.") for name in differing):
        raise TrainingError("training.bad_weights", f"{path}: {differing[0]} is of another size")
    network.load_state_dict({name: own[name] if name in differing else value for name, value in state.items()})


def unfold(network: Network, arrays: Mapping[str, NDArray[np.float32]], images: Tensor, path: Path) -> None:
    """Put convolutions with folded normalisations into a network that has normalisations behind them.

    The normalisations get the statistics that the images have there, and the scale and shift that undo them, so that
    the network answers as the folded one in either mode: it can go on to train with them.

    Raises:
        TrainingError: The arrays are not those of the network's convolutions.
    """
    convolutions = [module for module in network.features.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in network.features.modules() if isinstance(module, nn.BatchNorm2d)]
    for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        kernel, bias = (arrays.get(f"c{number:02}_{name}") for name in "wb")
        if number == 0 and kernel is not None:
            kernel = kernel.sum(axis=1, keepdims=True)
        if kernel is None or bias is None or kernel.shape != tuple(convolution.weight.shape):
            raise TrainingError("training.bad_weights", f"{path}: convolution {number} is missing or of another size")
        _set(convolution.weight, torch.from_numpy(kernel))
        norm.eps = 1e-3
        _set_norm(norm, torch.zeros(len(bias)), torch.ones(len(bias)), torch.from_numpy(bias))
    _fit(network, norms, images)


def _fit(network: Network, norms: list[nn.BatchNorm2d], images: Tensor) -> None:
    """Give the normalisations the statistics of what they see, without a change of what they answer."""
    seen: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def look(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        spread, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        seen[norm] = mean, spread

    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    network.eval()
    with torch.inference_mode():
        network.features(images)
    for hook in hooks:
        hook.remove()
    for norm, (mean, spread) in seen.items():
        _set_norm(norm, mean.clone(), spread.clone(), norm.bias.detach().clone())


def _set_norm(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, shift: Tensor) -> None:
    """Let the normalisation add `shift` to its input, whatever statistics it holds."""
    _set(norm.running_mean, mean)
    _set(norm.running_var, variance)
    _set(norm.weight, torch.sqrt(variance + norm.eps))
    _set(norm.bias, shift + mean)


def _set(parameter: Tensor | None, value: Tensor) -> None:
    if parameter is not None:
        with torch.no_grad():
            parameter.copy_(value)


def _arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError("training.bad_weights", f"{path}: {error}") from error
