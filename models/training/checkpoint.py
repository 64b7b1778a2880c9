"""Checkpoints: a network on its way, written whole or not at all, and read as data only, never unpickled.

A RUN folder holds `last.pt`, with which a training goes on, and `best.pt`, the epoch with the lowest validation loss.
"""

import errno
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.errors import TrainingError
from models.networks import NETWORKS
from models.networks.layers import Network
from models.training.data import DataOrigin
from models.training.plan import Plan
from models.training.planned import planned_network, size_problem
from models.version import code_version
from station.core.durable import staged_file
from station.core.geometry import Geometry

FORMAT = 1
BEST, LAST = "best.pt", "last.pt"


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What a checkpoint says about itself.

    Attributes:
        network: A key of `NETWORKS`.
        plan: How it is trained.
        data: What on.
        epochs_done: Whole epochs.
        validation: What the last of them reached, by the names of `curves.Row`; empty before the first.
        code_version: Of the product.
    """

    network: str
    plan: Plan
    data: DataOrigin
    epochs_done: int
    validation: Mapping[str, float]
    code_version: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the network's answers."""
        return self.data.classes


def describe(plan: Plan, data: DataOrigin) -> dict[str, Any]:
    """The part of a checkpoint that says what it is: plain values, which no loading can turn into code."""
    return {
        "format": FORMAT,
        "network": plan.network,
        "plan": plan.model_dump(mode="json"),
        "seed": plan.seed,
        "classes": list(data.classes),
        "passing": data.passing,
        "geometry": None if data.geometry is None else asdict(data.geometry),
        "height": data.height,
        "width": data.width,
        "data_sha256": data.sha256,
        "data_source": data.source,
        "parts": data.parts,
        "patches": data.patches,
        "code_version": code_version(),
        "torch_version": str(torch.__version__),
    }


def write_checkpoint(path: Path, document: dict[str, Any]) -> None:
    """Put a checkpoint in the place of the one before; it is on the disk when this returns.

    Raises:
        TrainingError: The disk does not take it; what was there before is untouched.
    """
    content = io.BytesIO()
    torch.save(document, content)
    write_whole(path, content.getbuffer())


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is there whole, on the disk, or not at all.

    Raises:
        TrainingError: The disk does not take it; what was there before is untouched.
    """
    try:
        with staged_file(path, path.with_name(f"{path.name}.part")) as file:
            file.write(content)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        raise TrainingError("training.disk_failed", f"{path}: {reason}") from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The document of a checkpoint, on the CPU.

    Raises:
        TrainingError: There is none, it is damaged, of another kind, or holds more than plain values and tensors.
    """
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError("training.bad_checkpoint", f"{path}: there is no such file") from error
    except Exception as error:  # a damaged file makes torch raise anything
        raise TrainingError("training.bad_checkpoint", f"{path}: {_first_line(error)}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TrainingError("training.bad_checkpoint", f"{path}: no checkpoint of format {FORMAT}")
    return document


def info_of(document: Mapping[str, Any], path: Path) -> CheckpointInfo:
    """What a checkpoint's document says about itself.

    Raises:
        TrainingError: Something is missing, or the network is unknown.
    """
    try:
        data = DataOrigin(
            document["data_sha256"],
            document["data_source"],
            tuple(document["classes"]),
            document.get("passing"),
            None if document.get("geometry") is None else Geometry(**document["geometry"]),
            document["height"],
            document["width"],
            document["parts"],
            document["patches"],
        )
        plan = Plan.model_validate(document["plan"])
        reached = {**document["history"][-1]} if document["history"] else {}
        version_then = str(document["code_version"])
        info = CheckpointInfo(document["network"], plan, data, document["epochs_done"], reached, version_then)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError("training.bad_checkpoint", f"{path}: {error}") from error
    if info.network not in NETWORKS:
        raise TrainingError("training.bad_checkpoint", f"{path}: unknown network {info.network}")
    if problem := size_problem(NETWORKS[info.network], data.height, data.width):
        raise TrainingError("training.bad_checkpoint", f"{path}: {problem}")
    if info.network != plan.network:
        told = f"weights of another network: it names {info.network}, its plan {plan.network}"
        raise TrainingError("training.bad_checkpoint", f"{path}: {told}")
    return info


def load_network(path: Path) -> tuple[Network, CheckpointInfo]:
    """The network of a checkpoint, on the CPU in evaluation mode, and what the checkpoint says about itself.

    Raises:
        TrainingError: The checkpoint cannot be used, or its weights are not those of the network it names.
    """
    document = read_checkpoint(path)
    info = info_of(document, path)
    network = planned_network(info.plan, len(info.classes), info.data.height, info.data.width)
    load_weights(network, document, path)
    return network.eval(), info


def load_weights(network: nn.Module, document: Mapping[str, Any], path: Path) -> None:
    """Put a checkpoint's weights into a network.

    Raises:
        TrainingError: They are not this network's, or one is no finite number.
    """
    state: Any = document.get("state")
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = f"weights of another network: {_first_line(error)}"
        raise TrainingError("training.bad_checkpoint", f"{path}: {reason}") from error
    if not all(math.isfinite(float(value.float().sum())) for value in network.state_dict().values()):
        raise TrainingError("training.bad_checkpoint", f"{path}: a weight is no finite number")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
