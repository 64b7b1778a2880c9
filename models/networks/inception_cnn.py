"""Inception-CNN: four convolution stages and three inception modules, every one followed by a halving of the image.

Source: Mustafaev et al., "Enhancing Metal Surface Defect Recognition Through Image Patching and Synthetic Defect
Generation", section IV D and Table 10 (3.58 M parameters). Read so, the network has 3,576,389 trainable parameters.
"""

from functools import partial

import torch
from torch import Tensor, nn

from models.networks.layers import HalvedRelu, Network, conv, conv_halved, dense_head, initialise_network

HALVINGS = 7


class Inception(nn.Module):
    """Four branches on one input, concatenated: conv 3x3 → 1x1; pool → 1x1; 1x1 → conv 3x3; pool → 1x1.

    Args:
        channels: Channels of the input.
        filters: Channels (a, b, c, d, e, f) of the branches' convolutions; the output has b + c + e + f.
        normalised: Whether every convolution is followed by batch normalisation.
    """

    def __init__(self, channels: int, filters: tuple[int, int, int, int, int, int], *, normalised: bool) -> None:
        super().__init__()
        a, b, c, d, e, f = filters
        layer = partial(conv, normalised=normalised)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.wide_first = nn.Sequential(layer(channels, a, 3), layer(a, b, 1))
        self.pooled_first = layer(channels, c, 1)
        self.wide_last = nn.Sequential(layer(channels, d, 1), layer(d, e, 3))
        self.pooled_last = layer(channels, f, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The branches' outputs side by side: (n, b + c + e + f, h, w)."""
        pooled = self.pool(x)
        branches = [self.wide_first(x), self.pooled_first(pooled), self.wide_last(x), self.pooled_last(pooled)]
        return torch.cat(branches, dim=1)


class InceptionCnn(Network):
    """The station's own network: (n, 1, height, width) float of 0 to 1 → (n, classes) logits.

    Args:
        classes: How many.
        height: Of the images in px, at least 128.
        width: Of the images in px, at least 128.
        normalised: Whether every convolution is followed by batch normalisation, and not the first one alone.
    """

    described, describes = 5, "means of the feature maps after the first inception"

    def __init__(self, classes: int, height: int, width: int, *, normalised: bool) -> None:
        super().__init__()
        inception, halved = partial(Inception, normalised=normalised), partial(conv_halved, normalised=normalised)
        self.features = nn.Sequential(  # sizes for images of 256x256
            *(nn.Conv2d(1, 32, 5, padding=2), nn.BatchNorm2d(32), HalvedRelu()),  # 128² x 32
            *(inception(32, (32, 16, 16, 32, 16, 16)), nn.MaxPool2d(2)),  # 64² x 64
            halved(64, 128, 5),  # 32² x 128
            *(inception(128, (64, 64, 32, 96, 32, 64)), nn.MaxPool2d(2)),  # 16² x 192
            halved(192, 256, 3),  # 8² x 256
            *(inception(256, (128, 96, 96, 96, 64, 128)), nn.MaxPool2d(2)),  # 4² x 384
            halved(384, 512, 3),  # 2² x 512
            nn.Flatten(),
        )
        self.head = dense_head(512 * (height >> HALVINGS) * (width >> HALVINGS), classes)
        initialise_network(self)


def make(classes: int, height: int, width: int, *, normalised: bool = False) -> Network:
    """An untrained network; see `InceptionCnn`.

    Normalised throughout it learns from far fewer patches than the paper's own (models/networks/README.md).
    """
    return InceptionCnn(classes, height, width, normalised=normalised)
