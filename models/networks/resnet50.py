"""ResNet50 with the dense layers of the Inception-CNN.

Source: He et al. 2016; timm's `resnet50`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("resnet50", classes)
