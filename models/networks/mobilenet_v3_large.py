"""MobileNetV3-L with the dense layers of the Inception-CNN.

Source: Howard et al. 2019; timm's `mobilenetv3_large_100`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("mobilenetv3_large_100", classes)
