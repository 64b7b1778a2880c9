"""A known network of timm, a global average, and the dense layers of the Inception-CNN: 256, 128, 64, the classes.

Source: Mustafaev et al., section V D 2, compare such networks and tell no head of theirs; this one comes out at the
parameters of Table 10. Input is one grey channel, spread to -1 to 1.
"""

import timm
from torch import Tensor, nn

from models.networks.layers import dense_head, initialise_network


class Spread(nn.Module):  # type: ignore[misc] # torch is an extra, unknown to mypy
    """0 to 1 becomes -1 to 1, for which these networks are made."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * 2 - 1


class Backbone(nn.Module):  # type: ignore[misc]
    """(n, 1, height, width) float of 0 to 1 → (n, classes) logits.

    Args:
        name: What timm calls it.
        classes: How many.
        options: Further arguments of timm.
    """

    def __init__(self, name: str, classes: int, **options: str) -> None:
        super().__init__()
        body = timm.create_model(name, pretrained=False, in_chans=1, num_classes=0, **options)
        self.features = nn.Sequential(Spread(), body)
        self.head = dense_head(body.head_hidden_size, classes)
        initialise_network(self.head)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes)."""
        logits: Tensor = self.head(self.features(x))
        return logits
