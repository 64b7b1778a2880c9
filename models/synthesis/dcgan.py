"""DCGAN, what SDG-GAN is compared with: transposed convolutions alone, normalised, and a discriminator of strides.

Source: Radford, Metz and Chintala 2016; the widths mirror SDG-GAN's, since the paper that compares them tells none.
"""

from torch import Tensor, nn

from models.synthesis.gan_size import LATENT, SEED_PX, Size
from models.synthesis.layers import doubling, leaky

_DOUBLINGS = (512, 256, 128, 128, 64)
_SEED_CHANNELS = 512
_HALVINGS = (32, 64, 128, 256, 512, 1024)
_DEVIATION = 0.02
"""Weights begin normally distributed, with this deviation."""


class Generator(nn.Module):
    """From numbers (n, 256) to images (n, 1, px, px) of -1 to 1."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        before = size.channels(_SEED_CHANNELS)
        layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, before, SEED_PX, bias=False), *_normalised(before)]
        for count in _DOUBLINGS[len(_DOUBLINGS) + 1 - size.halvings :]:
            after = size.channels(count)
            layers += [doubling(before, after, 4), *_normalised(after)]
            before = after
        self.layers = nn.Sequential(*layers, doubling(before, 1, 4), nn.Tanh())
        self.apply(_begin)

    def forward(self, z: Tensor) -> Tensor:
        """Images of these numbers."""
        images: Tensor = self.layers(z[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """From images (n, 1, px, px) of -1 to 1 to the logit (n,) of each being real."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for number, count in enumerate(_HALVINGS[: size.halvings]):
            after = size.channels(count)
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
            layers += [nn.BatchNorm2d(after)] if number else []
            layers.append(leaky())
            before = after
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * SEED_PX * SEED_PX, 1))
        self.apply(_begin)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of these."""
        logits: Tensor = self.layers(images)
        return logits.squeeze(1)


def _normalised(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()


def _begin(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, _DEVIATION)
