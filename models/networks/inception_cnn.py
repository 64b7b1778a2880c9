"""Inception-CNN: four convolution stages and three inception modules, every one followed by a halving of the image.

Source: Mustafaev et al., "Enhancing Metal Surface Defect Recognition Through Image Patching and Synthetic Defect
Generation", section IV D and Table 10 (3.58 M parameters). Read so, the network has 3,576,389 trainable parameters.
"""

import torch
from torch import Tensor, nn

from station.core.part import SurfaceClass


class Inception(nn.Module):  # type: ignore[misc] # torch is an extra, unknown to mypy
    """Four branches on one input, concatenated: conv 3x3 → 1x1; pool → 1x1; 1x1 → conv 3x3; pool → 1x1.

    Args:
        channels: Channels of the input.
        filters: Channels (a, b, c, d, e, f) of the branches' convolutions; the output has b + c + e + f.
    """

    def __init__(self, channels: int, filters: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d, e, f = filters
        self.wide_first = nn.Sequential(_conv(channels, a, 3), _conv(a, b, 1))
        self.pooled_first = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _conv(channels, c, 1))
        self.wide_last = nn.Sequential(_conv(channels, d, 1), _conv(d, e, 3))
        self.pooled_last = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _conv(channels, f, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The branches' outputs side by side: (n, b + c + e + f, h, w)."""
        return torch.cat([self.wide_first(x), self.pooled_first(x), self.wide_last(x), self.pooled_last(x)], dim=1)


class InceptionCnn(nn.Module):  # type: ignore[misc]
    """The station's own network: (n, 1, 256, 256) float of 0 to 1 → (n, 5) logits in the order of `SurfaceClass`."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),  # 128² x 32
            *(Inception(32, (32, 16, 16, 32, 16, 16)), nn.MaxPool2d(2)),  # 64² x 64
            *(_conv(64, 128, 5), nn.MaxPool2d(2)),  # 32² x 128
            *(Inception(128, (64, 64, 32, 96, 32, 64)), nn.MaxPool2d(2)),  # 16² x 192
            *(_conv(192, 256, 3), nn.MaxPool2d(2)),  # 8² x 256
            *(Inception(256, (128, 96, 96, 96, 64, 128)), nn.MaxPool2d(2)),  # 4² x 384
            *(_conv(384, 512, 3), nn.MaxPool2d(2)),  # 2² x 512
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(2048, 256), nn.ReLU()),
            *(nn.Linear(256, 128), nn.ReLU()),
            *(nn.Linear(128, 64), nn.ReLU()),
            nn.Linear(64, len(SurfaceClass)),
        )
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, 5)."""
        logits: Tensor = self.head(self.features(x))
        return logits


def _conv(channels: int, filters: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.ReLU())


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
