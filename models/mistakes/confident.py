"""Which labels are likely wrong, by the probabilities of networks that have not seen them: confident learning.

What is done is cleanlab's: of each class the mean probability of its own labels is the threshold of a sure answer; what
is surely of another class is counted by pairs of classes; of each pair as many labels are doubted as the count says,
those with the largest margin for the other class.
Source: C. G. Northcutt, L. Jiang and I. L. Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels,
Journal of Artificial Intelligence Research 70 (2021).
"""

from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A label that is likely wrong.

    Attributes:
        item: Which of the labels that were given.
        given: The class that it says.
        suggested: The likeliest class.
        self_confidence: Probability of the given class.
        confidence: Probability of the suggested one.
    """

    item: int
    given: int
    suggested: int
    self_confidence: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is to be thought of labels.

    Attributes:
        joint: (classes, classes), how many labels of the row's class are of the column's, as estimated.
        mistakes: The likely wrong ones, the least self-confident first.
    """

    joint: Floats
    mistakes: tuple[Mistake, ...]


def doubts(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> Doubts:
    """Find the labels that are likely wrong. Needs the package cleanlab.

    Args:
        labels: (n,) given classes, as columns.
        probabilities: (n, classes), each row by a network that was not trained on its label.
    """
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # that nothing is said of a class with one label, or none
        return _found(labels.astype(np.int64), np.asarray(probabilities, np.float64))


def _found(given: NDArray[np.int64], scores: Floats) -> Doubts:
    from cleanlab.count import compute_confident_joint  # noqa: PLC0415 - reading documents must not need it
    from cleanlab.filter import find_label_issues  # noqa: PLC0415

    joint = np.asarray(compute_confident_joint(given, scores), np.float64)
    found = find_label_issues(given, scores, return_indices_ranked_by="self_confidence", n_jobs=1)
    return Doubts(joint, tuple(_mistake(int(item), int(given[item]), scores[item]) for item in found))


def _mistake(item: int, given: int, row: Floats) -> Mistake:
    suggested = int(row.argmax())
    return Mistake(item, given, suggested, float(row[given]), float(row[suggested]))
