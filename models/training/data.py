"""What a training is given: the images, which of them to train on, which to judge by. Refused before time is spent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.training.draw import Indices, draw_evenly, shares
from models.training.plan import Plan
from station.core.geometry import Geometry


@dataclass(frozen=True, slots=True)
class DataOrigin:
    """What a network is, or was, trained on.

    Attributes:
        sha256: Of the data set's manifest, which names the hash of every file.
        source: Where the images come from.
        classes: Names of the classes, in the order of the network's answers.
        passing: The one with which a part, or picture, is good; None where nobody said, or none is.
        geometry: How the images were cut from a scan; None of pictures that were not, or where nobody wrote it down.
        height: Of the images in px.
        width: Of the images in px.
        parts: Parts, or groups of images, in the training split.
        patches: Images in the training split.
    """

    sha256: str
    source: str
    classes: tuple[str, ...]
    passing: str | None
    geometry: Geometry | None
    height: int
    width: int
    parts: int
    patches: int

    @property
    def good(self) -> int | None:
        """The column of the class that passes, or None."""
        return None if self.passing is None else self.classes.index(self.passing)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Images with their classes, divided in two.

    Attributes:
        images: (n, height, width) uint8, mapped from disk.
        labels: (n,) class numbers.
        train: Indices to train on.
        validation: Indices to judge by; empty for a training of fixed length whose last epoch counts.
        origin: Where they come from.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int16]
    train: Indices
    validation: Indices
    origin: DataOrigin


def divide(data: DataSet) -> TrainingData:
    """The training and the validation split of a data set.

    Raises:
        TrainingError: A class is missing in one of them.
    """
    return select(data, data.indices(Split.TRAIN), data.indices(Split.VALIDATION))


def select(data: DataSet, train: Indices, validation: Indices) -> TrainingData:
    """Chosen images of a data set, for a fold of a cross-validation.

    Raises:
        TrainingError: A class is missing in training, or in a validation that is not empty.
    """
    classes = data.manifest.classes
    for name, indices in (("training", train), ("validation", validation)):
        counts = np.bincount(data.labels[indices], minlength=len(classes))
        missing = [classes[number] for number in np.flatnonzero(counts == 0)]
        if missing and (name == "training" or len(indices)):
            raise TrainingError("training.bad_data", f"{data.folder}: no image of {', '.join(missing)} in {name}")
    if len(classes) < 2:
        raise TrainingError("training.bad_data", f"{data.folder}: one class only, {classes[0]}")
    groups = len(np.unique(data.groups[train]))
    shape = data.manifest.height, data.manifest.width
    geometry = data.manifest.geometry.value if data.manifest.geometry else None
    heading = (data.sha256, data.manifest.source, tuple(classes), data.manifest.passing, geometry)
    origin = DataOrigin(*heading, *shape, groups, len(train))
    return TrainingData(data.images, data.labels, train, validation, origin)


def validation_items(plan: Plan, data: TrainingData) -> Indices:
    """The images judged after each epoch: all, or a fixed draw with the shares of the plan's draws."""
    wanted, there = plan.validation_items, data.validation
    if not wanted or len(there) <= wanted:
        return there
    rng = np.random.default_rng([plan.seed, 0x5A11])
    if plan.draw == "whole":
        return np.sort(rng.choice(there, wanted, replace=False))
    each = shares(len(data.origin.classes), plan.first_class_share, data.origin.good)
    chosen = draw_evenly(data.labels, there, each, wanted, rng)
    return np.unique(chosen)
