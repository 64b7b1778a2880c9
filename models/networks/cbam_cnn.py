"""A small CNN with channel and spatial attention, one after the other, after each of its six convolutions.

Source: Woo et al., "CBAM", ECCV 2018; of the size of the CNN with attention in Table 10 of Mustafaev et al., which
weighs channels and places side by side (`models.networks.sca_cnn`). Every convolution is normalised, for attention that
has not learnt yet halves the features twelve times. 0.53 M parameters.
"""

import torch
from torch import Tensor, nn

from models.networks.layers import Network, conv_halved, dense_head, initialise_network

FILTERS = (32, 32, 64, 96, 128, 192)
REDUCTION = 8


class ChannelAttention(nn.Module):
    """Weighs the channels by what their averages and their largest values say: (n, c, h, w) → the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.judge = nn.Sequential(
            nn.Linear(channels, channels // REDUCTION, bias=False),
            nn.ReLU(),
            nn.Linear(channels // REDUCTION, channels, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The channels, each times a weight of 0 to 1."""
        weights = torch.sigmoid(self.judge(x.mean((2, 3))) + self.judge(x.amax((2, 3))))
        return x * weights[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weighs the places by what the channels' average and largest value around them say: (n, c, h, w), same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        """The places, each times a weight of 0 to 1."""
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.judge(seen))


class CbamCnn(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits; the images at least 64 px high and wide."""

    described, describes = 6, "means of the feature maps after two halvings"

    def __init__(self, classes: int) -> None:
        super().__init__()
        stages = (
            (conv_halved(inputs, filters, 3, normalised=True), ChannelAttention(filters), SpatialAttention())
            for inputs, filters in zip((1, *FILTERS[:-1]), FILTERS, strict=True)
        )
        layers = [layer for stage in stages for layer in stage]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = dense_head(FILTERS[-1], classes)
        initialise_network(self)


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `CbamCnn`."""
    return CbamCnn(classes)
