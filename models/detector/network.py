"""The detector's network and its loss. Needs torch.

    128² ─ 3x3 /2 16 ─▶ 64² ─ 3x3 /2 32 ─▶ 32² ─ 3x3 /2 64 ─▶ 16² ─ 3x3 64, reaching 1, 2, 4, 8 cells ─▶ heat 1, sides 4

Source: see `models.detector`. Heat is trained by the focal loss of CornerNet, sides by the logarithm of the shared part
of both boxes, as in UnitBox.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.detector.layout import CELLS, SIDE_PX, STRIDE
from models.detector.scenes import Scene

WIDTHS, REACHES = (16, 32, 64), (1, 2, 4, 8)
SPREAD = 0.12
"""Deviation of a middle's heat, of the product's shorter side."""
RARE_HEAT = -4.0
"""Logit of the heat at the beginning: nearly every cell holds no middle."""


class DetectorNetwork(nn.Module):
    """(n, SIDE_PX, SIDE_PX) uint8 → heat (n, CELLS, CELLS) of 0 to 1 and sides (n, 4, CELLS, CELLS) of the square."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels, filters in zip((1, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += _layer(channels, filters, stride=2, reach=1)
        for reach in REACHES:
            layers += _layer(WIDTHS[-1], WIDTHS[-1], stride=1, reach=reach)
        self.see = nn.Sequential(*layers)
        self.tell = nn.Conv2d(WIDTHS[-1], 5, 1)
        if self.tell.bias is not None:
            nn.init.constant_(self.tell.bias[:1], RARE_HEAT)

    def logits(self, pixels: Tensor) -> Tensor:
        """(n, SIDE_PX, SIDE_PX) uint8 → (n, 5, CELLS, CELLS): of the heat, and of the sides' logarithms."""
        told: Tensor = self.tell(self.see(pixels.unsqueeze(1).float() / 127.5 - 1))
        return told

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Heat and sides."""
        told = self.logits(pixels)
        return torch.sigmoid(told[:, 0]), torch.sigmoid(told[:, 1:])


def _layer(channels: int, filters: int, *, stride: int, reach: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, filters, 3, stride, padding=reach, dilation=reach, bias=False)
    return [convolution, nn.BatchNorm2d(filters), nn.ReLU()]


def loss_of(told: Tensor, scenes: Sequence[Scene]) -> Tensor:
    """The mean loss a scene of `DetectorNetwork.logits`."""
    heat, sides, inside = (torch.stack(each) for each in zip(*map(_targets, scenes), strict=True))
    chance = torch.sigmoid(told[:, 0]).clamp(1e-5, 1 - 1e-5)
    middles = heat == 1
    hit = -((1 - chance) ** 2 * chance.log())[middles].sum()
    missed = -((1 - heat) ** 4 * chance**2 * (1 - chance).log())[~middles].sum()
    reached = torch.sigmoid(told[:, 1:]).permute(0, 2, 3, 1)[inside]
    wanted = sides.permute(0, 2, 3, 1)[inside]
    both = torch.minimum(reached, wanted)
    shared = (both[:, 0] + both[:, 2]) * (both[:, 1] + both[:, 3])
    areas = [(one[:, 0] + one[:, 2]) * (one[:, 1] + one[:, 3]) for one in (reached, wanted)]
    union = areas[0] + areas[1] - shared
    outside = -((shared + 1e-6) / (union + 1e-6)).log()
    return (hit + missed) / max(1, int(middles.sum())) + outside.sum() / max(1, len(outside))


def _targets(scene: Scene) -> tuple[Tensor, Tensor, Tensor]:
    """Heat (CELLS, CELLS), 1 in the cell of a middle; sides (4, CELLS, CELLS); and where the sides count."""
    middles = (torch.arange(CELLS, dtype=torch.float32) + 0.5) * STRIDE
    rows, columns = middles[:, None], middles[None, :]
    heat, sides = torch.zeros(CELLS, CELLS), torch.zeros(4, CELLS, CELLS)
    inside = torch.zeros(CELLS, CELLS, dtype=torch.bool)
    for top, left, bottom, right in scene.boxes.tolist():
        spread = max(STRIDE / 2, SPREAD * min(bottom - top, right - left))
        middle = (top + bottom) / 2, (left + right) / 2
        warmth = torch.exp(-((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2) / (2 * spread**2))
        cell = tuple(min(CELLS - 1, int(one // STRIDE)) for one in middle)
        warmth[cell] = 1.0
        heat = torch.maximum(heat, warmth)
        near = (warmth > 0.5) & (rows > top) & (rows < bottom) & (columns > left) & (columns < right)
        own = torch.stack([(rows - top).expand(CELLS, CELLS), (columns - left).expand(CELLS, CELLS),
                           (bottom - rows).expand(CELLS, CELLS), (right - columns).expand(CELLS, CELLS)])  # fmt: skip
        sides[:, near] = own[:, near] / SIDE_PX
        inside |= near
    return heat, sides, inside
