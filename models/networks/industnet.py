"""IndustNet: ConvNeXt with deformable convolutions, squeeze-and-excitation, and a fusion of its stages; each a switch.

    image ─ stem /4 ─▶ stage 1 ─▶ stage 2 ─▶ stage 3 ─▶ stage 4 ─┐
                         │ /4        │ /8       │ /16      │ /32   without fusion: average, normalise, classify
                         └───────────┴──────────┴──────────┘
                           all to the third's size, joined, 1x1 ─▶ halved ─▶ average, normalise, classify

Source: Cao and Bai, IndustNet, sections 3.1 to 3.3 and equations 1 to 9. Left open there, and read so: ConvNeXt-T's
widths and depths (Liu et al. 2022); the deformable convolutions, 3x3 and without modulation, stand in place of the
depthwise ones in the blocks of the first two stages ("in the blocks", "after the initial downsampling"), and their
offsets begin at zero; squeeze-and-excitation comes after each block, with a reduction of 16; the fusion takes all four
stages to the third's size and has as many channels as the last one. No pre-training is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torchvision.ops import DeformConv2d

from models.networks.layers import Network, SqueezeExcite, plain_head

EXPANSION, LAYER_SCALE, REDUCTION, EPS = 4, 1e-6, 16, 1e-6
DEFORMED_STAGES = 2
FUSED_AT = 2
"""The stage, from 0, to whose size all are brought."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What IndustNet adds to a ConvNeXt; without all three it is one."""

    deformable: bool = True
    attention: bool = True
    fusion: bool = True


class ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each place: (n, c, h, w), the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """The channels of each place with mean 0 and variance 1, times a factor, and shifted."""
        normalised: Tensor = super().forward(x.permute(0, 2, 3, 1))
        return normalised.permute(0, 3, 1, 2)


class Deformable(nn.Module):
    """A 3x3 convolution that looks, at each place, where a second one says: (n, c, h, w), the same shape.

    The places begin as those of any convolution. torchvision's kernel knows float32 alone, so that it computes in that
    also where a training computes in bfloat16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.places = nn.Conv2d(channels, 2 * 3 * 3, 3, padding=1)
        self.convolution = DeformConv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.places.weight)
        if self.places.bias is not None:
            nn.init.zeros_(self.places.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of what lies at the places."""
        if not torch.is_autocast_enabled(x.device.type):
            looked: Tensor = self.convolution(x, self.places(x))
            return looked
        with torch.autocast(x.device.type, enabled=False):
            wide = x.float()
            deformed: Tensor = self.convolution(wide, self.places(wide))
            return deformed.to(x.dtype)


class Block(nn.Module):
    """ConvNeXt's block, with the switches: (n, c, h, w), the same shape."""

    def __init__(self, channels: int, *, deformable: bool, attention: bool) -> None:
        super().__init__()
        self.spatial = (
            Deformable(channels) if deformable else nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        )
        self.norm = ChannelNorm(channels)
        self.mix = nn.Sequential(
            nn.Conv2d(channels, EXPANSION * channels, 1), nn.GELU(), nn.Conv2d(EXPANSION * channels, channels, 1)
        )
        self.scale = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE))
        self.attention = SqueezeExcite(channels, REDUCTION) if attention else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """What was there and what is added to it, its channels weighed."""
        added: Tensor = self.attention(x + self.scale * self.mix(self.norm(self.spatial(x))))
        return added


class Stages(nn.Module):
    """The four stages behind the stem, fused or not: (n, c, h, w) → (n, values).

    Args:
        widths: Channels of each.
        depths: Blocks of each.
        switches: What they have of IndustNet.
    """

    def __init__(self, widths: Sequence[int], depths: Sequence[int], switches: Switches) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for number, (channels, blocks) in enumerate(zip(widths, depths, strict=True)):
            deformable = switches.deformable and number < DEFORMED_STAGES
            halving = [_halving(widths[number - 1], channels)] if number else []
            made = [Block(channels, deformable=deformable, attention=switches.attention) for _ in range(blocks)]
            self.stages.append(nn.Sequential(*halving, *made))
        self.joined = nn.Conv2d(sum(widths), widths[-1], 1) if switches.fusion else None
        self.halved = _halving(widths[-1], widths[-1]) if switches.fusion else None
        self.norm = nn.LayerNorm(widths[-1], eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Means over all places, normalised."""
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        if self.joined is not None and self.halved is not None:
            x = self.halved(self.joined(self._together(seen)))
        normalised: Tensor = self.norm(x.mean((2, 3)))
        return normalised

    @staticmethod
    def _together(seen: Sequence[Tensor]) -> Tensor:
        size = seen[FUSED_AT].shape[2:]
        alike = [
            one if one.shape[2:] == size else nn.functional.interpolate(one, size, mode="bilinear") for one in seen
        ]
        return torch.cat(alike, dim=1)


def _halving(channels: int, filters: int) -> nn.Sequential:
    return nn.Sequential(ChannelNorm(channels), nn.Conv2d(channels, filters, 2, stride=2))


class IndustNet(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits; the images at least 64 px high and wide."""

    described, describes = 1, "means of the feature maps after the stem"

    def __init__(self, classes: int, widths: Sequence[int], depths: Sequence[int], switches: Switches) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(1, widths[0], 4, stride=4), ChannelNorm(widths[0]))
        self.features = nn.Sequential(stem, Stages(widths, depths, switches))
        self.head = plain_head(widths[-1], classes)
        self.apply(_initialise)


def _initialise(module: nn.Module) -> None:
    """Small normal weights, as ConvNeXt begins; the places of deformable convolutions keep their zeros."""
    if isinstance(module, nn.Conv2d | nn.Linear | DeformConv2d) and bool(module.weight.any()):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "tiny": ((96, 192, 384, 768), (3, 3, 9, 3)),
    "atto": ((40, 80, 160, 320), (2, 2, 6, 2)),
}
"""Widths and depths of ConvNeXt-T, and those of timm's ConvNeXt-Atto."""


def make(size: str, classes: int, height: int, width: int, *, without: str = "") -> Network:  # noqa: ARG001 - any size
    """An untrained network; see `IndustNet`.

    Args:
        size: A key of `SIZES`.
        classes: How many.
        height: Of the images in px; it averages over any.
        width: Of the images in px.
        without: A field of `Switches` that is off; empty for none.
    """
    switches = replace(Switches(), **{without: False}) if without else Switches()
    widths, depths = SIZES[size]
    return IndustNet(classes, widths, depths, switches)
