"""Inception-CNN with batch normalisation after every convolution, as our baseline and SCA CNN have it.

It learns from far fewer patches than the paper's own, which normalises its first convolution alone (models/README.md).
"""

from torch import nn

from models.networks.inception_cnn import InceptionCnn


def make(classes: int, height: int, width: int) -> nn.Module:
    """An untrained network; see `InceptionCnn`."""
    return InceptionCnn(classes, height, width, normalised=True)
