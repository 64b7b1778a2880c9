"""Measures single pictures of a data set, such as a folder of classes."""

from collections.abc import Sequence

import numpy as np

from models.dataset.store import DataSet, Split
from models.evaluation.evaluation import ImageFigures, Source, image_figures
from models.evaluation.progress import Progress, silent
from models.evaluation.scorers import Scorer
from station.core.errors import DatasetError, ModelError

CHUNK = 64
"""Pictures read from disk at a time."""


def measure_images(
    scorer: Scorer,
    data: DataSet,
    split: Split,
    progress: Progress = silent,
) -> ImageFigures:
    """Score every picture of a split; slivers are left out.

    Args:
        scorer: The network.
        data: The data set.
        split: Which of its pictures.
        progress: Wraps the chunks, to show how far it is.

    Raises:
        ModelError: The network has other classes, takes other pictures, or fails.
        DatasetError: The split is empty.
    """
    check_classes(scorer, data.manifest.classes)
    indices = np.asarray(data.indices(split), np.intp)
    if not len(indices):
        raise DatasetError("dataset.bad_choice", f"{data.folder}: no picture in the {split.name.lower()} split")
    chunks = np.split(indices, np.arange(CHUNK, len(indices), CHUNK))
    answers = [scorer.score(np.asarray(data.images[chunk], np.uint8)) for chunk in progress("pictures", chunks)]
    found = np.concatenate(answers)
    names = [data.manifest.files[number].path for number in data.files[indices]]
    return image_figures(data.labels[indices].astype(np.intp), found, data.manifest.classes, names)


def check_classes(scorer: Scorer, classes: Sequence[str]) -> None:
    """Refuse a network that answers other classes, or the same in another order.

    Raises:
        ModelError: It does.
    """
    if tuple(classes) != scorer.classes:
        has, wants = ", ".join(scorer.classes), ", ".join(classes)
        raise ModelError("model.bad_manifest", f"{scorer.name} answers {has}; the data has {wants}")


def source_of(data: DataSet, split: Split) -> Source:
    """A data set's split as a source."""
    kind = f"{data.manifest.kind.replace('_', ' ')}, {split.name.lower()} split"
    return Source(name=str(data.folder), sha256=data.sha256, kind=kind)
