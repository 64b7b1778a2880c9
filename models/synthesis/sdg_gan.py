"""SDG-GAN: a generator and a Wasserstein critic with gradient penalty, one pair for each class of defects.

Source: Mustafaev, Kim and Kim, tables 1 to 3. Silent there: the slope of the leaky ReLU, the pooling's size, and where
the generator's one normalisation stands; it is read as the one of Table 2, after the dense layer. The counts of
parameters follow from this reading.
"""

from torch import Tensor, nn

from models.synthesis.gan_size import LATENT, SEED_PX, Size
from models.synthesis.layers import Same, doubling, leaky

GENERATOR_PARAMETERS = 10_029_057
CRITIC_PARAMETERS = 6_993_409
"""Of the full pair."""

_DOUBLINGS = ((512, 4), (256, 4), (128, 4), (128, 6), (64, 6))
"""Channels and kernels of the transposed convolutions before the last one."""
_SEED_CHANNELS = 512
_REFINED, _LAST = 64, 32
_HALVINGS = ((32, 7), (64, 5), (128, 5), (256, 5), (512, 3), (1024, 3))
"""Channels and kernels of the critic's convolutions."""


class Generator(nn.Module):
    """From numbers (n, 256) to images (n, 1, px, px) of -1 to 1."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self._seed = (size.channels(_SEED_CHANNELS), SEED_PX, SEED_PX)
        values = self._seed[0] * SEED_PX * SEED_PX
        self.dense = nn.Sequential(nn.Linear(LATENT, values), nn.BatchNorm1d(values), leaky())
        layers: list[nn.Module] = []
        before = self._seed[0]
        for count, kernel in _DOUBLINGS[len(_DOUBLINGS) + 1 - size.halvings :]:
            after = size.channels(count)
            layers += [doubling(before, after, kernel), leaky()]
            before = after
        refined, last = size.channels(_REFINED), size.channels(_LAST)
        self.layers = nn.Sequential(
            *layers, Same(before, refined, 4), leaky(), Same(refined, refined, 4), leaky(),
            doubling(refined, last, 6), leaky(), Same(last, 1, 5), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        """Images of these numbers."""
        images: Tensor = self.layers(self.dense(z).view(-1, *self._seed))
        return images


class Critic(nn.Module):
    """From images (n, 1, px, px) of -1 to 1 to how real each is (n,), without limits."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for count, kernel in _HALVINGS[: size.halvings]:
            after = size.channels(count)
            layers += [Same(before, after, kernel), leaky(), nn.AvgPool2d(2)]
            before = after
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * SEED_PX * SEED_PX, 1))

    def forward(self, images: Tensor) -> Tensor:
        """How real these are."""
        values: Tensor = self.layers(images)
        return values.squeeze(1)
