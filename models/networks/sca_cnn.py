"""A small CNN that weighs channels and places side by side, once, and joins both.

Source: Mustafaev et al., "A Novel Method to Inspect 3D Ball Joint Socket Products Using 2D Convolutional Neural Network
with Spatial and Channel Attention", Sensors 22 (2022) 4192: a block that extracts features, both kinds of attention on
its answer, their feature vectors one behind the other, a global average, dense layers. Its filters are not told in what
can be read of it. Five convolutions of 64, 64, 96, 128 and 160 filters, each followed by a halving, the first one
normalised, come out at Table 10's 0.52 M parameters and, as Keras counts, at its 30 layers, those that have no
parameters in the other heads left out. The form of the attentions is that of Woo et al., "CBAM", ECCV 2018.
"""

import torch
from torch import Tensor, nn

from models.networks.cbam_cnn import ChannelAttention, SpatialAttention
from models.networks.layers import Network, conv_halved, dense_head, initialise_network

FILTERS = (64, 64, 96, 128, 160)


class SideBySide(nn.Module):
    """Both attentions on the same features: (n, c, h, w) → (n, 2c, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.places = ChannelAttention(channels), SpatialAttention()

    def forward(self, x: Tensor) -> Tensor:
        """The features with their channels weighed, and behind them the same with their places weighed."""
        return torch.cat([self.channels(x), self.places(x)], dim=1)


class ScaCnn(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits; the images at least 64 px high and wide."""

    described, describes = 2, "means of the feature maps after two halvings"

    def __init__(self, classes: int) -> None:
        super().__init__()
        channels = (1, *FILTERS[:-1])
        block = (
            conv_halved(inputs, filters, 3, normalised=number == 0)
            for number, (inputs, filters) in enumerate(zip(channels, FILTERS, strict=True))
        )
        self.features = nn.Sequential(*block, SideBySide(FILTERS[-1]), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = dense_head(2 * FILTERS[-1], classes)
        initialise_network(self)


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `ScaCnn`."""
    return ScaCnn(classes)
