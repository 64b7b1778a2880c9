"""The parts that a training of a given size gets: whole groups, nested, with the shares of the classes as they are.

Images that were made are no labelled parts, and left out.
"""

from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.training.labels import rows_for, told_for
from models.training.plan import LabelUse


def order_of_groups(data: DataSet, seed: int, use: LabelUse = "auto") -> NDArray[np.int32]:
    """The groups of the training split in an order of which every beginning has the classes' shares.

    The next group is always of the class that lags furthest behind its share; the first ones are one of each class. A
    group counts as its rarest class, so that a part with one defective patch is a defective part.

    Args:
        data: The data set.
        seed: Of the order within a class.
        use: Which labels are used; of parts alone each image counts as its part's class.
    """
    waiting = _by_class(data, seed, use)
    total = sum(map(len, waiting.values()))
    shares = {label: len(groups) / total for label, groups in waiting.items()}
    taken = dict.fromkeys(waiting, 0)
    ordered: list[int] = []
    while len(ordered) < total:
        open_labels = [label for label, groups in waiting.items() if groups]
        label = min(open_labels, key=lambda label: (taken[label] > 0, taken[label] / shares[label], label))
        ordered.append(waiting[label].popleft())
        taken[label] += 1
    return np.array(ordered, np.int32)


def nested(data: DataSet, sizes: Sequence[int], seed: int, use: LabelUse = "auto") -> dict[int, NDArray[np.intp]]:
    """The images that train, rising, by the number of parts; every smaller set lies in the larger ones.

    Raises:
        TrainingError: The sizes do not rise, there are not as many parts, or the smallest cannot hold every class.
    """
    ordered, images = order_of_groups(data, seed, use), _seen(data, use)
    _require_sizes(sizes, len(ordered), len(data.classes))
    groups = data.groups[images]
    return {size: images[np.isin(groups, ordered[:size])] for size in sizes}


def _seen(data: DataSet, use: LabelUse) -> NDArray[np.intp]:
    """The images of the training split that a camera took and something is known of, rising."""
    images = rows_for(data, Split.TRAIN, use)
    return images[~data.made[images]]


def _by_class(data: DataSet, seed: int, use: LabelUse) -> dict[int, deque[int]]:
    """Groups in random order by their rarest class."""
    images = _seen(data, use)
    labels, groups = told_for(data, use)[images], data.groups[images]
    counts = np.bincount(labels, minlength=len(data.classes))
    found: dict[int, list[int]] = defaultdict(list)
    for group in np.unique(groups).tolist():
        found[min(np.unique(labels[groups == group]).tolist(), key=lambda label: counts[label])].append(group)
    rng = np.random.default_rng(seed)
    return {label: deque(rng.permutation(found[label]).tolist()) for label in sorted(found)}


def _require_sizes(sizes: Sequence[int], parts: int, classes: int) -> None:
    if list(sizes) != sorted(set(sizes)):
        raise TrainingError("training.bad_plan", f"sizes {', '.join(map(str, sizes))}: give them rising, each once")
    if sizes[0] < classes:
        raise TrainingError("training.bad_plan", f"{sizes[0]} parts cannot hold {classes} classes")
    if sizes[-1] > parts:
        raise TrainingError("training.bad_data", f"{sizes[-1]} parts are asked for, {parts} are there to train on")
