"""The networks that can be trained, by name, one row each. The table itself needs no torch.

A network takes (n, 1, height, width) float32 of 0 to 1 and answers (n, classes) logits. It has two parts: `features`,
the layers that a transfer learning freezes, and `head` (`models.networks.layers.Network`). Those of our own making have
a file each in this folder, those of timm one for all, `models.networks.backbone`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from models.networks.refused import Unserved, unserved_of

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
        layers: Of those in Table 10, how many there are as Keras counts; the table says the same. None: not in it.
        multiple_px: Height and width of images must be multiples of it.
        timm: What timm calls its body, whose files of weights it can begin with; empty for none.
        features_of: The network whose features it has under another head; empty for its own.
    """

    name: str
    make: Make
    smallest_px: int
    trainable_parameters: int
    paper_parameters_m: float | None
    source: str
    layers: int | None = None
    multiple_px: int = 1
    timm: str = ""
    features_of: str = ""

    @property
    def unserved(self) -> Unserved:
        """The artefacts that no engine could run."""
        return unserved_of(self.name)


def _in(module: str, *first: Any, **more: Any) -> Make:
    def make(classes: int, height: int, width: int) -> "Network":
        network: Network = import_module(f"models.networks.{module}").make(*first, classes, height, width, **more)
        return network

    return make


def _timm(name: str, **options: Any) -> Make:
    return _in("backbone", name, **options)


def _industnet(size: str, without: str = "") -> Make:
    return _in("industnet", size, without=without)


_MUSTAFAEV = "Mustafaev et al., Table 10"
_KAMEL = "Kamel, Hassan and Saeid, sections 3.3 to 3.9"
_INDUSTNET, _CONDENSENET = "Cao and Bai, IndustNet", "Yang et al. 2021"
_PADDED = {"pad_type": "same"}

# fmt: off
_SPECS = (
    NetworkSpec("efficientnet-v2-s", _timm("tf_efficientnetv2_s"), 32, 20_546_469, 20.70, f"Tan and Le 2021; {_MUSTAFAEV}", 520, timm="tf_efficientnetv2_s"),
    NetworkSpec("inception-v3", _timm("inception_v3"), 75, 22_351_013, 22.37, f"Szegedy et al. 2016; {_MUSTAFAEV}", 318, timm="inception_v3"),
    NetworkSpec("mobilenet-v2", _timm("mobilenetv2_100", **_PADDED), 32, 2_592_709, 2.63, f"Sandler et al. 2018; {_MUSTAFAEV}", 161, timm="mobilenetv2_100"),
    NetworkSpec("resnet50", _timm("resnet50"), 32, 24_067_781, 24.15, f"He et al. 2016; {_MUSTAFAEV}", 182, timm="resnet50"),
    NetworkSpec("sca-cnn", _in("sca_cnn"), 64, 518_440, 0.52, f"Mustafaev et al. 2022; {_MUSTAFAEV}", 30),
    NetworkSpec("baseline-cnn", _in("baseline_cnn"), 128, 5_120_293, 5.12, f"after {_MUSTAFAEV}", 24),
    NetworkSpec("inception-cnn", _in("inception_cnn"), 128, 3_576_389, 3.58, f"{_MUSTAFAEV}, section IV D", 48),
    NetworkSpec("baseline-cnn-normalised", _in("baseline_cnn", normalised=True), 128, 5_123_685, None, "ours, after the paper's"),
    NetworkSpec("inception-cnn-normalised", _in("inception_cnn", normalised=True), 128, 3_580_357, None, "ours, after the paper's"),
    NetworkSpec("cbam-cnn", _in("cbam_cnn"), 64, 525_271, None, "Woo et al. 2018"),
    NetworkSpec("mobilenet-v2-levels", _in("mobilenet_v2_levels"), 32, 3_290_837, None, "Sandler et al. 2018, each level"),
    NetworkSpec("resnet-v2-50", _timm("resnetv2_50"), 32, 24_060_101, None, "He et al. 2016, identity mappings", timm="resnetv2_50"),
    NetworkSpec("mobilenet-v3-l", _timm("mobilenetv3_large_100"), 32, 4_571_157, None, "Howard et al. 2019", timm="mobilenetv3_large_100"),
    NetworkSpec("efficientnet-b0", _timm("efficientnet_b0"), 32, 4_376_385, None, "Tan and Le 2019", timm="efficientnet_b0"),
    NetworkSpec("efficientnet-lite0", _timm("efficientnet_lite0"), 32, 3_739_845, None, "Liu 2020", timm="efficientnet_lite0"),
    NetworkSpec("screener", _in("screener_cnn"), 32, 80_293, None, "ours, to be asked before another network"),
    NetworkSpec("convnext-t", _timm("convnext_tiny"), 32, 28_055_397, None, "Liu et al. 2022", timm="convnext_tiny"),
    NetworkSpec("convnext-atto", _timm("convnext_atto"), 32, 3_496_893, None, "Liu et al. 2022", timm="convnext_atto"),
    NetworkSpec("vit-s", _timm("vit_small_patch16_224", sized=True), 32, 21_632_133, None, "Dosovitskiy et al. 2021", multiple_px=16, timm="vit_small_patch16_224"),
    NetworkSpec("mobilevit-xxs", _timm("mobilevit_xxs"), 64, 1_074_389, None, "Mehta and Rastegari 2022", multiple_px=32, timm="mobilevit_xxs"),
    NetworkSpec("mobilenet-v2-transfer", _timm("mobilenetv2_100", transfer=True, **_PADDED), 32, 2_552_517, None, _KAMEL, timm="mobilenetv2_100", features_of="mobilenet-v2"),
    NetworkSpec("resnet-v2-50-transfer", _timm("resnetv2_50", transfer=True), 32, 24_019_909, None, _KAMEL, timm="resnetv2_50", features_of="resnet-v2-50"),
    NetworkSpec("industnet", _industnet("tiny"), 64, 33_042_479, None, _INDUSTNET),
    NetworkSpec("industnet-atto", _industnet("atto"), 64, 4_197_591, None, f"{_INDUSTNET}, of ConvNeXt-Atto's widths"),
    NetworkSpec("industnet-atto-without-deformable", _industnet("atto", "deformable"), 64, 4_026_399, None, _INDUSTNET),
    NetworkSpec("industnet-atto-without-attention", _industnet("atto", "attention"), 64, 4_148_917, None, _INDUSTNET),
    NetworkSpec("industnet-atto-without-fusion", _industnet("atto", "fusion"), 64, 3_594_711, None, _INDUSTNET),
    NetworkSpec("industnet-without-deformable", _industnet("tiny", "deformable"), 64, 31_700_579, None, _INDUSTNET),
    NetworkSpec("industnet-without-attention", _industnet("tiny", "attention"), 64, 32_631_089, None, _INDUSTNET),
    NetworkSpec("industnet-without-fusion", _industnet("tiny", "fusion"), 64, 29_574_191, None, _INDUSTNET),
    NetworkSpec("condensenet-v2-a", _in("condensenet_v2", "a"), 32, 2_525_101, None, _CONDENSENET),
    NetworkSpec("condensenet-v2-b", _in("condensenet_v2", "b"), 32, 5_291_321, None, _CONDENSENET),
)
# fmt: on

NETWORKS: dict[str, NetworkSpec] = {spec.name: spec for spec in _SPECS}
"""All networks, by name; those of the paper's tables first, in their order."""

SETS: dict[str, tuple[str, ...]] = {
    "all": tuple(NETWORKS),
    "paper": tuple(spec.name for spec in _SPECS if spec.paper_parameters_m),
    "ablation": tuple(name for name in NETWORKS if name.startswith("industnet") and "atto" not in name),
    "ablation-atto": tuple(name for name in NETWORKS if name.startswith("industnet-atto")),
}
"""Several at once, by what commands call them: the first of an ablation is the whole network."""


def features_of(name: str) -> str:
    """The network whose features a network has: its own, or those of one with another head."""
    return NETWORKS[name].features_of or name
