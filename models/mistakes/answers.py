"""What networks answer on images that they were not trained on. Needs torch.

Of a cross-validation every image of training and validation, by the network of the fold that left it out; of a training
the images of validation and test.
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
from models.training.folds import deal_folds
from models.training.plan import Plan

NONE = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on images of a data set.

    Attributes:
        images: (n,) which of the data set's.
        probabilities: (n, classes) float32.
        source: By what, in words.
    """

    images: Indices
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
    usable = np.sort(np.concatenate([data.indices(Split.TRAIN), data.indices(Split.VALIDATION)]))
    fold_of = deal_folds(data.labels[usable], data.groups[usable], folds, plan.seed, data.classes)
    answers = np.zeros((len(usable), len(data.classes)), np.float32)
    for fold in range(folds):
        left_out = fold_of == fold
        chosen = select(data, usable[~left_out], NONE)
        path = folder / f"fold-{fold + 1}" / LAST
        answers[left_out] = _answers(path, chosen, usable[left_out], device)
        tell(f"{path.parent}: {int(left_out.sum())} images")
    return Answers(usable, answers, f"{folds}-fold cross-validation of {result.network} in {folder}")


def _of_training(folder: Path, data: DataSet, device: torch.device, tell: Callable[[str], None]) -> Answers:
    held = np.sort(np.concatenate([data.indices(Split.VALIDATION), data.indices(Split.TEST)]))
    if not len(held):
        raise TrainingError("training.bad_data", f"{data.folder}: no image of validation or test; cross-validate")
    chosen = select(data, data.indices(Split.TRAIN), data.indices(Split.VALIDATION))
    answers = _answers(folder / BEST, chosen, held, device)
    tell(f"{folder}: {len(held)} images of validation and test")
    return Answers(held, answers, f"training in {folder}, on the images of validation and test")


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
