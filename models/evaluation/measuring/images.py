"""Measures single pictures of a data set, such as a folder of classes."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.pictures import read_picture
from models.dataset.store import DataSet, Split
from models.errors import DatasetError
from models.evaluation.measuring.evaluation import ImageFigures, Source, image_figures
from models.evaluation.measuring.pointing import EvidenceMap, Pointing, point, sum_up
from models.evaluation.measuring.progress import Progress, silent
from models.evaluation.measuring.scorers import Scorer
from models.manifest import Figures
from models.meaning import Meaning
from station.core.algorithm1 import algorithm1
from station.core.errors import ConfigError, ModelError
from station.core.part import Pixels, Probabilities
from station.core.probabilities import columns_of

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
        scorer: A network of the data set's classes and picture size.
        data: The data set.
        split: Which of its pictures.
        progress: Wraps the chunks, to show how far it is.

    Raises:
        ModelError: The network has other classes, takes other pictures, or fails.
        DatasetError: The split is empty.
    """
    check_classes(scorer, data.manifest.classes)
    indices = pictures_of(data, split)
    chunks = np.split(indices, np.arange(CHUNK, len(indices), CHUNK))
    answers = [scorer.score(np.asarray(data.images[chunk], np.uint8)) for chunk in progress("pictures", chunks)]
    found = np.concatenate(answers)
    names = [data.manifest.files[number].path for number in data.files[indices]]
    heading = data.manifest
    return image_figures(data.labels[indices].astype(np.intp), found, heading.classes, heading.good, names)


def picture_figures(
    labels: NDArray[np.integer], probabilities: Probabilities, meaning: Meaning, min_confidence: float, source: str
) -> Figures:
    """Count what became of single pictures, each judged by itself, as a part of one patch would be.

    Args:
        labels: (n,) their classes, as columns of the network; n at least 1.
        probabilities: (n, classes).
        meaning: What the columns mean.
        min_confidence: Below it a picture goes to review.
        source: What they are, for the reader.
    """
    outcomes = [algorithm1(row[None], meaning.outputs) for row in probabilities]
    truths = [meaning.outputs.surfaces[int(label)] for label in labels]
    sure = [(one.verdict, truth) for one, truth in zip(outcomes, truths, strict=True) if one.is_sure(min_confidence)]
    return Figures(
        kind="pictures",
        source=source,
        patches=len(labels),
        wrong_patches=int((meaning.called(probabilities) != labels).sum()),
        parts=len(labels),
        defective_parts=sum(truth.is_defect for truth in truths),
        escapes=sum(found.passes and truth.is_defect for found, truth in sure),
        overkills=sum(found.is_defect and truth.passes for found, truth in sure),
        wrong_class=sum(found.is_defect and truth.is_defect and found != truth for found, truth in sure),
        reviews=len(labels) - len(sure),
    )


def pictures_of(data: DataSet, split: Split) -> NDArray[np.intp]:
    """The pictures of a split, without slivers and without what was made; at least one.

    Raises:
        DatasetError: There is none.
    """
    indices = data.taken(split)
    if not len(indices):
        raise DatasetError("dataset.bad_choice", f"{data.folder}: no picture in the {split.name.lower()} split")
    return indices


def play_pictures(
    scorer: Scorer, evidence_map: EvidenceMap, data: DataSet, split: Split, masks: Path, progress: Progress = silent
) -> Pointing | None:
    """The pointing game on the pictures of a data set of class folders; None where no mask fits a picture.

    Args:
        scorer: A network of the data set's picture size; what it finds best is taken as its answer.
        evidence_map: Where its evidence lies.
        data: The data set.
        split: Which of its pictures.
        masks: Folder with a mask for each picture that has one, a PNG where the data set has the picture
            (CLASS/NAME.png); what is not 0 is the defect.
        progress: Shows how far it is.

    Raises:
        ModelError: The network takes other pictures, or fails.
        DatasetError: The split is empty.
        ConfigError: A mask is there and cannot be used.
    """
    played = []
    for index in progress("evidence", pictures_of(data, split).tolist()):
        file = data.manifest.files[int(data.files[index])]
        mask = _mask((masks / file.path).with_suffix(".png"))
        if mask is None or not mask.any():
            continue
        image, label = np.asarray(data.images[index], np.uint8), int(data.labels[index])
        if columns_of(scorer.score(image[None]), data.manifest.good)[0] == label:
            fitted = cv2.resize(mask, image.shape[::-1], interpolation=cv2.INTER_NEAREST)
            played.append(point(evidence_map(image, label), np.asarray(fitted, np.uint8), data.classes[label]))
    return sum_up(played, str(masks), data.classes)


def _mask(path: Path) -> Pixels | None:
    """A mask (h, w), or None where the picture has none."""
    try:
        return read_picture(path) if path.exists() else None
    except DatasetError as error:
        raise ConfigError("config.invalid", f"--masks {error.detail}") from error


def check_classes(scorer: Scorer, classes: Sequence[str]) -> None:
    """Refuse a network that answers other classes, or the same in another order.

    Raises:
        ModelError: It does.
    """
    if tuple(classes) != scorer.classes:
        has, wants = ", ".join(scorer.classes), ", ".join(classes)
        raise ModelError("model.wrong_classes", f"{scorer.name} answers {has}; the data has {wants}")


def source_of(data: DataSet, split: Split) -> Source:
    """A data set's split as a source."""
    kind = f"{data.manifest.kind.replace('_', ' ')}, {split.name.lower()} split"
    return Source(name=str(data.folder), sha256=data.sha256, kind=kind)
