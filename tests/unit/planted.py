"""Parts of noise on which a class shows as a bright bar of its own place: data of which everything is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.data import DataOrigin, TrainingData
from models.training.labels import OPEN, Parts

PLANTED = ("bar_left", "good", "bar_right")
GOOD = 1
PATCHES = 8
SIDE = 64


def planted_parts(each: int, seed: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.int16], Parts]:
    """Images (n, 64, 64), the class of each, and the parts that they are of.

    Args:
        each: Parts of each class, in turn; a defective one shows its bar in two of its eight patches.
        seed: Of the noise and the places.
    """
    rng = np.random.default_rng(seed)
    part_labels = np.tile(np.arange(len(PLANTED), dtype=np.int16), each)
    labels = np.full((len(part_labels), PATCHES), GOOD, np.int16)
    for own, label in zip(labels, part_labels, strict=True):
        own[rng.choice(PATCHES, 2, replace=False)] = label
    flat = labels.ravel()
    images = rng.integers(60, 120, (len(flat), SIDE, SIDE)).astype(np.uint8)
    images[flat == 0, 8:56, 8:16] = 220
    images[flat == 2, 8:56, 48:56] = 220
    numbers = np.repeat(np.arange(len(part_labels), dtype=np.int32), PATCHES)
    return images, flat, Parts(numbers, np.repeat(part_labels, PATCHES))


def planted_data(each: int = 8, judged: int = 4, **changes: Any) -> TrainingData:
    """Parts of which only their own class is known; the last of each class are for validation."""
    images, _, parts = planted_parts(each)
    labels = np.where(parts.labels == GOOD, GOOD, OPEN).astype(np.int16)
    cut = (each - judged) * len(PLANTED) * PATCHES
    everything = np.arange(len(images))
    origin = DataOrigin("ab" * 32, "noise", PLANTED, "good", None, SIDE, SIDE, cut // PATCHES, cut)
    fields: dict[str, Any] = {
        "images": images, "labels": labels, "train": everything[:cut], "validation": everything[cut:],
        "origin": origin, "parts": parts, "judged_by": "parts",
    }  # fmt: skip
    return TrainingData(**(fields | changes))
