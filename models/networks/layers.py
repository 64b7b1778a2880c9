"""Layers that several networks are made of, and what every network can be asked."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """What every network is: layers that a transfer learning may freeze, and a head; (n, 1, h, w) to logits.

    Attributes:
        features: From images (n, 1, height, width) float of 0 to 1 to (n, values).
        head: From these to logits (n, classes).
        described: After so many of the layers of `features` the means over all places tell what an image looks like.
        describes: What these are, in words.
        memory: What `features` saw of images before, where they do not learn, given them and images; None where each
            image is looked at.
    """

    features: nn.Sequential
    head: nn.Sequential
    described: int
    describes: str
    memory: Callable[[nn.Module, Tensor], Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes)."""
        seen = self.features(x) if self.memory is None else self.memory(self.features, x)
        logits: Tensor = self.head(seen)
        return logits

    def answer(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, classes), and what the network saw of each image before it chose a class, (n, values)."""
        seen: Tensor = self.features[: self.described](x)
        means: Tensor = seen.mean((2, 3))
        logits: Tensor = self.head(self.features[self.described :](seen))
        return logits, means

    def drop(self, rate: float) -> None:
        """While training, leave out this share of the values where the head has a dropout."""
        for module in self.head.modules():
            if isinstance(module, nn.Dropout):
                module.p = rate

    @property
    def settled(self) -> bool:
        """Whether its structure is what it will be; only then an epoch can be the best."""
        return True

    def advance(self, share: float) -> None:
        """So much of the training is done, 0 to 1: a network whose structure is learnt changes it now."""

    def convert(self) -> None:
        """Become what is exported: the same answers from plain layers; nothing to do for most."""


class Scale(nn.Module):
    """(n, values) → (n, values): each times a weight of its own, and shifted; at first as it is."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(values)), nn.Parameter(torch.zeros(values))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * self.weight + self.bias

    @torch.no_grad()
    def fit(self, seen: Tensor) -> None:
        """Bring what it is shown, (n, values), to mean 0 and deviation 1; what hardly differs is not blown up."""
        deviation, mean = torch.std_mean(seen, dim=0)
        deviation = deviation.clamp(min=float(deviation.median()) / 10 or 1.0)
        self.weight.copy_(1 / deviation)
        self.bias.copy_(-mean / deviation)


def conv(channels: int, filters: int, kernel: int, *, normalised: bool) -> nn.Sequential:
    """A convolution that keeps height and width, batch normalisation where asked for, and ReLU."""
    return nn.Sequential(*_convolution(channels, filters, kernel, normalised=normalised), nn.ReLU(inplace=True))


class HalvedRelu(nn.Module):
    """ReLU and a 2x2 maximum, (n, c, h, w) → (n, c, h/2, w/2): the same numbers whichever comes first.

    While training, the ReLU comes last, where a quarter of the values is left; for the export it comes first, where
    engines fuse it with the convolution before.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The larger of 0 and the largest of each 2x2 field."""
        pool = nn.functional.max_pool2d
        return torch.relu_(pool(x, 2)) if self.training else pool(torch.relu(x), 2)


def conv_halved(channels: int, filters: int, kernel: int, *, normalised: bool) -> nn.Sequential:
    """A convolution, batch normalisation where asked for, ReLU, and a halving of height and width."""
    return nn.Sequential(*_convolution(channels, filters, kernel, normalised=normalised), HalvedRelu())


def _convolution(channels: int, filters: int, kernel: int, *, normalised: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, filters, kernel, padding=kernel // 2)
    return [convolution, nn.BatchNorm2d(filters)] if normalised else [convolution]


class SqueezeExcite(nn.Module):
    """Weighs the channels by what their averages over all places say: (n, c, h, w), the same shape.

    Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018.

    Args:
        channels: How many.
        reduction: The layer in between has so many times fewer values.
        biased: Whether its two layers have biases.
    """

    def __init__(self, channels: int, reduction: int, *, biased: bool = True) -> None:
        super().__init__()
        between = max(1, channels // reduction)
        self.judge = nn.Sequential(
            nn.Linear(channels, between, bias=biased), nn.ReLU(), nn.Linear(between, channels, bias=biased)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The channels, each times a weight of 0 to 1."""
        return x * torch.sigmoid(self.judge(x.mean((2, 3))))[:, :, None, None]


def dense_head(inputs: int, classes: int) -> nn.Sequential:
    """Dense layers of 256, 128 and 64 with ReLU, then the classes' logits; two dropouts, which drop nothing unasked.

    Source: Mustafaev et al., section IV D, of the Inception-CNN. That their other networks end so, too, is inferred
    from the parameters in Table 10. Its counts of layers, as Keras counts, leave room for two more without any in every
    network but one: dropouts behind the two widest layers are our reading, and their rate is not told.
    """
    return nn.Sequential(
        *(nn.Linear(inputs, 256), nn.Sequential(nn.ReLU(), nn.Dropout(0.0))),
        *(nn.Linear(256, 128), nn.Sequential(nn.ReLU(), nn.Dropout(0.0))),
        *(nn.Linear(128, 64), nn.ReLU()),
        nn.Linear(64, classes),
    )


def transfer_head(inputs: int, classes: int) -> nn.Sequential:
    """A dense layer of 256 with ReLU, a dropout, then the classes' logits.

    Source: Kamel, Hassan and Saeid, sections 3.3, 3.5 and 3.9; their section 3.4 describes another one, once.
    """
    return nn.Sequential(nn.Linear(inputs, 256), nn.Sequential(nn.ReLU(), nn.Dropout(0.0)), nn.Linear(256, classes))


def plain_head(inputs: int, classes: int) -> nn.Sequential:
    """A dropout, then the classes' logits."""
    return nn.Sequential(nn.Dropout(0.0), nn.Linear(inputs, classes))


def initialise(module: nn.Module) -> None:
    """Weights after He et al. for ReLU, biases 0; for `nn.Module.apply`. Mustafaev et al. tell no initial weights."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def initialise_network(network: nn.Module) -> None:
    """Initialise all layers; the last one is left small, so that a network begins undecided."""
    network.apply(initialise)
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    nn.init.normal_(last.weight, std=0.01)


def initialise_as_keras(network: nn.Module) -> None:
    """Weights as Keras begins where nobody says otherwise: after Glorot and Bengio, evenly spread; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


KERAS_EPS, KERAS_MOMENTUM = 1e-3, 0.01
"""What Keras adds to a variance, and how much of a batch's statistics goes into the running ones (it says 0.99)."""


def normalise_as_keras(network: nn.Module) -> None:
    """Batch normalisations count as Keras' do where nobody says otherwise."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = KERAS_EPS, KERAS_MOMENTUM
