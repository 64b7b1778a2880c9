"""Whole parts of a data set whose patches have no class of their own: each judged by Algorithm 1 over all of them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.named import NamedScan
from models.dataset.store import DataSet, Split
from models.errors import DatasetError
from models.evaluation.measuring.images import check_classes
from models.evaluation.measuring.parts import JudgedPart, decide_part
from models.evaluation.measuring.progress import Progress, silent
from models.evaluation.measuring.scorers import Scorer
from models.meaning import Meaning


def judge_bags(
    scorer: Scorer,
    data: DataSet,
    split: Split,
    meaning: Meaning,
    min_confidence: float,
    progress: Progress = silent,
) -> list[JudgedPart]:
    """Judge every part of a split whose class is known.

    Args:
        scorer: A network of the data set's classes and picture size.
        data: The data set.
        split: Which of its parts.
        meaning: What the columns mean.
        min_confidence: Below it a part goes to review.
        progress: Wraps the parts, to show how far it is.

    Raises:
        ModelError: The network has other classes, takes other pictures, or fails.
        DatasetError: The split has no part whose class is known.
    """
    check_classes(scorer, data.manifest.classes)
    bags = bags_of(data, split)
    if not bags:
        told = f"{data.folder}: no part in the {split.name.lower()} split whose class is known"
        raise DatasetError("dataset.bad_choice", told)
    judged = []
    for bag in progress("parts", bags):
        surface = meaning.outputs.surfaces[int(data.part_labels[bag[0]])]
        path = data.manifest.files[int(data.files[bag[0]])].path
        scan = NamedScan(path, surface, Path(path), 0)
        labels = data.labels[bag].astype(np.int8)
        found = scorer.score(np.asarray(data.images[bag], np.uint8))
        judged.append(decide_part(scan, labels, found, meaning, min_confidence))
    return judged


def bags_of(data: DataSet, split: Split) -> list[NDArray[np.intp]]:
    """The images of each part of a split whose class is known."""
    rows = np.flatnonzero((data.splits == split) & (data.part_labels >= 0))
    ends = np.flatnonzero(np.diff(data.parts[rows])) + 1
    return [bag for bag in np.split(rows, ends) if len(bag)]
