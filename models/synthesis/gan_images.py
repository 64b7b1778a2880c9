"""The images that a generator learns from: those of a class that train and that a camera took.

A class of ten pictures is not enlarged beforehand, as the paper does with 10,000 copies: each draw is mirrored, turned
upside down and changed in light at random, which comes to the same and takes no disk.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.synthesis.gan_plan import GanPlan

LEAST = 3
"""Of fewer images nothing can be learnt but these."""
BRIGHTNESS, CONTRAST = 0.1, 0.1
"""Grey values are multiplied, and spread about their mean, by up to so much more or less."""


@dataclass(frozen=True, slots=True)
class Originals:
    """What is learnt from.

    Attributes:
        images: (n, px, px) uint8.
        sha256: Of the files that they were taken from, each once, in the order of the data set.
        data_sha256: Of the data set's manifest.
        source: Where they come from, for people.
    """

    images: NDArray[np.uint8]
    sha256: tuple[str, ...]
    data_sha256: str
    source: str

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """So many of them (count, 1, px, px) of -1 to 1, each changed at random."""
        chosen = self.images[rng.integers(0, len(self.images), count)].astype(np.float32)
        up, right = rng.choice((1, -1), (2, count))
        flipped = np.stack([image[::down, ::across] for image, down, across in zip(chosen, up, right, strict=True)])
        means = flipped.mean((1, 2), keepdims=True)
        spread, light = (1 + rng.uniform(-most, most, (2, count, 1, 1))[0] for most in (CONTRAST, BRIGHTNESS))
        changed = ((flipped - means) * spread + means) * light
        return np.asarray(np.clip(changed, 0, 255) / 127.5 - 1, np.float32)[:, np.newaxis]


def originals_for(data: DataSet, plan: GanPlan) -> Originals:
    """The images of a plan's classes.

    Raises:
        TrainingError: A class is none of the data set's defects, or too few images of it train.
    """
    defects = [name for name in data.classes if name != data.manifest.passing]
    if strange := [name for name in plan.classes if name not in defects]:
        told = f"{', '.join(strange)}: not a class of defects of {data.folder}; these are {', '.join(defects)}"
        raise TrainingError("training.bad_plan", told)
    train = data.taken(Split.TRAIN)
    numbers = [data.classes.index(name) for name in plan.classes]
    rows = train[np.isin(data.labels[train], numbers)]
    if len(rows) < LEAST:
        told = f"{data.folder}: {len(rows)} images of {', '.join(plan.classes)} train, at least {LEAST} are needed"
        raise TrainingError("training.bad_data", told)
    files = dict.fromkeys(data.manifest.files[int(number)].sha256 for number in data.files[rows])
    images = np.stack([_fitted(np.asarray(data.images[row], np.uint8), plan.px) for row in rows.tolist()])
    return Originals(images, tuple(files), data.sha256, data.manifest.source)


def _fitted(image: NDArray[np.uint8], px: int) -> NDArray[np.uint8]:
    if image.shape == (px, px):
        return image
    return np.asarray(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA), np.uint8)
