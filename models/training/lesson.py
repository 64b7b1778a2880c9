"""The images of one epoch, step by step: single ones, and bags that stay whole. Free of torch.

A bag is the images of one defective part none of which is known to show its defect. Classes have the shares of an even
draw, bags and single images of a class those that they have in the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.data import TrainingData
from models.training.draw import Indices, draw_epoch, draw_evenly, repeatedly, shares
from models.training.labels import OPEN
from models.training.plan import Plan

Labels = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one epoch trains on.

    Attributes:
        images: Indices in the order of their use; those of a bag follow each other, in one step.
        ends: (steps,) where the images of each step end.
        labels: (n,) what each image of the data set is trained to be; `OPEN` in bags.
    """

    images: Indices
    ends: NDArray[np.intp]
    labels: Labels

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.ends)

    def step(self, number: int) -> Indices:
        """The images of a step, counted from 0."""
        return self.images[self.ends[number - 1] if number else 0 : self.ends[number]]


def deal(plan: Plan, data: TrainingData, labels: Labels, epoch: int) -> Lesson:
    """The lesson of an epoch, which follows from the plan's seed, the labels and the epoch's number alone.

    Args:
        plan: How to draw; after its `bag_epochs` no bag is dealt any more.
        data: What there is to train on.
        labels: (n,) what each image is trained to be in this epoch.
        epoch: Counted from 0 over all phases.
    """
    bags = bags_of(data) if epoch < plan.bag_epochs else []
    single = data.train[labels[data.train] != OPEN]
    if bags:
        return _woven(plan, *_draw(plan, data, single, bags, epoch), labels)
    images = draw_epoch(plan, labels, single, len(data.origin.classes), data.origin.good, epoch)
    ends = np.append(np.arange(plan.batch, len(images), plan.batch), len(images))
    return Lesson(images, ends, labels)


def bags_of(data: TrainingData) -> list[Indices]:
    """The images of each defective part that are not labelled; none of a part whose defect a label shows."""
    numbers, images = data.parts.numbers, data.train
    unsaid = images[data.labels[images] == OPEN]
    if not len(unsaid):
        return []
    shown = images[data.labels[images] == data.parts.labels[images]]
    kept = unsaid[~np.isin(numbers[unsaid], numbers[shown])]
    kept = kept[np.argsort(numbers[kept], kind="stable")]
    return [bag for bag in np.split(kept, np.flatnonzero(np.diff(numbers[kept])) + 1) if len(bag)]


def _draw(
    plan: Plan, data: TrainingData, single: Indices, bags: Sequence[Indices], epoch: int
) -> tuple[Indices, list[Indices]]:
    """The single images and the bags of an epoch, each shuffled."""
    rng = np.random.default_rng([plan.seed, epoch])
    if plan.draw == "whole":
        return rng.permutation(single), [bags[number] for number in rng.permutation(len(bags))]
    classes = len(data.origin.classes)
    bag_labels = np.array([data.parts.labels[bag[0]] for bag in bags])
    sizes = np.array([len(bag) for bag in bags])
    in_bags = np.bincount(bag_labels, sizes, minlength=classes)
    alone = np.bincount(data.labels[single], minlength=classes)
    there = in_bags + alone
    wanted = np.where(there, shares(classes, plan.first_class_share, data.origin.good), 0.0)
    wanted *= (plan.items_per_epoch or len(data.train)) / wanted.sum()
    of_bags = wanted * in_bags / np.maximum(there, 1)
    images = draw_evenly(data.labels, single, wanted - of_bags, round((wanted - of_bags).sum()), rng)
    numbers = np.floor(of_bags / sizes.mean() + rng.random(classes)).astype(int)  # in the mean what is wanted
    drawn = [
        repeatedly(np.flatnonzero(bag_labels == label), number, rng) for label, number in enumerate(numbers) if number
    ]
    return images, [bags[number] for number in rng.permutation(np.concatenate([np.zeros(0, np.intp), *drawn]))]


def _woven(plan: Plan, single: Indices, bags: Sequence[Indices], labels: Labels) -> Lesson:
    """Single images and bags spread evenly among each other, and cut into steps of whole bags."""
    units = [*single[:, None], *bags]
    sizes = np.array([len(unit) for unit in units])
    order = np.argsort(np.concatenate([_places(sizes[: len(single)]), _places(sizes[len(single) :])]), kind="stable")
    images = np.concatenate([units[number] for number in order])
    return Lesson(images, _ends(sizes[order], plan.batch), labels)


def _places(sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The middle of each of some pieces that are laid one after the other from 0 to 1."""
    ends = np.cumsum(sizes)
    return np.asarray((ends - sizes / 2) / ends[-1:], np.float64)


def _ends(sizes: NDArray[np.intp], batch: int) -> NDArray[np.intp]:
    """Where steps of at most `batch` images end that take whole pieces; a larger piece is a step of its own."""
    ends, end, began = [], 0, 0
    for size in sizes.tolist():
        if end > began and end + size - began > batch:
            ends.append(end)
            began = end
        end += size
    return np.array([*ends, end], np.intp)
