"""CondenseNetV2: dense blocks whose layers choose which features to use again, and which to renew.

    x ─┬─ learnt groups 1x1 ─▶ 3x3 in groups ─▶ (weigh channels) ─▶ new ─┬──────────────▶ joined behind
       │                                                                └ learnt groups 1x1 ─▶ renewal
       └──────────────────────────────── + ─────────────────────────────────────────────────────┘

Both 1x1 convolutions begin dense. In the first half of a training each group of filters loses, in equal steps, the
inputs that it uses least, until an eighth (A) or a sixth (B) is left; in the renewing one it is the outputs that a
group of inputs renews least. What is lost is masked. For the export the masks go into the weights, which stay dense:
picking the channels out and computing in groups multiplies less, but takes 4 to 13 times as long in OpenVINO.

Source: Yang et al., "CondenseNet V2: Sparse Feature Reactivation for Deep Networks", CVPR 2021, with the stages, growth
and groups of its variants A and B. The study of an edge device that uses it tells no variant. Features enter as one
grey channel of -1 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.networks.backbone import Spread
from models.networks.layers import Network, SqueezeExcite

BOTTLENECK, LAST_REDUCTION = 4, 16
SWISH_FROM, WEIGHED_FROM = 2, 3
"""From which block on, counted from 0, activations are hard swishes, and channels are weighed."""
CONDENSED_AT = 0.5
"""The share of a training after which all is condensed."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What one of the network's variants is made of.

    Attributes:
        layers: Of each block.
        growth: Features that a layer of each block adds.
        groups: Of the convolutions; to one of so many are the learnt ones condensed.
        dense: Values of the dense layer before the classes.
    """

    layers: tuple[int, ...]
    growth: tuple[int, ...]
    groups: int
    dense: int


VARIANTS = {
    "a": Variant((1, 1, 4, 6, 8), (8, 8, 16, 32, 64), 8, 828),
    "b": Variant((2, 4, 6, 8, 6), (6, 12, 24, 48, 96), 6, 1024),
}


class LearntGroups(nn.Module):
    """Normalisation, activation, and a 1x1 convolution that is condensed while it is trained.

    Args:
        channels: Of the input.
        filters: Of the output.
        groups: How many there are, and to one of how many each is condensed.
        activation: Before the convolution.
        renewing: Whether groups are those of the inputs, and lose outputs; else those of the filters, and lose inputs.
    """

    mask: Tensor
    steps: Tensor

    def __init__(self, channels: int, filters: int, groups: int, activation: nn.Module, *, renewing: bool) -> None:
        super().__init__()
        self.norm, self.activation = nn.BatchNorm2d(channels), activation
        self.convolution = nn.Conv2d(channels, filters, 1, bias=False)
        self.groups, self.renewing, self.plain = groups, renewing, False
        if renewing:
            nn.init.zeros_(self.norm.weight)  # it begins with doing nothing
        self.register_buffer("mask", torch.ones(filters, channels, 1, 1, dtype=torch.bool))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) → (n, filters, h, w)."""
        x = self.activation(self.norm(x))
        if self.plain:
            converted: Tensor = self.convolution(x)
            return converted
        return nn.functional.conv2d(x, self.convolution.weight * self.mask)

    @property
    def condensed(self) -> bool:
        """Whether nothing will be lost any more."""
        return int(self.steps) == self.groups - 1

    @torch.no_grad()
    def condense(self, share: float) -> None:
        """Lose what is due after this share of a training, 0 to 1."""
        due = min(self.groups - 1, int(share / CONDENSED_AT * (self.groups - 1) + 1e-9))
        while int(self.steps) < due:
            self._lose()
            self.steps += 1

    def _lose(self) -> None:
        """Every group loses one part in `groups` of what it could use, that which it uses least."""
        used, mask = self.convolution.weight.abs()[:, :, 0, 0], self.mask[:, :, 0, 0]
        if self.renewing:
            used, mask = used.T, mask.T
        each = used.shape[1] // self.groups
        for group in range(self.groups):
            left = mask[group]
            weight = used[group :: self.groups].sum(0).masked_fill(~left, torch.inf)
            mask[group :: self.groups, weight.argsort(stable=True)[:each]] = False

    @torch.no_grad()
    def convert(self) -> None:
        """Put the mask into the weights."""
        self.convolution.weight.mul_(self.mask)
        self.plain = True


class GroupConv(nn.Sequential):
    """Normalisation, activation, and a 3x3 convolution in groups that keeps height and width."""

    def __init__(self, channels: int, filters: int, groups: int, activation: nn.Module) -> None:
        convolution = nn.Conv2d(channels, filters, 3, padding=1, groups=groups, bias=False)
        super().__init__(nn.BatchNorm2d(channels), activation, convolution)


class DenseLayer(nn.Module):
    """Adds features behind those that are there and renews some of these: (n, c, h, w) → (n, c + growth, h, w)."""

    def __init__(self, channels: int, growth: int, groups: int, block: int) -> None:
        super().__init__()
        activation = nn.Hardswish if block >= SWISH_FROM else nn.ReLU
        between = BOTTLENECK * growth
        self.choose = LearntGroups(channels, between, groups, activation(), renewing=False)
        self.see = GroupConv(between, growth, groups, activation())
        self.weigh = SqueezeExcite(growth, 1, biased=False) if block >= WEIGHED_FROM else nn.Identity()
        self.renew = LearntGroups(growth, channels, groups, activation(), renewing=True)

    def forward(self, x: Tensor) -> Tensor:
        """What was there, renewed, and behind it what is new."""
        new = self.weigh(self.see(self.choose(x)))
        return torch.cat([x + self.renew(new), new], dim=1)


class CondenseNetV2(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits; the images at least 32 px high and wide."""

    described, describes = 2, "means of the feature maps after the first convolution"

    def __init__(self, classes: int, variant: Variant) -> None:
        super().__init__()
        channels = 2 * variant.growth[0]
        stages: list[nn.Module] = [Spread(), nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False)]
        for block, (layers, growth) in enumerate(zip(variant.layers, variant.growth, strict=True)):
            stages += [nn.AvgPool2d(2)] if block else []
            for _ in range(layers):
                stages.append(DenseLayer(channels, growth, variant.groups, block))
                channels += growth
        stages += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
        stages += [SqueezeExcite(channels, LAST_REDUCTION, biased=False), nn.Flatten()]
        self.features = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.Linear(channels, variant.dense),
            nn.Sequential(nn.Hardswish(), nn.Dropout(0.0)),
            nn.Linear(variant.dense, classes),
        )
        _initialise(self)

    @property
    def settled(self) -> bool:
        """Whether all learnt groups are what they will be."""
        return all(groups.condensed for groups in self._learnt())

    def advance(self, share: float) -> None:
        """Condense as far as is due."""
        for groups in self._learnt():
            groups.condense(share)

    def convert(self) -> None:
        """Put all masks into the weights."""
        for groups in self._learnt():
            groups.convert()

    def _learnt(self) -> Iterator[LearntGroups]:
        return (module for module in self.modules() if isinstance(module, LearntGroups))


def _initialise(network: nn.Module) -> None:
    """Convolutions after He et al., by their outputs."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def make(variant: str, classes: int, height: int, width: int) -> Network:  # noqa: ARG001 - it averages over any size
    """An untrained network; see `CondenseNetV2`."""
    return CondenseNetV2(classes, VARIANTS[variant])
