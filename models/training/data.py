"""What a training is given: the images, which of them to train on, which to judge by. Refused before time is spent."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.training.draw import Indices, draw_evenly, shares
from models.training.labels import NO_PARTS, OPEN, Parts, Taken, labels_for, rows_for, whole_parts
from models.training.plan import LabelUse, Plan
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
        labels: (n,) class numbers; `OPEN` where only the class of the image's part is known.
        train: Indices to train on.
        validation: Indices to judge by; empty for a training of fixed length whose last epoch counts.
        origin: Where they come from.
        parts: Which images are of one part, and its class.
        judged_by: Whether the validation judges image by image, or whole parts.
        left_out: How many images of the training split are not trained on.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int16]
    train: Indices
    validation: Indices
    origin: DataOrigin
    parts: Parts = NO_PARTS
    judged_by: Literal["images", "parts"] = "images"
    left_out: int = 0

    @property
    def taken(self) -> Taken:
        """Which images are taken for what."""
        unsaid = self.train[self.labels[self.train] == OPEN]
        bags = len(np.unique(self.parts.numbers[unsaid])) if len(unsaid) else 0
        return Taken(len(self.train) - len(unsaid), len(unsaid), bags, self.left_out, self.judged_by)

    @property
    def to_judge(self) -> int:
        """How many images, or parts, there are to judge by."""
        return len(np.unique(self.judged_in)) if len(self.validation) else 0

    @property
    def judged_in(self) -> NDArray[np.intp]:
        """What each image of the validation is judged in: its part's number, or its own."""
        own = self.parts.numbers[self.validation] if self.judged_by == "parts" else self.validation
        return np.asarray(own, np.intp)


def divide(data: DataSet, use: LabelUse = "auto") -> TrainingData:
    """The training and the validation split of a data set, by the labels that are to be used.

    Raises:
        TrainingError: A class is missing in one of them.
    """
    train = rows_for(data, Split.TRAIN, use)
    divided = select(data, train, rows_for(data, Split.VALIDATION, use), use)
    return replace(divided, left_out=int((data.splits == Split.TRAIN).sum()) - len(train))


def select(data: DataSet, train: Indices, validation: Indices, use: LabelUse = "auto") -> TrainingData:
    """Chosen images of a data set, for a fold of a cross-validation, or a part of it.

    Where the validation has images of which only the part's class is known, it judges parts, and those whole.

    Args:
        data: The data set.
        train: Those to train on; of `rows_for` of the same use, parts whole.
        validation: Those to judge by, likewise; may be empty.
        use: Which labels are to be used.

    Raises:
        TrainingError: A class is missing in training, or in a validation that is not empty, or part labels tell nothing
            because no class passes.
    """
    labels = labels_for(data, use)
    whole = use == "part" or bool((labels[validation] == OPEN).any())
    if whole:
        validation = whole_parts(data, validation)
    _refuse_gaps(data, "training", np.where(labels == OPEN, data.part_labels, labels)[train])
    if len(validation):
        _refuse_gaps(data, "validation", (data.part_labels if whole else labels)[validation])
    if data.manifest.good is None and (whole or bool((labels[train] == OPEN).any())):
        told = "no class passes, and without one the class of a part says nothing of its images"
        raise TrainingError("training.bad_data", f"{data.folder}: {told}; make the data set with --passing")
    parts = Parts(data.parts, data.part_labels)
    judged_by: Literal["images", "parts"] = "parts" if whole else "images"
    return TrainingData(data.images, labels, train, validation, _origin(data, train), parts, judged_by)


def _refuse_gaps(data: DataSet, name: str, labels: NDArray[np.int16]) -> None:
    classes = data.manifest.classes
    counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    if missing := [classes[number] for number in np.flatnonzero(counts == 0)]:
        raise TrainingError("training.bad_data", f"{data.folder}: no image of {', '.join(missing)} in {name}")


def _origin(data: DataSet, train: Indices) -> DataOrigin:
    manifest = data.manifest
    geometry = manifest.geometry.value if manifest.geometry else None
    heading = (data.sha256, manifest.source, tuple(manifest.classes), manifest.passing, geometry)
    return DataOrigin(*heading, manifest.height, manifest.width, len(np.unique(data.groups[train])), len(train))


def validation_items(plan: Plan, data: TrainingData) -> Indices:
    """The images judged after each epoch: all, or a fixed draw with the shares of the plan's draws; of parts whole."""
    wanted, there = plan.validation_items, data.validation
    if not wanted or len(there) <= wanted:
        return there
    units, first = np.unique(data.judged_in, return_index=True)
    labels = (data.parts.labels if data.judged_by == "parts" else data.labels)[there[first]]
    chosen = _chosen(plan, data, labels, max(1, wanted * len(units) // len(there)))
    return there[np.isin(data.judged_in, units[chosen])]


def _chosen(plan: Plan, data: TrainingData, labels: NDArray[np.int16], count: int) -> Indices:
    """So many of the labelled images or parts, at most."""
    rng = np.random.default_rng([plan.seed, 0x5A11])
    everything = np.arange(len(labels))
    if plan.draw == "whole":
        return rng.choice(everything, count, replace=False)
    each = shares(len(data.origin.classes), plan.first_class_share, data.origin.good)
    return draw_evenly(labels, everything, each, count, rng)
