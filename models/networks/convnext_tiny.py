"""ConvNeXt-T with the dense layers of the Inception-CNN.

Source: Liu et al. 2022; timm's `convnext_tiny`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("convnext_tiny", classes)
