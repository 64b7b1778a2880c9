"""Folds of a cross-validation: whole groups, stratified by class, the same for the same seed.

Images that were made judge nothing. They train wherever nothing that they were made of is judged: a network that learns
from a blended picture has seen the pictures which it was blended of.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.training.draw import Indices
from models.training.labels import rows_for, tells_parts_alone, told_for, whole_parts
from models.training.plan import LabelUse


@dataclass(frozen=True, slots=True)
class Deal:
    """Which images each fold leaves out.

    Attributes:
        usable: (n,) images of training and validation of which something is known, rising; none that were made.
        fold_of: (n,) the fold that each is judged in, from 0.
        judged: Whether images are judged, or parts.
        made: (m,) images that were made, rising.
        judged_of: (m, folds) whether a fold judges anything that an image was made of.
    """

    usable: Indices
    fold_of: NDArray[np.int8]
    judged: Literal["images", "parts"]
    made: Indices
    judged_of: NDArray[np.bool_]

    def left_out(self, data: DataSet, fold: int) -> Indices:
        """The images that a fold judges; of parts all that they have."""
        images = self.usable[self.fold_of == fold]
        return images if self.judged == "images" else whole_parts(data, images)

    def trained(self, fold: int) -> Indices:
        """The images that a fold trains on."""
        own, made = self.usable[self.fold_of != fold], self.made[~self.judged_of[:, fold]]
        return np.sort(np.concatenate([own, made])).astype(np.intp)


def deal(data: DataSet, folds: int, seed: int, use: LabelUse) -> Deal:
    """Deal the images of training and validation to folds, whole groups.

    Raises:
        TrainingError: A class has fewer groups than there are folds.
    """
    known = np.sort(np.concatenate([rows_for(data, split, use) for split in (Split.TRAIN, Split.VALIDATION)]))
    made, usable = known[data.made[known]], known[~data.made[known]]
    fold_of = deal_folds(told_for(data, use)[usable], data.groups[usable], folds, seed, data.classes)
    judged_of = _judged_of(
        data, made, {int(data.groups[row]): int(fold) for row, fold in zip(usable, fold_of, strict=True)}, folds
    )
    judged: Literal["images", "parts"] = "parts" if tells_parts_alone(data, usable, use) else "images"
    return Deal(usable, fold_of, judged, made, judged_of)


def _judged_of(data: DataSet, made: Indices, fold_of_group: dict[int, int], folds: int) -> NDArray[np.bool_]:
    """Whether a fold (m, folds) judges the group of anything that each of these images was made of."""
    files = data.manifest.files
    group_of = {file.sha256: file.group for file in files if file.made is None}
    judged = np.zeros((len(made), folds), np.bool_)
    for row, image in enumerate(made.tolist()):
        making = files[int(data.files[image])].made
        for parent in data.manifest.made_of(making) if making else ():
            if (fold := fold_of_group.get(group_of[parent])) is not None:
                judged[row, fold] = True
    return judged


def deal_folds(
    labels: NDArray[np.int16], groups: NDArray[np.int32], folds: int, seed: int, classes: tuple[str, ...]
) -> NDArray[np.int8]:
    """The fold (n,) of each image, 0 to folds - 1; a group lies in one fold whole, a class evenly in all.

    A group counts as its rarest class. The large groups are dealt first, each to the fold that has the least of its
    class so far, then the least of all.

    Args:
        labels: (n,) class numbers.
        groups: (n,) group numbers.
        folds: How many, at least 2.
        seed: Of the order among groups of one size.
        classes: Names of the classes.

    Raises:
        TrainingError: A class has fewer groups than there are folds.
    """
    counts = np.bincount(labels, minlength=len(classes))
    members: dict[int, Indices] = {int(group): np.flatnonzero(groups == group) for group in np.unique(groups)}
    strata: dict[int, list[int]] = defaultdict(list)
    for group, images in members.items():
        strata[min(np.unique(labels[images]).tolist(), key=lambda label: counts[label])].append(group)
    fold_of = np.full(len(labels), -1, np.int8)
    rng = np.random.default_rng(seed)
    total = np.zeros(folds)
    for label, name in enumerate(classes):
        if len(strata[label]) < folds:
            detail = f"class {name} has {len(strata[label])} groups of images, fewer than {folds} folds"
            raise TrainingError("training.bad_data", detail)
        of_class = np.zeros(folds)
        for group in sorted(rng.permutation(strata[label]).tolist(), key=lambda group: -len(members[group])):
            fold = min(range(folds), key=lambda fold: (of_class[fold], total[fold]))
            fold_of[members[group]] = fold
            of_class[fold] += len(members[group])
            total[fold] += len(members[group])
    return fold_of
