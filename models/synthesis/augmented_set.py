"""A data set whose classes are filled up to fixed counts with changed copies of what trains, each marked as made.

So the papers enlarge their sets before training; here a training changes every image anew each time it is drawn, which
needs no copies. These sets are for comparison with theirs. Copies train only, and never where what they are copies of
judges; in the papers they do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import DataFile, DataHeading, MadeOf
from models.dataset.pictures import pixels_sha256
from models.dataset.store import DataSet, Entry, Level, Split, check_place, write_data
from models.errors import DatasetError
from models.synthesis.made_files import again, made_path, with_source
from models.training.augment import CHANCES, change
from models.training.plan import CHANGES

RECIPES: Mapping[str, tuple[int, ...]] = {"o-ta": (440, 417, 436, 419, 418), "p-ta": (0, 250, 250, 250, 250)}
"""Images of each class in all, before they are shared out; 0 leaves a class as it is.

Source: Mustafaev, Kim and Kim: SMHSD-O-TA holds whole scans, SMHSD-P-TA patches, in the order defect-free, imprinted,
pits, roll marks, scratches.
"""


@dataclass(frozen=True, slots=True)
class AugmentPlan:
    """What is to be filled up.

    Attributes:
        name: The new data set's.
        counts: Images of a class that shall train; one with as many or more is left as it is.
        seed: Of the changes.
    """

    name: str
    counts: Mapping[str, int]
    seed: int = 1


def counts_of(recipe: str, data: DataSet) -> dict[str, int]:
    """The counts of a recipe for the classes of a data set, for its share that trains.

    Raises:
        DatasetError: There is no such recipe, or the data set has other classes than the paper's five.
    """
    if recipe not in RECIPES:
        raise DatasetError("dataset.bad_choice", f"--recipe {recipe}: there are {', '.join(RECIPES)}")
    if len(data.classes) != len(RECIPES[recipe]):
        told = f"--recipe {recipe}: is of {len(RECIPES[recipe])} classes, {data.folder} has {len(data.classes)}"
        raise DatasetError("dataset.bad_choice", told)
    share = data.manifest.shares[Split.TRAIN] / 100
    return {name: round(count * share) for name, count in zip(data.classes, RECIPES[recipe], strict=True)}


def add_copies(folder: Path, data: DataSet, plan: AugmentPlan) -> DataSet:
    """Write a data set anew with changed copies among what trains.

    Args:
        folder: Where it goes; nothing may lie there.
        data: The data set.
        plan: What is to be filled up.

    Raises:
        DatasetError: A class is unknown, or has nothing that trains, or the set cannot be written.
    """
    if strange := [name for name in plan.counts if name not in data.classes]:
        told = f"{', '.join(strange)}: not a class of {data.folder}; these are {', '.join(data.classes)}"
        raise DatasetError("dataset.bad_choice", told)
    originals = {name: _originals(data, name) for name in plan.counts}
    if empty := [name for name, count in plan.counts.items() if count and not len(originals[name])]:
        raise DatasetError("dataset.bad_source", f"{data.folder}: no image of {', '.join(empty)} trains")
    missing = {name: max(0, count - len(originals[name])) for name, count in plan.counts.items()}
    rows = len(data.images) + sum(missing.values())
    check_place(folder, rows * data.manifest.height * data.manifest.width)
    copies = ", ".join(f"{count} of {name}" for name, count in missing.items() if count)
    heading = with_source(data, plan.name, f"changed copies: {copies or 'none'}")
    return write_data(folder, heading, _entries(data, heading, plan, originals, missing), rows)


def _originals(data: DataSet, name: str) -> NDArray[np.intp]:
    train = data.taken(Split.TRAIN)
    chosen: NDArray[np.intp] = train[data.labels[train] == data.classes.index(name)]
    return chosen


def _entries(
    data: DataSet, heading: DataHeading, plan: AugmentPlan, originals: Mapping[str, NDArray[np.intp]],
    missing: Mapping[str, int],
) -> Iterator[Entry]:  # fmt: skip
    """Everything there was, then the copies: every original in turn, so that none is copied twice before all are."""
    yield from again(data)
    level = np.array([Level.PATCH], np.uint8)
    for name, count in missing.items():
        rng = np.random.default_rng([plan.seed, data.classes.index(name)])
        label = np.array([heading.classes.index(name)], np.int16)
        for number in range(count):
            original = int(originals[name][number % len(originals[name])])
            changed = change(np.asarray(data.images[original], np.uint8), CHANGES, rng.random(CHANCES))
            image = np.asarray(np.rint(changed * 255), np.uint8)
            of = data.manifest.files[int(data.files[original])]
            file = DataFile(
                path=made_path("augmentation", name, number), sha256=pixels_sha256(image), group=of.group, label=name,
                split="train", made=MadeOf(method="augmentation", of=(of.sha256,), seed=plan.seed),
            )  # fmt: skip
            yield Entry(file, image[np.newaxis], label, level)
