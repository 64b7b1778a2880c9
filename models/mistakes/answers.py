"""What networks answer on images that they were not trained on. Needs torch.

Of a cross-validation every image of training and validation, by the network of the fold that left it out; of a training
the images of validation and test. Where of some of them only their part's class is known, these are whole parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from models.dataset.store import DataSet, Split
from models.errors import TrainingError
from models.evaluation.figures.calibration import softmax
from models.training.checkpoint import BEST, LAST, load_network
from models.training.compute import logits_of, translated
from models.training.crossval import CROSSVAL, Crossval
from models.training.data import TrainingData, select
from models.training.draw import Indices
from models.training.folds import deal
from models.training.labels import labels_for, rows_for, tells_parts_alone, whole_parts
from models.training.part_answers import part_answers
from models.training.plan import LabelUse, Plan

NONE = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on labels of a data set.

    Attributes:
        images: (n,) which of the data set's images; of a part the one that passes least.
        labels: (n,) what they are labelled.
        probabilities: (n, classes) float32.
        source: By what, in words.
    """

    images: Indices
    labels: NDArray[np.int16]
    probabilities: NDArray[np.float32]
    source: str


def answers_of(folder: Path, data: DataSet, device: torch.device, tell: Callable[[str], None]) -> Answers:
    """The answers of a cross-validation's folder, or of a training's.

    Args:
        folder: What `station model crossval`, or `train`, has left.
        data: The data set that they were trained on.
        device: Where to compute.
        tell: Told how far it is.

    Raises:
        TrainingError: Neither lies there, it is not done, or it was trained on another data set.
    """
    if (folder / CROSSVAL).is_file():
        return _of_folds(folder, data, device, tell)
    if (folder / BEST).is_file():
        return _of_training(folder, data, device, tell)
    told = f"{folder}: neither {CROSSVAL} nor {BEST} is there; give a cross-validation or a training that is done"
    raise TrainingError("training.bad_checkpoint", told)


def _of_folds(folder: Path, data: DataSet, device: torch.device, tell: Callable[[str], None]) -> Answers:
    result = _read(folder / CROSSVAL)
    plan, folds = Plan.model_validate(result.plan), len(result.fold_accuracies)
    dealt = deal(data, folds, plan.seed, plan.labels)
    images, answers = list[Indices](), list[NDArray[np.float32]]()
    for fold in range(folds):
        path = folder / f"fold-{fold + 1}" / LAST
        images.append(dealt.left_out(data, fold))
        chosen = select(data, dealt.trained(fold), NONE, plan.labels)
        answers.append(_answers(path, chosen, images[-1], device))
        tell(f"{path.parent}: {len(images[-1])} images")
    source = f"{folds}-fold cross-validation of {result.network} in {folder}"
    return _labelled(data, np.concatenate(images), np.concatenate(answers), source, plan.labels)


def _of_training(folder: Path, data: DataSet, device: torch.device, tell: Callable[[str], None]) -> Answers:
    plan = load_network(folder / BEST)[1].plan
    held = held_out(data, plan.labels)
    if not len(held):
        raise TrainingError("training.bad_data", f"{data.folder}: no image of validation or test; cross-validate")
    trained = rows_for(data, Split.TRAIN, plan.labels)
    chosen = select(data, trained, rows_for(data, Split.VALIDATION, plan.labels), plan.labels)
    answers = _answers(folder / BEST, chosen, held, device)
    tell(f"{folder}: {len(held)} images of validation and test")
    source = f"training in {folder}, on the images of validation and test"
    return _labelled(data, held, answers, source, plan.labels)


def held_out(data: DataSet, use: LabelUse) -> Indices:
    """The images of validation and test, rising; where of some only their part's class is known, all of each part."""
    images = np.sort(np.concatenate([rows_for(data, split, use) for split in (Split.VALIDATION, Split.TEST)]))
    return whole_parts(data, images) if tells_parts_alone(data, images, use) else images


def _labelled(data: DataSet, images: Indices, answers: NDArray[np.float32], source: str, use: LabelUse) -> Answers:
    if tells_parts_alone(data, images, use):
        parts = part_answers(data, images, answers)
        return Answers(parts.images, parts.labels, parts.probabilities, source)
    order = np.argsort(images)
    return Answers(images[order], labels_for(data, use)[images[order]], answers[order], source)


def _answers(path: Path, chosen: TrainingData, images: Indices, device: torch.device) -> NDArray[np.float32]:
    network, info = load_network(path)
    if info.data != chosen.origin:
        mine, other = chosen.origin.sha256[:12], info.data.sha256[:12]
        told = f"{path}: trained on {info.data.patches} images of {other}, not {chosen.origin.patches} of {mine}"
        raise TrainingError("training.bad_data", told)
    with translated(path.parent):
        network.to(device).to(memory_format=torch.channels_last)
        return np.asarray(softmax(logits_of(network, chosen, images, device, info.plan)), np.float32)


def _read(path: Path) -> Crossval:
    try:
        return Crossval.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingError("training.bad_checkpoint", f"{path}: {error}") from error
