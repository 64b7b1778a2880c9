"""The networks that can be trained, by name: one file each, and one row here. The table itself needs no torch.

A network takes (n, 1, height, width) float32 of 0 to 1 and answers (n, classes) logits. It has two parts: `features`,
the layers that a transfer learning freezes, and `head` (`models.networks.layers.Network`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.networks.layers import Network

Make = Callable[[int, int, int], "Network"]
"""From the number of classes and the image's height and width in px to an untrained network."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network that can be trained.

    Attributes:
        name: What commands call it.
        make: Makes an untrained one; needs torch.
        smallest_px: Images must be this high and wide at least.
        trainable_parameters: How many it has for 5 classes and images of 256x256.
        paper_parameters_m: What the paper's Table 10 says, in millions, running statistics counted; None: not in it.
        source: Where it is described.
    """

    name: str
    make: Make
    smallest_px: int
    trainable_parameters: int
    paper_parameters_m: float | None
    source: str


def _in(module: str) -> Make:
    def make(classes: int, height: int, width: int) -> "Network":
        network: Network = import_module(f"models.networks.{module}").make(classes, height, width)
        return network

    return make


_PAPER = "Mustafaev et al., Table 10"
_SPECS = (
    NetworkSpec("efficientnet-v2-s", _in("efficientnet_v2_s"), 32, 20_546_469, 20.70, f"Tan and Le 2021; {_PAPER}"),
    NetworkSpec("inception-v3", _in("inception_v3"), 75, 22_351_013, 22.37, f"Szegedy et al. 2016; {_PAPER}"),
    NetworkSpec("mobilenet-v2", _in("mobilenet_v2"), 32, 2_592_709, 2.63, f"Sandler et al. 2018; {_PAPER}"),
    NetworkSpec("resnet50", _in("resnet50"), 32, 24_067_781, 24.15, f"He et al. 2016; {_PAPER}"),
    NetworkSpec("sca-cnn", _in("sca_cnn"), 64, 525_271, 0.52, f"Woo et al. 2018, of the size in {_PAPER}"),
    NetworkSpec("baseline-cnn", _in("baseline_cnn"), 128, 5_123_685, 5.12, f"after {_PAPER}, normalised throughout"),
    NetworkSpec("inception-cnn", _in("inception_cnn"), 128, 3_576_389, 3.58, f"{_PAPER}, section IV D"),
    NetworkSpec(
        "inception-cnn-normalised", _in("inception_cnn_normalised"), 128, 3_580_357, None, "ours, after the paper's"
    ),
    NetworkSpec(
        "mobilenet-v2-levels", _in("mobilenet_v2_levels"), 32, 3_290_837, None, "Sandler et al. 2018, each level"
    ),
    NetworkSpec("resnet-v2-50", _in("resnet_v2_50"), 32, 24_060_101, None, "He et al. 2016, identity mappings"),
    NetworkSpec("mobilenet-v3-l", _in("mobilenet_v3_large"), 32, 4_571_157, None, "Howard et al. 2019"),
    NetworkSpec("efficientnet-b0", _in("efficientnet_b0"), 32, 4_376_385, None, "Tan and Le 2019"),
    NetworkSpec("screener", _in("screener_cnn"), 32, 80_293, None, "ours, to be asked before another network"),
    NetworkSpec("convnext-t", _in("convnext_tiny"), 32, 28_055_397, None, "Liu et al. 2022"),
)

NETWORKS: dict[str, NetworkSpec] = {spec.name: spec for spec in _SPECS}
"""All networks, by name, in the order of the paper's tables."""
