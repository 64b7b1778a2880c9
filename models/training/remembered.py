"""What layers that do not learn see of images, each looked at once: where a head learns alone, an epoch takes seconds.

Frozen layers see the same of the same pixels in every epoch. So where a phase trains nothing but the head, and images
are changed in no other way than mirrored and upended, there are four views of each at most, and what the layers see of
them is kept by the hash of the pixels. Trainings of one session whose layers are the same share it: the folds of a
cross-validation, the sizes of a learning curve.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

from models.training.plan import Phase, Plan

FLIPS = frozenset({"mirror", "upend"})
AT_ONCE = 32
"""So many images are looked at together, always as many: what is seen of one does not depend on the others."""
MOST_BYTES = 2 << 30
"""What is kept; what comes later is looked at each time."""


def learns_alone(plan: Plan, phase: Phase) -> bool:
    """Whether in a phase the head alone learns, from few views of each image."""
    return phase.unfrozen_share == 0 and FLIPS.issuperset(plan.augmentation) and not plan.of_class


class Remembered:
    """What some layers, in evaluation mode, saw of images.

    Args:
        most_bytes: What is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._seen: dict[bytes, Tensor] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Of how many images."""
        return len(self._seen)

    def __call__(self, layers: nn.Module, images: Tensor) -> Tensor:
        """What the layers see of images (n, 1, height, width): (n, values) float32, no way back for gradients."""
        keys = [_key(image) for image in images]
        new = {key: number for number, key in enumerate(keys) if key not in self._seen}
        fresh: dict[bytes, Tensor] = {}
        order = list(new)
        for at in range(0, len(order), AT_ONCE):
            some = order[at : at + AT_ONCE]
            fresh |= zip(some, _look(layers, images[[new[key] for key in some]]), strict=True)
        self._keep(fresh)
        return torch.stack([self._seen[key] if key in self._seen else fresh[key] for key in keys]).to(images.device)

    def _keep(self, fresh: dict[bytes, Tensor]) -> None:
        for key, values in fresh.items():
            size = values.numel() * values.element_size()
            if self._bytes + size <= self._most_bytes:
                self._seen[key] = values
                self._bytes += size


class Memories:
    """What the layers of the trainings of one session saw, by what these layers are."""

    def __init__(self) -> None:
        self._of: dict[bytes, Remembered] = {}

    def of(self, layers: nn.Module, plan: Plan) -> Remembered:
        """What layers with these very weights and statistics saw, computed as the plan says."""
        digest = hashlib.blake2b(f"{plan.network} {plan.precision}".encode(), digest_size=16)
        for name, value in layers.state_dict().items():
            digest.update(name.encode())
            digest.update(value.cpu().numpy().tobytes())
        return self._of.setdefault(digest.digest(), Remembered())


def _key(image: Tensor) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image.cpu().numpy()).data, digest_size=16).digest()


def _look(layers: nn.Module, images: Tensor) -> Tensor:
    """What is seen of at most `AT_ONCE` images, on the CPU; the last one fills up what is missing."""
    padded = images[[*range(len(images)), *[len(images) - 1] * (AT_ONCE - len(images))]]
    with torch.no_grad():
        seen: Tensor = layers(padded.contiguous(memory_format=torch.channels_last)).float()
    return torch.from_numpy(seen[: len(images)].cpu().numpy().copy())
