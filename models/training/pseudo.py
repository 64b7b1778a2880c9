"""Pseudo-labels: what the network itself takes the images of bags for, once it has learnt from whole bags.

An image is labelled by how likely it shows the part's class, given that one of the bag does; the likeliest of a bag is
always taken to show it. What is neither likely nor unlikely is left out. So all patches that show a defect are learnt
from, where the loss of a bag is content with one. Free of torch.
Source: self-training of instance classifiers, as in Feng, Hong and Zheng, MIST, CVPR 2021; the limits are ours.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.training.data import TrainingData
from models.training.draw import Indices
from models.training.labels import OPEN
from models.training.plan import Plan

SHOWS, FREE = 0.5, 0.05
"""An image that shows the class with this probability at least, or at most, is labelled so."""


def taught_labels(
    plan: Plan, data: TrainingData, epoch: int, answers: Callable[[Indices], NDArray[np.float32]]
) -> NDArray[np.int16]:
    """What each image (n,) is trained to be in an epoch: as labelled, and after the plan's bag epochs as it is taken.

    Args:
        plan: Says how long bags are learnt from.
        data: With its labels.
        epoch: Counted from 0 over all phases.
        answers: The network's logits (k, classes) for images (k,); asked once, if at all.
    """
    unsaid = data.train[data.labels[data.train] == OPEN]
    if epoch < plan.bag_epochs or not len(unsaid) or data.origin.good is None:
        return data.labels
    labels = data.labels.copy()
    labels[unsaid] = pseudo_labels(data, unsaid, answers(unsaid), data.origin.good)
    return labels


def pseudo_labels(data: TrainingData, images: Indices, logits: NDArray[np.float32], good: int) -> NDArray[np.int16]:
    """The class that each of some unlabelled images (k,) is taken for; `OPEN` where that is not clear.

    Args:
        data: Says of which parts they are.
        images: Their indices.
        logits: (k, classes) of them.
        good: The class that passes.
    """
    own = data.parts.labels[images]
    _, bags = np.unique(data.parts.numbers[images], return_inverse=True)
    surplus = logits[np.arange(len(images)), own].astype(np.float64) - logits[:, good]
    shown = _shown_elsewhere(data, images)
    likely = _given_its_bag(surplus, bags, shown)
    taken = np.where(likely >= SHOWS, own, np.where(likely <= FREE, good, OPEN)).astype(np.int16)
    first = np.lexsort((-surplus, bags))
    first = first[np.append(True, np.diff(bags[first]) > 0)]
    first = first[~shown[first]]
    taken[first] = own[first]
    return taken


def _shown_elsewhere(data: TrainingData, images: Indices) -> NDArray[np.bool_]:
    """Whether a label of another image of the same part shows the part's class (k,)."""
    numbers, train = data.parts.numbers, data.train
    showing = train[data.labels[train] == data.parts.labels[train]]
    return np.isin(numbers[images], numbers[showing])


def _given_its_bag(
    surplus: NDArray[np.float64], bags: NDArray[np.intp], shown: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How likely each image shows its part's class (k,), given that one image of the part does."""
    likely = 1 / (1 + np.exp(-np.clip(surplus, -60, 60)))
    some = -np.expm1(np.bincount(bags, -np.logaddexp(0, surplus)))[bags]
    return np.asarray(np.where(shown, likely, likely / np.maximum(some, likely)), np.float64)
