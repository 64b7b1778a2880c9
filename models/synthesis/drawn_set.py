"""A data set with images that a generator drew: all that it held, and new ones of one class, each marked as made."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import DataFile, DataHeading, MadeOf, Maker
from models.dataset.pictures import pixels_sha256
from models.dataset.store import DataSet, Entry, Level, check_place, write_data
from models.errors import DatasetError
from models.synthesis.gan_run import Learnt
from models.synthesis.made_files import again, made_path, with_source


def add_drawn(folder: Path, data: DataSet, learnt: Learnt, count: int, seed: int) -> DataSet:
    """Write a data set anew with images that were drawn among what trains.

    Args:
        folder: Where it goes; nothing may lie there.
        data: A data set with everything that the generator learnt from in its training.
        learnt: The generator; of one class.
        count: Images to draw.
        seed: Of these.

    Raises:
        DatasetError: The generator is of another data set, of several classes, or the set cannot be written.
    """
    if len(learnt.plan.classes) > 1:
        told = f"it learnt {' and '.join(learnt.plan.classes)} at once, and nobody could say of which class an image is"
        raise DatasetError("dataset.bad_choice", told)
    (name,) = learnt.plan.classes
    training = {file.sha256 for file in data.manifest.files if file.split == "train" and file.made is None}
    if name not in data.classes or not set(learnt.of) <= training:
        told = f"{data.folder}: not all that the generator of {name} learnt from trains here"
        raise DatasetError("dataset.bad_choice", told)
    manifest = data.manifest
    check_place(folder, (len(data.images) + count) * manifest.height * manifest.width)
    makers = {maker.sha256: maker for maker in (*manifest.makers, Maker(sha256=learnt.sha256, of=learnt.of))}
    told = f"{count} of {name} drawn by {learnt.plan.kind}"
    heading = with_source(data, folder.name, told).model_copy(update={"makers": tuple(makers.values())})
    return write_data(folder, heading, _entries(data, heading, learnt, count, seed), len(data.images) + count)


def _entries(data: DataSet, heading: DataHeading, learnt: Learnt, count: int, seed: int) -> Iterator[Entry]:
    yield from again(data)
    (name,) = learnt.plan.classes
    first = next(file for file in data.manifest.files if file.sha256 == learnt.of[0])
    before = sum(file.path.startswith(made_path(learnt.plan.kind, name, 0)[:-9]) for file in data.manifest.files)
    label, level = np.array([heading.classes.index(name)], np.int16), np.array([Level.PATCH], np.uint8)
    made = MadeOf(method=learnt.plan.kind, seed=seed, maker_sha256=learnt.sha256)
    for number, drawn in enumerate(learnt.draw(count, seed), before):
        image = _fitted(drawn, (heading.height, heading.width))
        file = DataFile(
            path=made_path(learnt.plan.kind, name, number), sha256=pixels_sha256(image), group=first.group, label=name,
            split="train", made=made,
        )  # fmt: skip
        yield Entry(file, image[np.newaxis], label, level)


def _fitted(image: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape == shape:
        return image
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
