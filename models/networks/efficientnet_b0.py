"""EfficientNet-B0 with the dense layers of the Inception-CNN.

Source: Tan and Le 2019; timm's `efficientnet_b0`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("efficientnet_b0", classes)
