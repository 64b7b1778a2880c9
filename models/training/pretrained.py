"""Weights to begin with: a checkpoint of the same network, or ImageNet's of MobileNetV2 as arrays."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from models.training import checkpoint
from station.core.errors import TrainingError


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """A file of weights.

    Attributes:
        path: Where it is.
        sha256: Of its content.
    """

    path: Path
    sha256: str

    def __call__(self, network: nn.Module) -> None:
        """Put the weights into a fresh network.

        Raises:
            TrainingError: They do not fit it.
        """
        document = checkpoint.read_checkpoint(self.path)
        checkpoint.load_weights(network, document, self.path)


def initial_weights(path: Path, network: str) -> InitialWeights:
    """The file of weights, read once for its hash.

    Raises:
        TrainingError: It cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrainingError("training.bad_weights", f"{path}: {error}") from error
    return InitialWeights(path, hashlib.sha256(content).hexdigest())
