"""Which images an epoch is made of, and how much each class weighs. Free of torch; all by seeded NumPy."""

import numpy as np
from numpy.typing import NDArray

from models.training.plan import Plan

Indices = NDArray[np.intp]


def draw_epoch(
    plan: Plan, labels: NDArray[np.int16], usable: Indices, classes: int, good: int | None, epoch: int
) -> Indices:
    """Indices of the images of one epoch, shuffled.

    Args:
        plan: Says how to draw.
        labels: (n,) class of every image of the data set.
        usable: Those of them that may be trained on.
        classes: How many classes there are.
        good: The class that passes, or None.
        epoch: Counted from 0 over all phases; with the plan's seed it decides the draw.
    """
    rng = np.random.default_rng([plan.seed, epoch])
    if plan.draw == "whole":
        return rng.permutation(usable)
    count = plan.items_per_epoch or len(usable)
    return draw_evenly(labels, usable, shares(classes, plan.first_class_share, good), count, rng)


def shares(classes: int, share: float, good: int | None) -> NDArray[np.float64]:
    """Share (classes,) of each class in an even draw.

    Args:
        classes: How many there are.
        share: Of the class that passes; 0 for the same as the others.
        good: That class; where there is none, the first has its share.
    """
    own = share or 1 / classes
    each = np.full(classes, (1 - own) / (classes - 1))
    each[good or 0] = own
    return each


def draw_evenly(
    labels: NDArray[np.int16],
    usable: Indices,
    wanted: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
) -> Indices:
    """Draw `count` of the usable images with the wanted share of each class, shuffled.

    A class with fewer images than its share is drawn from repeatedly, each image as often as the others, give or take
    one. Classes without an image leave their share to the others.
    """
    of_class = [usable[labels[usable] == number] for number in range(len(wanted))]
    weights = np.where([len(indices) for indices in of_class], wanted, 0.0)
    numbers = np.floor(weights / weights.sum() * count).astype(int)
    numbers[int(np.argmax(numbers))] += count - numbers.sum()
    drawn = [repeatedly(indices, number, rng) for indices, number in zip(of_class, numbers, strict=True) if number]
    return rng.permutation(np.concatenate(drawn))


def repeatedly(indices: Indices, number: int, rng: np.random.Generator) -> Indices:
    """So many of these, each as often as the others, give or take one; there must be some."""
    rounds = [rng.permutation(indices) for _ in range(-(-number // len(indices)))]
    return np.concatenate(rounds)[:number]


def class_weights(labels: NDArray[np.int16], classes: int) -> NDArray[np.float32]:
    """Loss weights (classes,) of 1/√frequency, 1 on average over the images; 0 for classes that do not occur."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.divide(1, np.sqrt(counts), out=np.zeros_like(counts), where=counts > 0)
    weights *= counts.sum() / (weights * counts).sum()
    return weights.astype(np.float32)
