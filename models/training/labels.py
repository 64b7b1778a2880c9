"""What the images of a data set are trained as: each by its own label, or by what is known of its part alone.

Of a good part every image is good, and a part of one image shows there what it is. Of a defective part whose patches
nobody labelled it is known only that some show the part's class and that none shows another one: they are bags.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Level, Split
from models.training.draw import Indices
from models.training.plan import LabelUse

OPEN = -1
"""Label of an image of which only its part's class is known."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which images are of one turn of one part, and what that part is.

    Attributes:
        numbers: (n,) int32, the same for the images of one turn.
        labels: (n,) int16, the class of the whole part; -1 where nobody said.
    """

    numbers: NDArray[np.int32]
    labels: NDArray[np.int16]


NO_PARTS = Parts(np.zeros(0, np.int32), np.zeros(0, np.int16))
"""Where every image has its own label."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Which images of the training split were taken for what.

    Attributes:
        by_own_label: Images that are trained as what they are labelled, or what a good part's are.
        by_part_label: Images of which only their part's class is known.
        bags: The parts that these are of.
        left_out: Images that are not trained on: they show too little of a defect, or nobody said anything of use.
        judged_by: What the validation counts.
    """

    by_own_label: int
    by_part_label: int
    bags: int
    left_out: int
    judged_by: Literal["images", "parts"]


def labels_for(data: DataSet, use: LabelUse) -> NDArray[np.int16]:
    """What each image is (n,), by its own label or its part's; `OPEN` where neither tells."""
    if use == "patch":
        return data.labels
    alone = np.bincount(data.parts)[data.parts] == 1
    told = (data.part_labels >= 0) & (alone | (data.part_labels == data.manifest.good))
    unsaid = np.asarray(data.labels == OPEN) & (data.levels == Level.PART)
    by_part = np.ones_like(unsaid) if use == "part" else unsaid
    own = np.full_like(data.labels, OPEN) if use == "part" else data.labels
    return np.where(told & by_part, data.part_labels, own).astype(np.int16)


def rows_for(data: DataSet, split: Split, use: LabelUse) -> Indices:
    """The images of a split that something is known of, rising."""
    if use == "part":
        return np.flatnonzero((data.splits == split) & (data.part_labels >= 0))
    if use == "patch":
        return data.indices(split)
    return np.union1d(data.indices(split), data.unlabelled(split)).astype(np.intp)


def told_for(data: DataSet, use: LabelUse) -> NDArray[np.int16]:
    """The class that each image is trained as (n,), alone or with its part; -1 where neither is known."""
    labels = labels_for(data, use)
    return np.where(labels == OPEN, data.part_labels, labels).astype(np.int16)


def tells_parts_alone(data: DataSet, images: Indices, use: LabelUse) -> bool:
    """Whether of some of these images only their part's class is known, so that parts are judged, and no images."""
    return bool((labels_for(data, use)[images] == OPEN).any())


def whole_parts(data: DataSet, images: Indices) -> Indices:
    """All images of the parts that these are of and that have a label, also those that show too little to be told."""
    numbers = data.parts[images[data.part_labels[images] >= 0]]
    return np.flatnonzero(np.isin(data.parts, numbers) & np.isin(data.splits, data.splits[images]))
