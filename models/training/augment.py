"""Batches for a network: images out of the mapped file, changed at random, as float32 of 0 to 1. Free of torch.

An image's change of brightness and contrast is one look-up table of its 256 grey values, and mirroring is a view, so a
batch costs under a hundredth of a training step, and twice that with another light (`models.training.lamps`). The next
batch is made in a thread while the step computes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.training.lamps import CHANCES as LIGHT_CHANCES
from models.training.lamps import under_another_lamp
from models.training.plan import Change
from models.training.warps import CHANCES as PLACE_CHANCES
from models.training.warps import LAID_OVER, MOVING, laid_over, moved

GREYS = np.arange(256, dtype=np.float32) / 255
NO_CHANGES: tuple[Change, ...] = ()
NO_FURTHER: Mapping[int, Sequence[Change]] = MappingProxyType({})
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
    of_class: Mapping[int, Sequence[Change]] = NO_FURTHER,
) -> Batch:
    """The chosen images, each changed at random.

    Args:
        images: (n, height, width), all of the data set.
        labels: (n,), their classes.
        chosen: Indices of those wanted.
        changes: What may be changed.
        rng: Draws `CHANCES` numbers an image, whatever is changed, and then, for `light` and for the changes of
            `models.training.warps`, further ones.
        of_class: What may be changed besides in images of a class, by its number.
    """
    every = {*changes, *(one for further in of_class.values() for one in further)}
    made = np.empty((len(chosen), 1, *images.shape[1:]), np.float32)
    chances = rng.random((len(chosen), CHANCES))
    lights = rng.random((len(chosen), LIGHT_CHANCES)) if "light" in every else None
    places = rng.random((len(chosen), PLACE_CHANCES)) if not (MOVING | LAID_OVER).isdisjoint(every) else None
    for place, index in enumerate(chosen):
        own = (*changes, *of_class.get(int(labels[index]), ()))
        image = images[index]
        if lights is not None and "light" in own:
            image = under_another_lamp(image, lights[place])
        if places is not None and not MOVING.isdisjoint(own):
            image = moved(image, own, places[place])
        changed = change(image, own, chances[place])
        made[place, 0] = changed if places is None else laid_over(changed, own, places[place])
    return Batch(made, labels[chosen].astype(np.int64))


def change(image: NDArray[np.uint8], changes: Sequence[Change], chances: NDArray[np.float64]) -> NDArray[np.float32]:
    """One image (height, width) as float32 of 0 to 1, changed as its `CHANCES` numbers of 0 to 1 say."""
    grey = GREYS
    if "contrast" in changes:
        mean = np.float32(image.mean() / 255)
        grey = (grey - mean) * np.float32(0.85 + 0.3 * chances[2]) + mean
    if "brightness" in changes:
        grey = grey * np.float32(0.7 + 0.6 * chances[3])
    if "exposure" in changes:
        grey = grey * np.float32(0.6 + 0.8 * chances[3])
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
