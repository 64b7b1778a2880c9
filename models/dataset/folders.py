"""Data sets from a folder of class folders: one picture, one image; its class is the folder's name.

DIR/CLASS/*.png, *.jpg, *.jpeg, *.bmp, *.tif, *.tiff     8-bit grey, or three equal channels
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from models.dataset.alike import alike_pictures
from models.dataset.split import Shares, assign_splits, join_groups, same_values
from models.dataset.store import (
    DataFile,
    DataHeading,
    DataSet,
    Entry,
    Split,
    check_place,
    file_sha256,
    split_name,
    write_data,
)
from station.core.errors import DatasetError
from station.core.part import Pixels

Grouping = Literal["same", "alike"]
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
_NAMED = 8


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What is to be made of a folder of class folders.

    Attributes:
        name: The data set's.
        folder: The folder of folders.
        shares: Of the groups, in percent.
        seed: Of the splits.
        size_px: Height and width that every picture is resized to; None where all have one size.
        grouping: What never straddles a split: pictures of the same pixels, or also pictures of one object.
    """

    name: str
    folder: Path
    shares: Shares = (80, 20, 0)
    seed: int = 1
    size_px: int | None = None
    grouping: Grouping = "same"


@dataclass(frozen=True, slots=True)
class _Picture:
    path: Path
    label: str
    shape: tuple[int, int]
    pixels_sha256: str


def make_from_folders(
    folder: Path, plan: FolderPlan, done: Callable[[int, int], None] = lambda _done, _all: None
) -> DataSet:
    """Make a data set; every picture is looked at before the first is written.

    Args:
        folder: Where it goes; nothing may lie there.
        plan: What it is made of.
        done: Called after each picture with how many there are done and in all.

    Raises:
        DatasetError: The pictures do not allow it, or it cannot be written.
    """
    check_place(folder, 0)
    classes = _classes(plan.folder)
    pictures = [_looked_at(path, label) for label, paths in classes.items() for path in paths]
    height, width = _one_size(pictures, plan)
    check_place(folder, len(pictures) * height * width)
    groups = _grouped(pictures, plan)
    splits = assign_splits(groups, [picture.label for picture in pictures], plan.shares, plan.seed)
    rule = "the folder's name; " + _RULES[plan.grouping]
    heading = DataHeading(
        name=plan.name, kind="class_folders", classes=tuple(classes), height=height, width=width,
        source=plan.folder.resolve().name, seed=plan.seed, shares=plan.shares, rule=rule,
    )  # fmt: skip
    entries = _entries(pictures, groups, splits, heading)
    return write_data(folder, heading, _counted(entries, len(pictures), done), len(pictures))


_RULES = {
    "same": "pictures of the same pixels are one group",
    "alike": "pictures of the same pixels, or alike in detail, are one group",
}


def read_picture(path: Path) -> Pixels:
    """An 8-bit grey picture (h, w) from a file of one channel, or of three equal ones.

    Raises:
        DatasetError: It cannot be read, or is of another kind.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DatasetError("dataset.bad_source", f"{path}: cannot be read")
    if image.dtype == np.uint8 and image.ndim == 3 and (image == image[:, :, :1]).all():
        image = image[:, :, 0]
    if image.dtype != np.uint8 or image.ndim != 2:
        raise DatasetError("dataset.bad_source", f"{path}: {image.dtype} {image.shape}, not 8-bit grey")
    return np.ascontiguousarray(image, np.uint8)


def _classes(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, by name."""
    if not folder.is_dir():
        raise DatasetError("dataset.bad_source", f"{folder} is no folder")
    own = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    classes = {path.name: sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES) for path in own}
    if empty := [name for name, files in classes.items() if not files]:
        raise DatasetError("dataset.bad_source", f"{folder}: no pictures in {', '.join(empty)}")
    if len(classes) < 2:
        raise DatasetError("dataset.bad_source", f"{folder}: {len(classes)} class folders, at least two are needed")
    return classes


def _looked_at(path: Path, label: str) -> _Picture:
    image = read_picture(path)
    height, width = image.shape
    return _Picture(
        path, label, (height, width), hashlib.sha256(image.tobytes() + str(image.shape).encode()).hexdigest()
    )


def _one_size(pictures: Sequence[_Picture], plan: FolderPlan) -> tuple[int, int]:
    if plan.size_px:
        return plan.size_px, plan.size_px
    sizes = Counter(picture.shape for picture in pictures).most_common()
    if len(sizes) > 1:
        usual = sizes[0][0]
        others = [f"{_short(picture)} {picture.shape}" for picture in pictures if picture.shape != usual]
        told = f"{len(others)} pictures are not of {usual}: {', '.join(others[:_NAMED])}; --size makes them equal"
        raise DatasetError("dataset.bad_source", told)
    return sizes[0][0]


def _grouped(pictures: Sequence[_Picture], plan: FolderPlan) -> list[int]:
    together = same_values(picture.pixels_sha256 for picture in pictures)
    if plan.grouping == "alike":
        together += alike_pictures([read_picture(picture.path) for picture in pictures])
    return join_groups(range(len(pictures)), together)


def _entries(
    pictures: Sequence[_Picture], groups: Sequence[int], splits: Sequence[Split], heading: DataHeading
) -> Iterator[Entry]:
    for picture, group, split in zip(pictures, groups, splits, strict=True):
        image = read_picture(picture.path)
        if image.shape != (heading.height, heading.width):
            image = cv2.resize(image, (heading.width, heading.height), interpolation=cv2.INTER_AREA)
        file = DataFile(
            path=_short(picture), sha256=file_sha256(picture.path), group=group, label=picture.label,
            split=split_name(split),
        )  # fmt: skip
        yield Entry(file, image[np.newaxis], np.array([heading.classes.index(picture.label)], np.int16))


def _counted(entries: Iterator[Entry], of: int, done: Callable[[int, int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(entries, 1):
        yield entry
        done(number, of)


def _short(picture: _Picture) -> str:
    return f"{picture.label}/{picture.path.name}"
