"""ImageNet's weights of timm's networks, from a file that the user gives: nothing is ever fetched.

The networks see one grey channel of -1 to 1, the weights were made for three colours less their mean, by their
deviation. A grey picture is three equal colours, so the first convolution's kernels, each divided by its deviation, are
added up, and what the means make of a constant goes into the bias, or, where there is none, into the statistics of the
normalisation behind it: in the middle of a picture the body answers as it did; at its border, where zeros are padded,
nearly.
"""

import hashlib
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import Tensor, nn

from models.errors import TrainingError
from models.networks.layers import Network

State = Mapping[str, Tensor]
NAMED_HASH = re.compile(r"-([0-9a-f]{8,64})\.(?:pth|pt|bin|safetensors)$")
WRAPPERS = ("state_dict", "model", "state_dict_ema")
POSITIONS = "pos_embed"
HALF = 0.5
"""Of 0 to 1, which becomes 0."""

BLOCK = re.compile(r"_blocks\.(\d+)\.(.+)")
LITE_LAYERS = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2", "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}  # fmt: skip
LITE_ENDS = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
LITE_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""The block whose input is not widened has its own names in timm."""


def checked_hash(path: Path, sha256: str | None) -> str:
    """The SHA-256 of a file, if it is the one that was said, and begins as the file's name says.

    Raises:
        TrainingError: It cannot be read, or is another one.
    """
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError("training.bad_weights", f"{path}: {error.strerror}") from error
    named = NAMED_HASH.search(path.name)
    for wanted, by in ((sha256, "was asked for"), (named.group(1) if named else None, "is in its name")):
        if wanted is not None and not found.startswith(wanted.lower()):
            raise TrainingError("training.bad_weights", f"{path}: its SHA-256 is {found}, and {wanted} {by}")
    return found


def read_weights(path: Path) -> State:
    """The tensors of a file by name, read as data only.

    Raises:
        TrainingError: It cannot be read, or holds no tensors by name.
    """
    try:
        if path.suffix == ".safetensors":
            tensors: State = load_file(path)
            return tensors
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise TrainingError("training.bad_weights", f"{path}: no file of weights: {reason}") from error
    while isinstance(state, dict) and (inner := next((name for name in WRAPPERS if name in state), None)):
        state = state[inner]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise TrainingError("training.bad_weights", f"{path}: it holds no tensors by name")
    return {name.removeprefix("module."): value for name, value in state.items()}


def take_body(network: Network, name: str, state: State, path: Path) -> None:
    """Put the weights into the body of a backbone; its own classes stay behind.

    Args:
        network: One of timm's, behind what spreads grey values.
        name: What timm calls it.
        state: The file's tensors.
        path: For errors.

    Raises:
        TrainingError: They are of another network.
    """
    body: Any = network.features[1]
    own = body.state_dict()
    given = _of_its_size(_in_timms_names(state, body), body)
    missing = [one for one in own if one not in given and not one.endswith("num_batches_tracked")]
    stem, kernel = _stem(body)
    colours = given.get(f"{stem}.weight")
    differing = [one for one in own if one in given and one != f"{stem}.weight" and given[one].shape != own[one].shape]
    fits = colours is not None and colours.shape[:1] == kernel.weight.shape[:1]
    if missing or differing or not fits or colours is None or colours.shape[2:] != kernel.weight.shape[2:]:
        one = (missing or differing or [f"{stem}.weight"])[0]
        raise TrainingError("training.bad_weights", f"{path}: weights of another network than {name}: {one}")
    grey, constant = _for_grey(colours.float(), *_colours_of(body, path))
    body.load_state_dict(own | {one: given[one] for one in own if one in given} | {f"{stem}.weight": grey})
    _add_constant(body, kernel, constant)


def _of_its_size(state: State, body: Any) -> State:
    """Positions of a transformer's patches for pictures of its size, in between those of the file."""
    positions, own = state.get(POSITIONS), getattr(body, POSITIONS, None)
    if positions is None or own is None or positions.shape == own.shape or positions.shape[-1] != own.shape[-1]:
        return state
    return {**state, POSITIONS: resample_abs_pos_embed(positions, list(body.patch_embed.grid_size))}


def _in_timms_names(state: State, body: nn.Module) -> State:
    """By timm's names, also where a file has those of EfficientNets' first port to PyTorch."""
    if "_conv_stem.weight" not in state:
        return state
    stages: Any = body.blocks
    places = [f"blocks.{stage}.{number}" for stage, blocks in enumerate(stages) for number in range(len(blocks))]
    return dict(_renamed(state, places))


def _renamed(state: State, places: list[str]) -> Iterator[tuple[str, Tensor]]:
    for name, value in state.items():
        if inner := BLOCK.fullmatch(name):
            number, rest = int(inner.group(1)), inner.group(2)
            layer, _, what = rest.partition(".")
            yield f"{places[number]}.{(LITE_LAYERS if number else LITE_FIRST).get(layer, layer)}.{what}", value
        else:
            layer, _, what = name.partition(".")
            yield f"{LITE_ENDS.get(layer, layer)}.{what}", value


def _stem(body: nn.Module) -> tuple[str, nn.Conv2d]:
    """The first convolution, which sees the picture."""
    return next((name, module) for name, module in body.named_modules() if isinstance(module, nn.Conv2d))


def _colours_of(body: Any, path: Path) -> tuple[Tensor, Tensor]:
    """Mean and deviation (3,) of the pictures that the file's weights saw: by its name, else as timm's usual ones."""
    architecture = str(body.pretrained_cfg["architecture"])
    tags = timm.list_pretrained(f"{architecture}.*") if timm.is_model(architecture) else []
    for tag in tags:
        settings = timm.get_pretrained_cfg(tag)
        if settings is not None and path.name in {str(settings.url).rpartition("/")[2], f"{tag}{path.suffix}"}:
            return torch.tensor(settings.mean), torch.tensor(settings.std)
    return torch.tensor(body.pretrained_cfg["mean"]), torch.tensor(body.pretrained_cfg["std"])


def _for_grey(kernel: Tensor, mean: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor]:
    """A kernel (filters, 1, h, w) for grey of -1 to 1, and what to add to each filter's answer (filters,)."""
    scaled = kernel / deviation[:, None, None]
    constant = (scaled * (HALF - mean)[:, None, None]).sum((1, 2, 3))
    return scaled.sum(1, keepdim=True) * HALF, constant


def _add_constant(body: nn.Module, stem: nn.Conv2d, constant: Tensor) -> None:
    """Add a constant to what the first convolution answers."""
    if stem.bias is not None:
        stem.bias.data.add_(constant)
        return
    norm = next((module for module in body.modules() if isinstance(module, nn.BatchNorm2d)), None)
    if norm is not None and norm.running_mean is not None and norm.running_mean.shape == constant.shape:
        norm.running_mean.sub_(constant)
