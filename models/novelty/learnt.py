"""Patches that a network was trained on, drawn from its data set for the statistics that go into its bundle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import MANIFEST, DataSet, Split, read_data, split_name
from models.novelty.file import Hashes, short_hashes
from models.novelty.fit import names_of
from station.core.part import Pixels

LEAST = 200
"""With fewer patches there is no saying what one in a hundred exceeds."""
GOOD = 0.75
"""Share of good patches; with more defects among them less of the unknown is told, with fewer more of the known is."""


@dataclass(frozen=True, slots=True)
class TrainingPatches:
    """Some patches of a training.

    Attributes:
        patches: (n, height, width) uint8.
        classes: Name of each one's class; empty of those that nobody could tell it of.
        trained: Hashes of every scan that was trained on, of these patches and of all others.
        source: Where they come from.
        seed: Of the draw.
    """

    patches: Pixels
    classes: tuple[str, ...]
    trained: Hashes
    source: str
    seed: int


def draw_training(folder: Path, count: int, seed: int) -> TrainingPatches | None:
    """At most so many training patches of a data set, most of them good; None where it is none, or has too few.

    The others are of all defects alike, and of patches that nobody could tell the class of, as far as they go: what
    was trained on shall not count as unknown.

    Raises:
        DatasetError: The data set cannot be read.
    """
    if not (folder / MANIFEST).is_file():
        return None
    data, rng = read_data(folder), np.random.default_rng(seed)
    chosen = np.sort(_mixed(data, count, rng))
    if len(chosen) < LEAST:
        return None
    names = names_of(data.labels[chosen].tolist(), data.classes)
    return TrainingPatches(np.asarray(data.images[chosen]), names, trained_on(data), data.manifest.name, seed)


def trained_on(data: DataSet) -> Hashes:
    """The hashes of the scans of a data set that are trained on."""
    train = split_name(Split.TRAIN)
    return short_hashes([file.sha256 for file in data.manifest.files if file.split == train and file.made is None])


def _mixed(data: DataSet, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices: most of the class that passes, where one does, the rest of all others alike, slivers among them."""
    train = np.flatnonzero((data.splits == Split.TRAIN) & ~data.made)
    labels = data.labels[train]
    found = np.unique(labels).tolist()
    others = max(1, len([label for label in found if label != data.manifest.good]))
    share = {label: GOOD if label == data.manifest.good else (1 - GOOD) / others for label in found}
    drawn = [rng.permutation(train[labels == label])[: round(count * share[label])] for label in found]
    return np.concatenate([np.zeros(0, np.intp), *drawn])
