"""Cross-validation of a network: every fold is a training in its own folder, so that all goes on after a kill.

A fold judges what the last epoch answers, on images that had no say in anything: no epoch is chosen on them. Where of
some images only their part's class is known, folds judge parts by Algorithm 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.dataset.store import DataSet
from models.errors import TrainingError
from models.evaluation.figures.calibration import softmax
from models.evaluation.figures.metrics import Classification, classify
from models.networks import NETWORKS
from models.training.checkpoint import write_whole
from models.training.compute import logits_of, translated
from models.training.data import TrainingData, select
from models.training.draw import Indices
from models.training.folds import Deal, deal
from models.training.part_answers import part_answers
from models.training.plan import Plan
from models.training.pretrained import InitialWeights
from models.training.session import Session
from models.training.trainer import Training
from models.version import code_version
from station.core.probabilities import columns_of

CROSSVAL = "crossval.json"

PAPER: dict[str, tuple[float, float]] = {
    "efficientnet-v2-s": (99.17, 90.77),
    "inception-v3": (90.34, 63.08),
    "mobilenet-v2": (97.73, 76.92),
    "resnet50": (99.30, 93.85),
    "sca-cnn": (99.01, 96.92),
    "baseline-cnn": (98.51, 94.62),
    "inception-cnn": (99.40, 99.23),
}
"""Percent: 10-fold accuracy of patches, accuracy on 130 whole parts, trained with generated defects (SMHSD-P-GAN).

Source: Mustafaev et al., tables 9 and 10. Without them the baseline reached 89.23 % of the parts (Table 8, SMHSD-P-TA).
"""


class Result(BaseModel):
    """What the documents of cross-validation and comparison say first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str
    trainable_parameters: int
    data_sha256: str
    data_source: str
    code_version: str
    plan: dict[str, Any]


class Crossval(Result):
    """A cross-validation.

    Attributes:
        fold_accuracies: Of each fold.
        mean: Of these.
        deviation: Their standard deviation.
        judged: What was judged: images, or parts where of some images only their part's class is known.
        pooled: All of them, each judged by the network that had not seen it.
        paper_percent: The paper's mean, on its own data; None where it names none.
        right: Of each image or part, fold by fold, whether it was judged rightly, 1 or 0; of one seed all networks have
            the same order.
        training_s: Seconds of training, of all folds together.
    """

    fold_accuracies: tuple[float, ...]
    mean: float
    deviation: float
    judged: Literal["images", "parts"] = "images"
    pooled: Classification
    paper_percent: float | None
    right: tuple[int, ...] = ()
    training_s: float = 0.0


def crossvalidate(
    data: DataSet, plan: Plan, folds: int, folder: Path, session: Session, initial: InitialWeights | None = None
) -> Crossval | None:
    """Train and judge each fold of training and validation; None where the session was stopped.

    Args:
        data: Its training and validation images are dealt to the folds.
        plan: How to train each fold.
        folds: How many there are.
        folder: One folder a fold goes into it, and the result.
        session: Where to compute.
        initial: The weights that each fold begins with; none of these images may have had a say in them.

    Raises:
        TrainingError: A class has too few groups, the plan chooses an epoch, or a training fails.
    """
    if any(phase.patience for phase in plan.phases):
        raise TrainingError("training.bad_plan", "patience: a fold has no validation to end a training by")
    dealt = deal(data, folds, plan.seed, plan.labels)
    judged, seconds = list[_Judged](), 0.0
    for fold in range(folds):
        chosen = select(data, dealt.trained(fold), np.empty(0, np.intp), plan.labels)
        place = folder / f"fold-{fold + 1}"
        left_out = dealt.left_out(data, fold)
        training = session.train(place, plan, chosen, initial)
        if not training.finished:
            return None
        seconds += training.seconds
        answers = _fold_answers(training, chosen, left_out, session)
        judged.append(_judged(data, dealt, left_out, chosen.labels, answers))
        session.tell(f"{place}: {int(judged[-1].right.sum())} of {len(judged[-1].right)} right")
    result = _crossval(data, plan, dealt, judged).model_copy(update={"training_s": round(seconds, 1)})
    write_whole(folder / CROSSVAL, result.model_dump_json(indent=2).encode())
    return result


def _fold_answers(training: Training, data: TrainingData, left_out: Indices, session: Session) -> NDArray[np.float32]:
    with translated(training.folder):
        logits = logits_of(training.network, data, left_out, session.device, training.plan)
    return np.asarray(softmax(logits), np.float32)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a fold judged: (k,) classes and answers, and (k, classes) scores."""

    truth: NDArray[np.int16]
    found: NDArray[np.intp]
    scores: NDArray[np.float32]

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.truth == self.found, np.bool_)


def _judged(
    data: DataSet, dealt: Deal, left_out: Indices, labels: NDArray[np.int16], answers: NDArray[np.float32]
) -> _Judged:
    if dealt.judged == "images":
        return _Judged(labels[left_out], columns_of(answers, data.manifest.good), answers)
    parts = part_answers(data, left_out, answers)
    return _Judged(parts.labels, parts.found, parts.scores)


def _crossval(data: DataSet, plan: Plan, dealt: Deal, judged: Sequence[_Judged]) -> Crossval:
    truth, found, scores = (
        np.concatenate([getattr(one, name) for one in judged]) for name in ("truth", "found", "scores")
    )
    accuracies = [float(one.right.mean()) for one in judged]
    return Crossval(
        **heading(data, plan),
        fold_accuracies=tuple(accuracies),
        mean=float(np.mean(accuracies)),
        deviation=float(np.std(accuracies)),
        judged=dealt.judged,
        pooled=classify(truth, found, scores, data.classes),
        paper_percent=PAPER.get(plan.network, (None, None))[0],
        right=tuple(int(one) for found in judged for one in found.right),
    )


def heading(data: DataSet, plan: Plan) -> dict[str, Any]:
    """The fields of `Result`."""
    network = NETWORKS[plan.network].make(len(data.classes), data.manifest.height, data.manifest.width)
    return {
        "network": plan.network,
        "trainable_parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data_sha256": data.sha256,
        "data_source": data.manifest.source,
        "code_version": code_version(),
        "plan": plan.model_dump(mode="json"),
    }
