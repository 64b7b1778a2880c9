"""What a network is taught, epoch by epoch: which images, as what, and how far an answer is from it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.training.augment import Batch, make_batch
from models.training.bag_loss import mean_loss
from models.training.compute import logits_of
from models.training.data import TrainingData
from models.training.draw import Indices, class_weights
from models.training.labels import OPEN
from models.training.lesson import Lesson, deal
from models.training.plan import Change, Plan
from models.training.pseudo import taught_labels

TAUGHT = "taught"


class Course:
    """What of a data set is taught by a plan. After bags, each epoch begins with what the network takes them for.

    Args:
        plan: How to train.
        data: What there is.
        device: Where to compute.
    """

    def __init__(self, plan: Plan, data: TrainingData, device: torch.device) -> None:
        self._plan, self._data, self._device = plan, data, device
        self._taught = data.labels
        self._of_class = _further(plan, data)

    def take_up(self, document: dict[str, Any]) -> None:
        """Go on within an epoch, with what the images were taken for at its begin."""
        if TAUGHT in document:
            self._taught = document[TAUGHT].numpy()

    def state(self) -> dict[str, Any]:
        """What a checkpoint within an epoch must say."""
        return {} if self._taught is self._data.labels else {TAUGHT: torch.from_numpy(self._taught)}

    def begin(self, network: nn.Module, epoch: int) -> None:
        """An epoch, counted from 0, begins: the network says what it takes unlabelled images for, where that is due."""

        def answers(images: Indices) -> NDArray[np.float32]:
            return logits_of(network, self._data, images, self._device, self._plan)

        self._taught = taught_labels(self._plan, self._data, epoch, answers)

    def lesson(self, epoch: int) -> Lesson:
        """The images of an epoch, in steps."""
        return deal(self._plan, self._data, self._taught, epoch)

    def batch(self, lesson: Lesson, epoch: int, step: int) -> Batch:
        """What a step of an epoch is trained on."""
        rng = np.random.default_rng([self._plan.seed, epoch, step])
        chosen, changes = lesson.step(step), self._plan.augmentation
        return make_batch(self._data.images, lesson.labels, chosen, changes, rng, self._of_class)

    def class_weights(self, lesson: Lesson) -> Tensor:
        """Loss weights (classes,) of the labelled images of an epoch; all 1 where the loss is plain."""
        if self._plan.loss == "plain":
            return torch.ones(len(self._data.origin.classes), device=self._device)
        labels = lesson.labels[lesson.images]
        weights = class_weights(labels[labels != OPEN], len(self._data.origin.classes))
        return torch.from_numpy(weights).to(self._device)

    def loss(self, logits: Tensor, labels: Tensor, images: Indices, weights: Tensor) -> Tensor:
        """The mean loss of a step.

        Args:
            logits: (n, classes) float32.
            labels: (n,) of the step's batch.
            images: (n,) which these are.
            weights: (classes,) of this epoch.
        """
        good, parts = self._data.origin.good, self._data.parts
        if good is None or bool((self._taught[images] != OPEN).all()):
            return nn.functional.cross_entropy(logits, labels, weights)
        own = (torch.from_numpy(values[images].astype(np.int64)) for values in (parts.numbers, parts.labels))
        numbers, part_labels = (values.to(self._device) for values in own)
        return mean_loss(logits, labels, numbers, part_labels, weights, good)


def _further(plan: Plan, data: TrainingData) -> dict[int, tuple[Change, ...]]:
    """The changes of single classes by their numbers.

    Raises:
        TrainingError: The plan names a class that the data have not got.
    """
    classes = data.origin.classes
    if strange := sorted(plan.of_class.keys() - set(classes)):
        told = f"no class {', '.join(strange)} to be changed; there are {', '.join(classes)}"
        raise TrainingError("training.bad_plan", told)
    return {classes.index(name): changes for name, changes in plan.of_class.items()}
