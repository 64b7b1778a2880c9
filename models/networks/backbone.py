"""A known network of timm, a global average, and the dense layers of the Inception-CNN: 256, 128, 64, the classes.

Source: Mustafaev et al., section V D 2, compare such networks and tell no head of theirs; this one comes out at the
parameters of Table 10. Input is one grey channel, spread to -1 to 1.
"""

from typing import Any

import timm
from torch import Tensor, nn

from models.networks.layers import Network, dense_head, initialise_network


class Spread(nn.Module):
    """0 to 1 becomes -1 to 1, for which these networks are made."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * 2 - 1


class Backbone(Network):
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits.

    Args:
        name: What timm calls it.
        classes: How many.
        options: Further arguments of timm.
    """

    described, describes = 1, "the mean grey value"

    def __init__(self, name: str, classes: int, **options: str) -> None:
        super().__init__()
        arguments: dict[str, Any] = {"in_chans": 1, "num_classes": 0, **options}
        body: Any = timm.create_model(name, pretrained=False, **arguments)  # its size is told by no type
        self.features = nn.Sequential(Spread(), body)
        self.head = dense_head(body.head_hidden_size, classes)
        initialise_network(self.head)
