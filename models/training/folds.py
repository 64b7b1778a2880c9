"""Folds of a cross-validation: whole groups, stratified by class, the same for the same seed."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError
from models.training.draw import Indices


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
