"""Known networks of timm, with a head of ours.

Source: Mustafaev et al., section V D 2, compare such networks and tell no head of theirs; that of their own network,
256, 128, 64, behind a global average comes out at the parameters of Table 10. Kamel, Hassan and Saeid tell theirs.
Input is one grey channel, spread to -1 to 1.
"""

from typing import Any

import timm
from torch import Tensor, nn

from models.networks.layers import Network, dense_head, initialise_network, transfer_head


class Spread(nn.Module):
    """0 to 1 becomes -1 to 1, for which these networks are made."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * 2 - 1


class Backbone(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits.

    Args:
        name: What timm calls it.
        head: From the length of its answer and the number of classes.
        classes: How many.
        options: Further arguments of timm.
    """

    described, describes = 1, "the mean grey value"

    def __init__(self, name: str, classes: int, *, transfer: bool, **options: Any) -> None:
        super().__init__()
        arguments: dict[str, Any] = {"in_chans": 1, "num_classes": 0, **options}
        body: Any = timm.create_model(name, pretrained=False, **arguments)  # its size is told by no type
        self.features = nn.Sequential(Spread(), body)
        self.head = (transfer_head if transfer else dense_head)(body.head_hidden_size, classes)
        initialise_network(self.head)


def make(
    name: str, classes: int, height: int, width: int, *, transfer: bool = False, sized: bool = False, **options: Any
) -> Network:
    """An untrained network; see `Backbone`.

    Args:
        name: What timm calls it.
        classes: How many.
        height: Of the images in px.
        width: Of the images in px.
        transfer: Whether it ends as Kamel, Hassan and Saeid tell, and not with 256, 128, 64.
        sized: Whether it is made for one size of images, and does not average over any.
        options: Further arguments of timm.
    """
    size = {"img_size": (height, width)} if sized else {}
    return Backbone(name, classes, transfer=transfer, **size, **options)
