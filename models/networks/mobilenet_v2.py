"""MobileNetV2 with the dense layers of the Inception-CNN; padded as TensorFlow does, so that weights from there fit.

Source: Sandler et al. 2018; timm's `mobilenetv2_100`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("mobilenetv2_100", classes, pad_type="same")
