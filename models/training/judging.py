"""How a network does on what it is not trained on: image by image, or part by part where only parts have labels."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.evaluation.figures.calibration import softmax
from models.evaluation.figures.metrics import auc
from models.training.bag_loss import part_losses
from models.training.compute import logits_of
from models.training.data import TrainingData
from models.training.draw import Indices
from models.training.part_answers import verdicts
from models.training.plan import Plan
from station.core.probabilities import columns_of


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out: mean loss, errors by kind, how many images, or parts, there were, and of images the mean AUC.

    The loss is the negative logarithm of the probability of a label. Where no class passes every error is a confusion.
    """

    loss: float
    escapes: int
    overkills: int
    confusions: int
    count: int
    auc: float = 0.0


def judge(network: nn.Module, data: TrainingData, chosen: Indices, device: torch.device, plan: Plan) -> Judged:
    """Judge the chosen images, or the parts that they are of; there may be none.

    The class of highest probability counts, at a tie the defect; of a part Algorithm 1 says it.
    """
    if not len(chosen):
        return Judged(0.0, 0, 0, 0, 0)
    logits = logits_of(network, data, chosen, device, plan)
    if data.judged_by == "parts" and data.origin.good is not None:
        return _by_part(logits, data, chosen, data.origin.good)
    labels = data.labels[chosen]
    loss = nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels.astype(np.int64)))
    judged = _counted(float(loss), columns_of(logits, data.origin.good), labels, data.origin.good)
    return replace(judged, auc=_mean_auc(np.asarray(softmax(logits)), labels))


def _mean_auc(scores: NDArray[np.floating], labels: NDArray[np.signedinteger]) -> float:
    """Of each class against the rest, the mean of those that have one; 0 where none has."""
    areas = [auc(scores[:, number], labels == number) for number in range(scores.shape[1])]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else 0.0


def _by_part(logits: NDArray[np.float32], data: TrainingData, chosen: Indices, good: int) -> Judged:
    _, first, parts = np.unique(data.parts.numbers[chosen], return_index=True, return_inverse=True)
    labels = data.parts.labels[chosen[first]].astype(np.int64)
    losses = part_losses(torch.from_numpy(logits), torch.from_numpy(parts), torch.from_numpy(labels), good)
    names = data.origin.classes
    found = verdicts(np.asarray(softmax(logits), np.float32), parts, names, names[good])
    return _counted(float(losses.mean()), found, labels, good)


def _counted(loss: float, found: NDArray[np.intp], labels: NDArray[np.signedinteger], good: int | None) -> Judged:
    passing = -1 if good is None else good
    escapes, overkills = (
        int(((one == passing) & (other != passing)).sum()) for one, other in ((found, labels), (labels, found))
    )
    wrong = int((found != labels).sum())
    return Judged(loss, escapes, overkills, wrong - escapes - overkills, len(labels))
