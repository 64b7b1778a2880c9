"""The networks that can be trained, by name. Needs torch: training only, never the running station."""

from collections.abc import Callable

from torch import nn

from models.networks.inception_cnn import InceptionCnn

NETWORKS: dict[str, Callable[[], nn.Module]] = {"inception-cnn": InceptionCnn}
"""Makes an untrained network: input (n, 1, 256, 256) float of 0 to 1, output (n, 5) logits."""
