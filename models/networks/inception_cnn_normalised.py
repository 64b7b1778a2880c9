"""Inception-CNN with batch normalisation after every convolution, as our baseline and SCA CNN have it.

It learns from far fewer patches than the paper's own, which normalises its first convolution alone (models/README.md).
"""

from models.networks.inception_cnn import InceptionCnn
from models.networks.layers import Network


def make(classes: int, height: int, width: int) -> Network:
    """An untrained network; see `InceptionCnn`."""
    return InceptionCnn(classes, height, width, normalised=True)
