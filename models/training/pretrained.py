"""Weights to begin with: a bundle or a checkpoint of the same network, or ImageNet's from a file.

ImageNet's are timm's own file of the network's body (`models.training.imagenet`), or MobileNetV2's as an archive.

A bundle's weights are rounded to 16 bits, and its normalisations are folded into its convolutions; the latter are given
the statistics of the images to train on (`models.training.normalisations`).

The archive holds, in the order of the network, `c00_w` (OIHW) and `c00_b` of each convolution; its normalisations are
folded into them, its padding is TensorFlow's "same", its input runs from -1 to 1. The first convolution's three colours
are added up for grey. Files are read as data only, never unpickled.
"""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.manifest import Bundle, load_bundle
from models.networks import NETWORKS, features_of
from models.networks.layers import Network, Scale
from models.training import checkpoint, imagenet
from models.training.normalisations import fit, folded
from models.weights import bundle_folder
from station.core.errors import ModelError

ARCHIVE_NETWORKS = ("mobilenet-v2", "mobilenet-v2-levels")
"""Networks that have its layers, in its order."""
HEAD = "head."


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """A file of weights, or a bundle that has one.

    Attributes:
        path: Where it is.
        sha256: Of the file's content; of a bundle, of its weights for torch.
        body: What timm calls the network that a file of timm's own is for; empty for every other.
    """

    path: Path
    sha256: str
    body: str = ""

    def __call__(self, network: Network, images: Tensor) -> None:
        """Put the weights into a fresh network.

        Args:
            network: On the CPU.
            images: (n, 1, height, width) of 0 to 1, of the kind that it is to be trained on.

        Raises:
            TrainingError: They do not fit it.
        """
        if self.body:
            imagenet.take_body(network, self.body, imagenet.read_weights(self.path), self.path)
        elif self.path.suffix == ".npz":
            unfold(network, _arrays(self.path), images, self.path)
        elif self.path.is_dir():
            take_over(network, _state(_bundle(self.path)), self.path)
            fit(network, folded(network), images)
        else:
            take_over(network, checkpoint.read_checkpoint(self.path).get("state"), self.path)


def initial_weights(path: Path, network: str) -> InitialWeights:
    """The weights of a file or a bundle, read once for their hash.

    Args:
        path: A checkpoint, an archive, a bundle's folder, or the name of a bundle that is shipped.
        network: What they are to be for.

    Raises:
        TrainingError: They cannot be read, or are for another network.
    """
    place = bundle_folder(str(path))
    theirs, sha256 = _of_bundle(place) if place.is_dir() else _of_file(place)
    if features_of(network) not in map(features_of, theirs):
        raise TrainingError("training.bad_weights", f"{path}: weights of {' or '.join(theirs)}, not of {network}")
    return InitialWeights(place, sha256)


def _of_file(path: Path) -> tuple[tuple[str, ...], str]:
    """Which networks a file's weights are for, and the file's SHA-256."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError("training.bad_weights", f"{path}: {error.strerror}") from error
    if path.suffix == ".npz":
        return ARCHIVE_NETWORKS, sha256
    return (checkpoint.info_of(checkpoint.read_checkpoint(path), path).network,), sha256


def _of_bundle(folder: Path) -> tuple[tuple[str, ...], str]:
    bundle = _bundle(folder)
    return (bundle.manifest.network,), hashlib.sha256(_content(bundle)).hexdigest()


def _bundle(folder: Path) -> Bundle:
    try:
        return load_bundle(folder)
    except ModelError as error:
        raise TrainingError("training.bad_weights", f"no bundle to begin with: {error.detail}") from error


def _content(bundle: Bundle) -> bytes:
    """The file of its weights for torch."""
    try:
        (content,) = bundle.read_artefact("torch")
    except ModelError as error:
        raise TrainingError("training.bad_weights", error.detail) from error
    return content


def _state(bundle: Bundle) -> object:
    """What the file holds, which should be a state dict."""
    try:
        state: object = torch.load(io.BytesIO(_content(bundle)), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError("training.bad_weights", f"{bundle.folder}: its weights for torch are damaged") from error
    return state


def timm_weights(path: Path, network: str, sha256: str | None = None) -> InitialWeights:
    """ImageNet's weights of a network's body, from a file as timm publishes it; read once for their hash.

    Args:
        path: A .pth, .pt, .bin or .safetensors file.
        network: What they are to be for.
        sha256: What the file's hash has to be; None where nobody said. The eight digits at the end of a name such as
            `mobilenetv2_100_ra-b33bc2c4.pth` are held against it in any case.

    Raises:
        TrainingError: The network has no body of timm's, or the file cannot be read or is not the one that was named.
    """
    if not (body := NETWORKS[network].timm):
        told = "it is no network of timm's, whose files --weights takes; --init takes bundles and checkpoints"
        raise TrainingError("training.bad_weights", f"{path}: {network}: {told}")
    return InitialWeights(path, imagenet.checked_hash(path, sha256), body)


def take_over(network: nn.Module, state: object, path: Path) -> None:
    """Put the weights of a network of its kind into a network; another head, or one for other classes, stays as it is.

    Raises:
        TrainingError: They are of another network.
    """
    own = network.state_dict()
    features = {name for name in own if not name.startswith(HEAD)}
    if not isinstance(state, dict) or {name for name in state if not name.startswith(HEAD)} != features:
        raise TrainingError("training.bad_weights", f"{path}: layers of another network")
    fitting = {name: value for name, value in state.items() if name in own and value.shape == own[name].shape}
    if differing := features - fitting.keys():
        raise TrainingError("training.bad_weights", f"{path}: {min(differing)} is of another size")
    if state.keys() != own.keys():
        fitting = {name: value for name, value in fitting.items() if name in features}
    network.load_state_dict(own | fitting)


def unfold(network: Network, arrays: Mapping[str, NDArray[np.float32]], images: Tensor, path: Path) -> None:
    """Put convolutions with folded normalisations into a network that has normalisations behind them.

    The normalisations get the statistics that the images have there, so that the network answers as the folded one in
    either mode: it can go on to train with them.

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
        _set_folded(convolution, norm, torch.from_numpy(kernel), torch.from_numpy(bias))
    fit(network, norms, images)
    if isinstance(last := network.features[-1], Scale):
        with torch.no_grad():
            last.fit(network.features[:-1](images))


def _set_folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d, kernel: Tensor, bias: Tensor) -> None:
    """The kernel, and a normalisation that adds the bias and does nothing else."""
    norm.reset_running_stats()
    with torch.no_grad():
        convolution.weight.copy_(kernel)
        norm.weight.fill_((1 + norm.eps) ** 0.5)
        norm.bias.copy_(bias)


def _arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError("training.bad_weights", f"{path}: {error}") from error
