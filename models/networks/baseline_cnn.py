"""A baseline CNN after the paper's: seven convolutions, each followed by a halving of the image, and the dense layers.

Source: Mustafaev et al., section V and Table 10 (5.12 M parameters, 24 layers). The paper gives no table of its layers;
filters 32, 32, 128, 256, 256, 512, 512 with kernels 5, 5, 5, 3, 3, 3, 3 come out at that size. Its 24 layers have room
for one batch normalisation; here every convolution has one, because without them the network did not begin to learn in
the few steps that were tried (see models/README.md). So this is not the paper's network.
"""

from torch import nn

from models.networks.layers import Network, conv_halved, dense_head, initialise_network

FILTERS = (32, 32, 128, 256, 256, 512, 512)
KERNELS = (5, 5, 5, 3, 3, 3, 3)


class BaselineCnn(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits.

    Args:
        classes: How many.
        height: Of the images in px, at least 128.
        width: Of the images in px, at least 128.
    """

    described, describes = 2, "means of the feature maps after two halvings"

    def __init__(self, classes: int, height: int, width: int) -> None:
        super().__init__()
        channels = (1, *FILTERS[:-1])
        self.features = nn.Sequential(
            *(conv_halved(*layer, normalised=True) for layer in zip(channels, FILTERS, KERNELS, strict=True)),
            nn.Flatten(),
        )
        halvings = len(FILTERS)
        self.head = dense_head(FILTERS[-1] * (height >> halvings) * (width >> halvings), classes)
        initialise_network(self)


def make(classes: int, height: int, width: int) -> Network:
    """An untrained network; see `BaselineCnn`."""
    return BaselineCnn(classes, height, width)
