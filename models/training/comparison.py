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
from models.meaning import meaning_of, own_table
from models.training.checkpoint import BEST, load_network, write_whole
from models.training.compute import logits_of, translated
from models.training.crossval import PAPER, Crossval, Result, crossvalidate, heading
from models.training.data import TrainingData, divide
from models.training.draw import Indices
from models.training.plan import Plan
from models.training.session import Session
from station.core.algorithm1 import algorithm1
from station.core.probabilities import columns_of

COMPARISON = "comparison.json"
PAPER_WHOLE = {"baseline-cnn": 66.92}
"""Percent of 130 parts, trained on whole images. Source: Mustafaev et al., Table 8, SMHSD-O-TA."""


class Comparison(Result):
    """One network of a comparison.

    Attributes:
        crossval: Its cross-validation, where folds were asked for.
        images: The test split, image by image.
        parts: The test split part by part: of patches by Algorithm 1, of whole scans as they are; else None.
        paper_percent: The paper's accuracy on 130 whole parts, on its own data; None where it names none.
    """

    crossval: Crossval | None
    images: Classification
    parts: Classification | None
    paper_percent: float | None


def compare(
    data: DataSet, plans: Sequence[Plan], folds: int, folder: Path, session: Session
) -> list[Comparison] | None:
    """Train each network, judge it on the test split and, with folds, by cross-validation; None where stopped.

    Raises:
        TrainingError: The test split lacks a class, or a training fails.
    """
    divided = divide(data, plans[0].labels)
    _refuse_untested(data)
    rows = []
    for plan in plans:
        place = folder / plan.network
        validated = crossvalidate(data, plan, folds, place, session) if folds else None
        if folds and validated is None:
            return None
        if not session.train(place / "whole", plan, divided).finished:
            return None
        rows.append(_measure(data, divided, plan, place / "whole" / BEST, session, validated))
        document = "[\n" + ",\n".join(row.model_dump_json(indent=2) for row in rows) + "\n]\n"
        write_whole(folder / COMPARISON, document.encode())
    return rows


def _refuse_untested(data: DataSet) -> None:
    counts = np.bincount(data.labels[data.indices(Split.TEST)], minlength=len(data.classes))
    if missing := [data.classes[number] for number in np.flatnonzero(counts == 0)]:
        raise TrainingError("training.bad_data", f"{data.folder}: no image of {', '.join(missing)} in test")


def _measure(
    data: DataSet, divided: TrainingData, plan: Plan, path: Path, session: Session, validated: Crossval | None
) -> Comparison:
    network, _ = load_network(path)
    test = np.flatnonzero(data.splits == Split.TEST)
    with translated(path.parent):
        network.to(session.device).to(memory_format=torch.channels_last)
        answers = np.asarray(softmax(logits_of(network, divided, test, session.device, plan)), np.float32)
    sure = data.labels[test] != SLIVER
    found = columns_of(answers[sure], data.manifest.good)
    images = classify(data.labels[test][sure], found, answers[sure], data.classes)
    whole = data.manifest.kind == "whole"
    parts = _parts(data, test, answers) if data.manifest.kind == "patches" else images if whole else None
    paper = PAPER_WHOLE.get(plan.network) if whole else PAPER.get(plan.network, (None, None))[1]
    return Comparison(**heading(data, plan), crossval=validated, images=images, parts=parts, paper_percent=paper)


def _parts(data: DataSet, test: Indices, answers: NDArray[np.float32]) -> Classification | None:
    """The scans of the test split, each judged by Algorithm 1 over its patches, slivers included.

    None where the data set does not tell which class passes, or a scan was not cut into one turn's patches.
    """
    names, passing, geometry = data.classes, data.manifest.passing, data.manifest.geometry
    if passing is None or geometry is None:
        return None
    outputs = meaning_of(names, own_table(names, passing), str(data.folder)).outputs
    truth, found, scores = [], [], []
    for number in np.unique(data.files[test]):
        own = answers[data.files[test] == number]
        if len(own) != geometry.value.patches_per_part:
            return None
        truth.append(names.index(data.manifest.files[number].label))
        found.append(names.index(algorithm1(own, outputs).verdict.name))
        score = own.max(axis=0)
        score[outputs.passing] = own[:, outputs.passing].min()
        scores.append(score)
    return classify(np.array(truth), np.array(found), np.array(scores), names)
