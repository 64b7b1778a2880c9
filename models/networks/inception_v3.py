"""InceptionV3 with the dense layers of the Inception-CNN.

Source: Szegedy et al. 2016; timm's `inception_v3`.
"""

from models.networks.backbone import Backbone
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `Backbone`."""
    return Backbone("inception_v3", classes)
