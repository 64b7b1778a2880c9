"""The networks that can be trained, by name: one file each, and one row here. The table itself needs no torch.

A network takes (n, 1, height, width) float32 of 0 to 1 and answers (n, classes) logits. It has two parts: `features`,
the layers that a transfer learning freezes, and `head`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Make = Callable[[int, int, int], "nn.Module"]
"""From the number of classes and the image's height and width in px to an untrained network."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network that can be trained.

    Attributes:
        name: What commands call it.
        make: Makes an untrained one; needs torch.
        trainable_parameters: How many it has for 5 classes and images of 256x256.
        paper_parameters_m: What the paper's Table 10 says, in millions, running statistics counted; None: not in it.
        source: Where it is described.
    """

    name: str
    make: Make
    trainable_parameters: int
    paper_parameters_m: float | None
    source: str


def _in(module: str) -> Make:
    def make(classes: int, height: int, width: int) -> "nn.Module":
        network: nn.Module = import_module(f"models.networks.{module}").make(classes, height, width)
        return network

    return make


_SPECS = (
    NetworkSpec("inception-cnn", _in("inception_cnn"), 3_576_389, 3.58, "Mustafaev et al., section IV D, Table 10"),
)

NETWORKS: dict[str, NetworkSpec] = {spec.name: spec for spec in _SPECS}
"""All networks, by name, in the order of the paper's tables."""
