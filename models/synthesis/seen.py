"""What a network that knows ImageNet sees in pictures: means over all places behind one of its stages.

The paper measures by Inception's last layer, whose 2,048 values would need some ten thousand pictures. Here it is
MobileNetV2 from a file that the user gives, and the deepest stage of which there are four pictures a value. Distances
by other networks or stages are other numbers, so both are told with each.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import TrainingError
from models.networks import NETWORKS
from models.training.pretrained import initial_weights

NETWORK = "mobilenet-v2"
PICTURES_A_VALUE = 4
LEAST = 16
"""Of fewer pictures a distance says nothing."""
PX = 224
"""Pictures are made so high and wide, as ImageNet's are."""
BATCH = 32


@dataclass(frozen=True, slots=True)
class Eye:
    """A network and the stage behind which it is asked.

    Attributes:
        sha256: Of its weights.
        stage: Counted from 1.
        values: That it sees of a picture.
    """

    sha256: str
    stage: int
    values: int

    def __str__(self) -> str:
        """As people read it."""
        return f"{NETWORK} on ImageNet's weights ({self.sha256[:12]}), stage {self.stage}, {self.values} values"


def see(weights: Path, sets: list[NDArray[np.uint8]]) -> tuple[Eye, list[NDArray[np.float32]]]:
    """What the network sees of sets of pictures, each (n, px, px) uint8: as many arrays (n, values).

    Args:
        weights: An archive of MobileNetV2's weights.
        sets: At least `LEAST` pictures in each.

    Raises:
        TrainingError: The file holds other weights, or a set has too few pictures.
    """
    count = min(len(pictures) for pictures in sets)
    if count < LEAST:
        raise TrainingError("training.bad_data", f"{count} pictures in a set; a distance needs at least {LEAST}")
    chosen = initial_weights(weights, NETWORK)
    network = NETWORKS[NETWORK].make(2, PX, PX)
    torch.manual_seed(0)
    chosen(network, _fitted(sets[0][: 4 * BATCH]))
    layers: list[Any] = list(network.eval().features)
    spread, body = layers
    widths = [_width(stage[-1]) for stage in body.blocks]
    fit = [number for number, width in enumerate(widths, 1) if PICTURES_A_VALUE * width <= count]
    stage = max(fit, default=1)
    made = []
    with torch.inference_mode():
        for pictures in sets:
            parts = []
            for start in range(0, len(pictures), BATCH):
                seen = body.bn1(body.conv_stem(spread(_fitted(pictures[start : start + BATCH]))))
                parts.append(body.blocks[:stage](seen).mean((2, 3)))
            made.append(torch.cat(parts).numpy())
    return Eye(chosen.sha256, stage, widths[stage - 1]), made


def _width(block: Any) -> int:
    """Channels that a block answers: its last normalisation's."""
    last = block.bn3 if hasattr(block, "bn3") else block.bn2
    return int(last.num_features)


def _fitted(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """(n, 1, px, px) of 0 to 1."""
    sized = [cv2.resize(picture, (PX, PX), interpolation=cv2.INTER_LINEAR) for picture in pictures]
    return torch.from_numpy(np.stack(sized)).unsqueeze(1).float() / 255
