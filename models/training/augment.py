"""Batches for a network: images out of the mapped file, changed at random, as float32 of 0 to 1. Free of torch.

An image's change of brightness and contrast is one look-up table of its 256 grey values, and mirroring is a view, so a
batch costs under a hundredth of a training step, and twice that with another light (`models.training.lamps`). The next
batch is made in a thread while the step computes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.lamps import CHANCES as LIGHT_CHANCES
from models.training.lamps import under_another_lamp
from models.training.plan import Change

GREYS = np.arange(256, dtype=np.float32) / 255
NO_CHANGES: tuple[Change, ...] = ()
CHANCES = 4
"""Numbers of 0 to 1 that one image's changes are drawn from, but for its light."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step is trained on.

    Attributes:
        images: (n, 1, height, width) float32 of 0 to 1.
        labels: (n,) int64.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def make_batch(
    images: NDArray[np.uint8],
    labels: NDArray[np.int16],
    chosen: NDArray[np.intp],
    changes: Sequence[Change],
    rng: np.random.Generator,
) -> Batch:
    """The chosen images, each changed at random.

    Args:
        images: (n, height, width), all of the data set.
        labels: (n,), their classes.
        chosen: Indices of those wanted.
        changes: What may be changed.
        rng: Draws `CHANCES` numbers an image, whatever is changed, and then, for `light`, further ones.
    """
    made = np.empty((len(chosen), 1, *images.shape[1:]), np.float32)
    chances = rng.random((len(chosen), CHANCES))
    lights = rng.random((len(chosen), LIGHT_CHANCES)) if "light" in changes else None
    for place, index in enumerate(chosen):
        image = images[index] if lights is None else under_another_lamp(images[index], lights[place])
        made[place, 0] = change(image, changes, chances[place])
    return Batch(made, labels[chosen].astype(np.int64))


def change(image: NDArray[np.uint8], changes: Sequence[Change], chances: NDArray[np.float64]) -> NDArray[np.float32]:
    """One image (height, width) as float32 of 0 to 1, changed as its `CHANCES` numbers of 0 to 1 say."""
    grey = GREYS
    if "contrast" in changes:
        mean = np.float32(image.mean() / 255)
        grey = (grey - mean) * np.float32(0.85 + 0.3 * chances[2]) + mean
    if "brightness" in changes:
        grey = grey * np.float32(0.7 + 0.6 * chances[3])
    if "mirror" in changes and chances[0] < 0.5:
        image = image[:, ::-1]
    if "upend" in changes and chances[1] < 0.5:
        image = image[::-1]
    return np.asarray(np.clip(grey, 0, 1)[image], np.float32)


def ahead(make: Callable[[int], Batch], begin: int, end: int) -> Iterator[Batch]:
    """The batches of the steps `begin` to `end` - 1 in turn; while one is used, a thread makes the next."""
    if begin >= end:
        return
    with ThreadPoolExecutor(1, "batches") as worker:
        coming = worker.submit(make, begin)
        for step in range(begin + 1, end):
            batch = coming.result()
            coming = worker.submit(make, step)
            yield batch
        yield coming.result()
