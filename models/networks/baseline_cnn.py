"""The baseline CNN of the paper: seven convolutions, each followed by a halving of the image, and the dense layers.

Source: Mustafaev et al., section V and Table 10 (5.12 M parameters, 24 layers). The paper gives no table of its layers.
Filters 32, 32, 128, 256, 256, 512, 512 with kernels 5, 5, 5, 3, 3, 3, 3 come out at that size, and the count of layers,
as Keras counts, leaves room for one normalisation, which we put behind the first convolution, as in the Inception-CNN.
Beside it stands one with a normalisation after every convolution, which learns from far fewer images.
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
        normalised: Whether every convolution is followed by batch normalisation, and not the first one alone.
    """

    described, describes = 2, "means of the feature maps after two halvings"

    def __init__(self, classes: int, height: int, width: int, *, normalised: bool) -> None:
        super().__init__()
        channels = (1, *FILTERS[:-1])
        self.features = nn.Sequential(
            *(
                conv_halved(*layer, normalised=normalised or number == 0)
                for number, layer in enumerate(zip(channels, FILTERS, KERNELS, strict=True))
            ),
            nn.Flatten(),
        )
        halvings = len(FILTERS)
        self.head = dense_head(FILTERS[-1] * (height >> halvings) * (width >> halvings), classes)
        initialise_network(self)


def make(classes: int, height: int, width: int, *, normalised: bool = False) -> Network:
    """An untrained network; see `BaselineCnn`."""
    return BaselineCnn(classes, height, width, normalised=normalised)
