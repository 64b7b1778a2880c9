"""Scores of a classifier: accuracy, precision, recall, F1, one-vs-rest AUC, and who is taken for whom."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.evaluation.figures.rates import Rate, rate
from station.core.section import Section

Share = float | None
"""0 to 1; None where nothing was there to divide by."""


class ClassScores(Section):
    """How well one class is told from the others."""

    name: str = Field(..., description="The class.")
    samples: int = Field(..., ge=0, description="Samples whose true class it is.")
    recall: Rate = Field(..., description="Of them found as such.")
    precision: Share = Field(..., description="Of the samples called so, the share that are.")
    f1: Share = Field(..., description="Harmonic mean of precision and recall.")
    auc: Share = Field(..., description="Area under the one-vs-rest ROC curve.")


class Classification(Section):
    """How well all classes are told apart."""

    samples: int = Field(..., ge=1, description="Samples judged.")
    accuracy: Rate = Field(..., description="Of them judged rightly.")
    balanced_accuracy: Share = Field(..., description="Mean recall of the classes that have samples.")
    macro_precision: Share = Field(..., description="Mean precision of the classes that have samples.")
    macro_f1: Share = Field(..., description="Mean F1 of the classes that have samples.")
    macro_auc: Share = Field(..., description="Mean AUC of the classes that have one.")
    classes: tuple[ClassScores, ...] = Field(..., description="Class by class.")
    columns: tuple[str, ...] = Field(..., description="What may be answered; the classes first.")
    confusion: tuple[tuple[int, ...], ...] = Field(..., description="A row a true class, a column an answer.")


def classify(
    truth: NDArray[np.integer], found: NDArray[np.integer], scores: NDArray[np.floating], answers: Sequence[str]
) -> Classification:
    """All scores of n samples.

    Args:
        truth: (n,) true classes, numbers from 0.
        found: (n,) answers, numbers into `answers`.
        scores: (n, classes), higher is more of that class; for the AUC alone.
        answers: Names of the answers: the classes, then what is none, such as review.
    """
    names = answers[: scores.shape[1]]
    counts = confusion(truth, found, len(names), len(answers))
    classes = [
        _class_scores(name, number, counts, auc(scores[:, number], truth == number))
        for number, name in enumerate(names)
    ]
    present = [scored for scored in classes if scored.samples]
    return Classification(
        samples=len(truth),
        accuracy=rate(int(np.trace(counts)), len(truth)),
        balanced_accuracy=_mean([scored.recall.share for scored in present]),
        macro_precision=_mean([scored.precision or 0.0 for scored in present]),
        macro_f1=_mean([scored.f1 or 0.0 for scored in present]),
        macro_auc=_mean([scored.auc for scored in present]),
        classes=tuple(classes),
        columns=tuple(answers),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
    )


def confusion(truth: NDArray[np.integer], found: NDArray[np.integer], classes: int, answers: int) -> NDArray[np.int64]:
    """Counts (classes, answers): row is the true class, column the answer."""
    counts = np.zeros((classes, answers), np.int64)
    np.add.at(counts, (truth, found), 1)
    return counts


def auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> Share:
    """Probability that a positive sample scores above a negative one, ties counted half; None without both.

    Source: the Mann-Whitney statistic, which is the area under the ROC curve (Hanley and McNeil 1982).
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[inverse][positive].sum() - positives * (positives + 1) / 2
    return float(np.clip(above / (positives * negatives), 0, 1)) if len(values) > 1 else 0.5


def _class_scores(name: str, number: int, counts: NDArray[np.int64], area: Share) -> ClassScores:
    hits, samples, called = (int(n) for n in (counts[number, number], counts[number].sum(), counts[:, number].sum()))
    return ClassScores(
        name=name,
        samples=samples,
        recall=rate(hits, samples),
        precision=hits / called if called else None,
        f1=2 * hits / (samples + called) if samples + called else None,
        auc=area,
    )


def _mean(values: Sequence[Share]) -> Share:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
