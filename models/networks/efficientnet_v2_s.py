"""EfficientNetV2-S with the dense layers of the Inception-CNN.

Source: Tan and Le 2021; timm's `tf_efficientnetv2_s`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("tf_efficientnetv2_s", classes)
