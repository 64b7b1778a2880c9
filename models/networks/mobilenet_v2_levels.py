"""MobileNetV2 that tells its head of each of its levels how much there is on average, at most and at least.

The average of the last level alone hides what is small: a blowhole is a few values of the early, fine levels, and
nearly nothing of the last, coarse one. The extremes over all places keep it. Made for few pictures and a head that
learns alone, on features that are computed once.

Source: Sandler et al. 2018, timm's `mobilenetv2_100`; several levels at once for defects as in Defard et al., "PaDiM",
2020; which levels, and what is told of them, is ours.
"""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from models.networks.backbone import Spread
from models.networks.layers import Network, Scale, dense_head, initialise_network

LEVELS = {1: 24, 2: 32, 4: 96, 6: 320}
"""Blocks of the body that are looked at, a quarter to a thirty-second of the size, with their channels."""
LAST = 1280
"""Channels behind them all, where nothing lies below 0."""
VALUES = 3 * sum(LEVELS.values()) + 2 * LAST


class Levels(nn.Module):
    """(n, 1, height, width) of -1 to 1 → (n, `VALUES`)."""

    def __init__(self) -> None:
        super().__init__()
        self.body: Any = timm.create_model(
            "mobilenetv2_100", pretrained=False, in_chans=1, num_classes=0, pad_type="same"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Mean, maximum and minimum of each channel of each level, and mean and maximum of the last one."""
        x = self.body.bn1(self.body.conv_stem(x))
        told = list[Tensor]()
        for number, block in enumerate(self.body.blocks):
            x = block(x)
            if number in LEVELS:
                told += [x.mean((2, 3)), x.amax((2, 3)), x.amin((2, 3))]
        x = self.body.bn2(self.body.conv_head(x))
        return torch.cat([*told, x.mean((2, 3)), x.amax((2, 3))], dim=1)


class LevelledMobileNet(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits; the values of all levels are of one scale."""

    described, describes = 1, "the mean grey value"

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(Spread(), Levels(), Scale(VALUES))
        self.head = dense_head(VALUES, classes)
        initialise_network(self.head)


def make(classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it takes any size
    """An untrained network."""
    return LevelledMobileNet(classes)
