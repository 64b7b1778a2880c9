"""ResNetV2-50 with the dense layers of the Inception-CNN.

Source: He et al. 2016, identity mappings; timm's `resnetv2_50`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("resnetv2_50", classes)
