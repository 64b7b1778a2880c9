"""Comparison of networks on one data set: one plan for all, judged on the test split by image and by part.

Every training lies in its own folder, so that a comparison goes on after a kill; what is done stands in its document.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.dataset.store import SLIVER, DataSet, Split
from models.errors import TrainingError
from models.evaluation.figures.calibration import softmax
from models.evaluation.figures.metrics import Classification, classify
from models.training.checkpoint import BEST, load_network, write_whole
from models.training.compute import logits_of, translated
from models.training.crossval import PAPER, Crossval, Result, crossvalidate, heading
from models.training.data import TrainingData, divide
from models.training.draw import Indices
from models.training.part_answers import classified, part_answers
from models.training.plan import Plan
from models.training.pretrained import InitialWeights
from models.training.session import Session
from station.core.probabilities import columns_of

COMPARISON, WHOLE = "comparison.json", "whole"
PAPER_WHOLE = {"baseline-cnn": 66.92}
"""Percent of 130 parts, trained on whole images. Source: Mustafaev et al., Table 8, SMHSD-O-TA."""


class Comparison(Result):
    """One network of a comparison.

    Attributes:
        crossval: Its cross-validation, where folds were asked for.
        images: The test split, image by image; None where of some only their part's class is known.
        parts: The test split part by part: of patches by Algorithm 1, of whole scans as they are; else None.
        paper_percent: The paper's accuracy on 130 whole parts, on its own data; None where it names none.
        right: Of each image, or part, of the test split whether it was judged rightly, 1 or 0; all networks have the
            same order.
        training_s: Seconds of the training that the test split judges.
    """

    crossval: Crossval | None
    images: Classification | None
    parts: Classification | None
    paper_percent: float | None
    right: tuple[int, ...] = ()
    training_s: float = 0.0

    @property
    def judged(self) -> Classification:
        """What counts: parts, or images where there are no parts."""
        if (judged := self.parts or self.images) is None:
            raise AssertionError("neither images nor parts were judged")
        return judged


def compare(
    data: DataSet, runs: Sequence[tuple[Plan, InitialWeights | None]], folds: int, folder: Path, session: Session
) -> list[Comparison] | None:
    """Train each network, judge it on the test split and, with folds, by cross-validation; None where stopped.

    Args:
        data: The data set.
        runs: Of each network its plan, and the weights that it begins with, or None.
        folds: How many; 0 for no cross-validation.
        folder: One folder a network goes into it, and the result.
        session: Where to compute.

    Raises:
        TrainingError: The test split lacks a class, its parts cannot be judged and nothing else, or a training fails.
    """
    divided = divide(data, runs[0][0].labels)
    _refuse_untested(data)
    rows = []
    for plan, initial in runs:
        place = folder / plan.network
        validated = crossvalidate(data, plan, folds, place, session, initial) if folds else None
        if folds and validated is None:
            return None
        training = session.train(place / WHOLE, plan, divided, initial)
        if not training.finished:
            return None
        row = _measure(data, divided, plan, place / WHOLE / BEST, session, validated)
        rows.append(row.model_copy(update={"training_s": round(training.seconds, 1)}))
        document = "[\n" + ",\n".join(row.model_dump_json(indent=2) for row in rows) + "\n]\n"
        write_whole(folder / COMPARISON, document.encode())
    return rows


def _refuse_untested(data: DataSet) -> None:
    test = data.indices(Split.TEST)
    labels = data.labels[test]
    if _of_parts_alone(data):
        test = np.flatnonzero(data.splits == Split.TEST)
        labels = data.part_labels[test]
        if not _has_parts(data, test):
            told = "the test's images have no class of their own, and they are no whole parts of which one class passes"
            raise TrainingError("training.bad_data", f"{data.folder}: {told}")
    counts = np.bincount(labels[labels >= 0], minlength=len(data.classes))
    if missing := [data.classes[number] for number in np.flatnonzero(counts == 0)]:
        raise TrainingError("training.bad_data", f"{data.folder}: no image of {', '.join(missing)} in test")


def _of_parts_alone(data: DataSet) -> bool:
    """Whether of some images of the test only their part's class is known."""
    return bool(len(data.unlabelled(Split.TEST)))


def _measure(
    data: DataSet, divided: TrainingData, plan: Plan, path: Path, session: Session, validated: Crossval | None
) -> Comparison:
    network, _ = load_network(path)
    test = np.flatnonzero(data.splits == Split.TEST)
    with translated(path.parent):
        network.to(session.device).to(memory_format=torch.channels_last)
        answers = np.asarray(softmax(logits_of(network, divided, test, session.device, plan)), np.float32)
    images = None if _of_parts_alone(data) else _images(data, test, answers)
    whole = data.manifest.kind == "whole"
    parts = classified(data, test, answers) if _has_parts(data, test) else images if whole else None
    right = _right(data, test, answers, images)
    paper = PAPER_WHOLE.get(plan.network) if whole else PAPER.get(plan.network, (None, None))[1]
    return Comparison(
        **heading(data, plan), crossval=validated, images=images, parts=parts, paper_percent=paper, right=right
    )


def _right(
    data: DataSet, test: Indices, answers: NDArray[np.float32], images: Classification | None
) -> tuple[int, ...]:
    """Of each image, or part where these alone are judged, whether it was judged rightly."""
    if images is None:
        parts = part_answers(data, test, answers)
        return tuple((parts.found == parts.labels).astype(int).tolist())
    sure = data.labels[test] != SLIVER
    found = columns_of(answers[sure], data.manifest.good)
    return tuple((found == data.labels[test][sure]).astype(int).tolist())


def _images(data: DataSet, test: Indices, answers: NDArray[np.float32]) -> Classification:
    sure = data.labels[test] != SLIVER
    found = columns_of(answers[sure], data.manifest.good)
    return classify(data.labels[test][sure], found, answers[sure], data.classes)


def _has_parts(data: DataSet, test: Indices) -> bool:
    """Whether the test's scans can be judged by Algorithm 1: one class passes, and all are one turn's patches."""
    geometry = data.manifest.geometry
    if data.manifest.kind != "patches" or data.manifest.good is None or geometry is None:
        return False
    _, counts = np.unique(data.parts[test], return_counts=True)
    said = bool((data.part_labels[test] >= 0).any())
    return said and bool((counts == geometry.value.patches_per_part).all())
