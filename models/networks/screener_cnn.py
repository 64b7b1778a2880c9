"""Screener: a network of a twenty-fifth of the Inception-CNN's arithmetic that is asked first, patch by patch.

It need not name a defect: it is believed only where it is surer that there is none than was proven to be needed. So it
sees the patch in half its size from the first layer on, the four grey values of each 2x2 field as channels (nothing is
thrown away), and its head sees the means and the maxima over the whole patch: a defect is small, and a mean alone
forgets it.
Source: a small network that answers the certain cases before a large one: "Hybrid inference" of a study of inspection
with ResNet50; space to depth: W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
Sub-Pixel Convolutional Neural Network", CVPR 2016.
"""

import torch
from torch import Tensor, nn

from models.networks.layers import HalvedRelu, Network, initialise_network

FIELD = 2
"""Pixels of a side of the fields that become channels."""
WIDTHS = (16, 32, 64, 96)
"""Multiples of 16, which INT8 computes without waste; chosen 2026-12-01."""


class MeanAndMaximum(nn.Module):
    """The means and the maxima over all places, (n, c, h, w) → (n, 2c)."""

    def forward(self, x: Tensor) -> Tensor:
        """Means first."""
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)


class Screener(Network):
    """A small network: (n, 1, height, width) float of 0 to 1 → (n, classes) logits; 61 million multiplications at 256².

    Args:
        classes: How many.
    """

    describes = "means of the last feature maps"

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(FIELD)]  # sizes for images of 256x256
        for before, after in zip((FIELD**2, *WIDTHS), WIDTHS[:-1], strict=False):  # 64², 32², 16²
            layers += [*_normalised(before, after), HalvedRelu()]
        layers += [*_normalised(WIDTHS[-2], WIDTHS[-1]), nn.ReLU(inplace=True)]  # 16²
        self.described = len(layers)
        self.features = nn.Sequential(*layers, MeanAndMaximum())
        self.head = nn.Sequential(nn.Linear(2 * WIDTHS[-1], classes))
        initialise_network(self)


def _normalised(channels: int, filters: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters)]


def make(classes: int, _height: int, _width: int) -> Network:
    """An untrained network; see `Screener`."""
    return Screener(classes)
