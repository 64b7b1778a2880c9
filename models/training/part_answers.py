"""What networks answer of whole parts, where the classes of single images say nothing, or not all.

Algorithm 1 gives a part's class; how likely each class is follows from its images as in `models.training.bag_loss`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet
from models.errors import TrainingError
from models.evaluation.figures.metrics import Classification, classify
from models.meaning import meaning_of, own_table
from models.training.draw import Indices
from station.core.algorithm1 import algorithm1

LEAST = 1e-37
"""Of a probability, before its logarithm is taken."""


@dataclass(frozen=True, slots=True)
class PartAnswers:
    """Whole parts, as a network answers their images.

    Attributes:
        images: (parts,) of each the image that passes least, by its index in the data set.
        labels: (parts,) the classes that the parts are said to be of.
        found: (parts,) what Algorithm 1 calls them.
        scores: (parts, classes) of a defect the highest of an image, of what passes the lowest; for the AUC.
        probabilities: (parts, classes) how likely each class is.
    """

    images: Indices
    labels: NDArray[np.int16]
    found: NDArray[np.intp]
    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def verdicts(
    answers: NDArray[np.float32], parts: NDArray[np.intp], classes: tuple[str, ...], passing: str
) -> NDArray[np.intp]:
    """What Algorithm 1 calls each part (parts,).

    Args:
        answers: (n, classes) probabilities of images.
        parts: (n,) which part each image is of, from 0.
        classes: Names of the columns.
        passing: The one of them with which a part is good.
    """
    outputs = meaning_of(classes, own_table(classes, passing), "the network").outputs
    order = np.argsort(parts, kind="stable")
    of_parts = np.split(answers[order], np.flatnonzero(np.diff(parts[order])) + 1)
    return np.array([classes.index(algorithm1(own, outputs).verdict.name) for own in of_parts])


def part_answers(data: DataSet, images: Indices, answers: NDArray[np.float32]) -> PartAnswers:
    """The parts that some images are of; those whose class nobody said are left out.

    Args:
        data: The data set.
        images: (n,) all images of each part, in any order.
        answers: (n, classes) their probabilities.

    Raises:
        TrainingError: No class passes, so that the class of a part says nothing of its images.
    """
    good, passing = data.manifest.good, data.manifest.passing
    if good is None or passing is None:
        raise TrainingError("training.bad_data", f"{data.folder}: no class passes; make the data set with --passing")
    known = np.flatnonzero(data.part_labels[images] >= 0)
    order = known[np.argsort(data.parts[images[known]], kind="stable")]
    images, answers = images[order], answers[order]
    _, first, parts = np.unique(data.parts[images], return_index=True, return_inverse=True)
    scores = np.maximum.reduceat(answers, first)
    scores[:, good] = np.minimum.reduceat(answers[:, good], first)
    least = np.lexsort((answers[:, good], parts))[first]
    found = verdicts(answers, parts, data.classes, passing)
    return PartAnswers(
        images[least], data.part_labels[images[first]], found, scores, _likely(answers, parts, good)
    )  # fmt: skip


def classified(data: DataSet, images: Indices, answers: NDArray[np.float32]) -> Classification:
    """The scores of whole parts; arguments and errors as for `part_answers`."""
    parts = part_answers(data, images, answers)
    return classify(parts.labels, parts.found, parts.scores, data.classes)


def _likely(answers: NDArray[np.float32], parts: NDArray[np.intp], good: int) -> NDArray[np.float32]:
    """The chance of each class (parts, classes): every image passes or is of it, and not all of them pass."""
    passes = np.maximum(answers[:, good].astype(np.float64), LEAST)
    both = np.log(passes[:, None] + answers)
    both[:, good] = np.log(passes)
    no_other = np.stack([np.bincount(parts, column) for column in both.T], axis=1)
    all_pass = no_other[:, [good]]
    some = np.log(np.maximum(-np.expm1(np.minimum(all_pass - no_other, 0)), LEAST))
    some[:, good] = 0
    chances = no_other + some
    chances = np.exp(chances - chances.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), np.float32)
