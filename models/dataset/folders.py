"""Data sets from a folder of class folders: one picture, one image, or its patches; its class is the folder's name.

DIR/CLASS/picture                      shared out into splits
DIR/train|valid|test/CLASS/picture     in the splits that somebody made; what trains may be shared out
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.dataset.alike import alike_pictures
from models.dataset.folder_listing import Cut, FolderPlan, Grouping, list_folders
from models.dataset.layout import Listed
from models.dataset.manifest import UNLABELLED, Level, in_words
from models.dataset.patchwork import patch_count, patches_of
from models.dataset.pictures import pixels_sha256, read_picture
from models.dataset.scans import listing
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
from models.errors import DatasetError
from station.core.part import Pixels

__all__ = ["FolderPlan", "Grouping", "make_from_folders"]

USUAL: Shares = (80, 20, 0)
ALL_TRAIN: Shares = (100, 0, 0)


@dataclass(frozen=True, slots=True)
class _Picture:
    listed: Listed
    shape: tuple[int, int]
    pixels_sha256: str

    @property
    def label(self) -> str:
        return self.listed.label


def make_from_folders(
    folder: Path,
    plan: FolderPlan,
    done: Callable[[int, int], None] = lambda _done, _all: None,
    left_out: Callable[[Sequence[str]], None] = lambda _names: None,
) -> DataSet:
    """Make a data set; every picture is looked at before the first is written.

    Args:
        folder: Where it goes; nothing may lie there.
        plan: What it is made of.
        done: Called after each picture with how many there are done and in all.
        left_out: Called once with what is no picture of a class, each with the reason.

    Raises:
        DatasetError: The pictures do not allow it, or it cannot be written.
    """
    check_place(folder, 0)
    found = list_folders(plan)
    left_out(found.left_out)
    passing = _passing(plan, found.classes)
    pictures = _looked_at(found.pictures)
    height, width = _one_size(pictures, plan)
    images = sum(patch_count(one.shape, plan.size.px) if isinstance(plan.size, Cut) else 1 for one in pictures)
    check_place(folder, images * height * width)
    groups = _grouped(pictures, plan)
    shares = plan.shares or (ALL_TRAIN if any(picture.listed.split is not None for picture in pictures) else USUAL)
    splits = _splits(pictures, groups, shares, plan.seed)
    rule = f"the folder's name; {_RULES[plan.grouping]}{_CUT if isinstance(plan.size, Cut) else ''}"
    heading = DataHeading(
        name=plan.name, kind="class_folders", classes=found.classes, passing=passing, height=height, width=width,
        source=in_words(found.sources), sources=found.sources, seed=plan.seed, shares=shares, rule=rule,
    )  # fmt: skip
    entries = _entries(pictures, groups, splits, heading, plan)
    return write_data(folder, heading, _counted(entries, len(pictures), done), images)


_RULES = {
    "same": "pictures of the same pixels are one group",
    "alike": "pictures of the same pixels, or alike in detail, are one group",
}


_CUT = "; of the patches of a good picture all are good, of those of another one only the picture's class is known"


def _passing(plan: FolderPlan, classes: Sequence[str]) -> str | None:
    if plan.passing is not None and plan.passing not in classes:
        told = f"--passing {plan.passing}: it is none of the classes {', '.join(classes)}"
        raise DatasetError("dataset.bad_choice", told)
    passing = plan.passing or (plan.usual_passing if plan.usual_passing in classes else None)
    if isinstance(plan.size, Cut) and passing is None:
        told = "--cut-px: without a class that passes a picture's class says nothing of its patches; give --passing"
        raise DatasetError("dataset.bad_choice", told)
    return passing


def _looked_at(listed: Sequence[Listed]) -> list[_Picture]:
    """Every picture's size and hash; all that cannot be used are told of together."""
    pictures, refused = [], []
    for one in listed:
        try:
            image = read_picture(one.path)
        except DatasetError as error:
            refused.append(error.detail)
            continue
        pictures.append(_Picture(one, (image.shape[0], image.shape[1]), pixels_sha256(image)))
    if refused:
        raise DatasetError("dataset.bad_source", listing(refused))
    _refuse_two_classes(pictures)
    return pictures


def _refuse_two_classes(pictures: Sequence[_Picture]) -> None:
    """The same pixels are of one class: of two folders that hold them one is wrong, and nobody here knows which."""
    first: dict[str, _Picture] = {}
    pairs = [(first.setdefault(picture.pixels_sha256, picture), picture) for picture in pictures]
    if wrong := [f"{one.listed.path} and {other.listed.path}" for one, other in pairs if one.label != other.label]:
        raise DatasetError("dataset.bad_source", f"the same pixels in two classes: {listing(wrong)}")


def _splits(pictures: Sequence[_Picture], groups: Sequence[int], shares: Shares, seed: int) -> list[Split]:
    """Who goes where: what somebody put into a split stays there, and what is left, or trains, is shared out."""
    made = {number: one.listed.split for number, one in enumerate(pictures)}
    fixed = {number: split for number, split in made.items() if split not in {None, Split.TRAIN}}
    shared = [number for number in range(len(pictures)) if number not in fixed]
    labels = [pictures[number].label for number in shared]
    dealt = assign_splits([groups[number] for number in shared], labels, shares, seed)
    chosen = fixed | dict(zip(shared, dealt, strict=True))
    first: dict[int, int] = {}
    for number in range(len(pictures)):
        other = first.setdefault(groups[number], number)
        if chosen[number] is not chosen[other]:
            one, two = (f"{pictures[n].listed.path} for {split_name(chosen[n])}" for n in (other, number))
            raise DatasetError("dataset.bad_source", f"pictures that belong together in two splits: {one}, {two}")
    return [chosen[number] for number in range(len(pictures))]


def _one_size(pictures: Sequence[_Picture], plan: FolderPlan) -> tuple[int, int]:
    if plan.size is not None:
        return plan.size.px, plan.size.px
    sizes = Counter(picture.shape for picture in pictures).most_common()
    if len(sizes) > 1:
        usual = sizes[0][0]
        others = [f"{picture.listed.name} {picture.shape}" for picture in pictures if picture.shape != usual]
        told = f"{len(others)} pictures are not of {usual}: {listing(others)}. --size makes them equal"
        raise DatasetError("dataset.bad_source", told)
    return sizes[0][0]


def _grouped(pictures: Sequence[_Picture], plan: FolderPlan) -> list[int]:
    together = same_values(picture.pixels_sha256 for picture in pictures)
    if plan.grouping == "alike":
        together += alike_pictures([read_picture(picture.listed.path) for picture in pictures])
    return join_groups(range(len(pictures)), together)


def _entries(
    pictures: Sequence[_Picture], groups: Sequence[int], splits: Sequence[Split], heading: DataHeading, plan: FolderPlan
) -> Iterator[Entry]:
    for picture, group, split in zip(pictures, groups, splits, strict=True):
        image = read_picture(picture.listed.path)
        file = DataFile(
            path=picture.listed.name, sha256=file_sha256(picture.listed.path), group=group, label=picture.label,
            split=split_name(split),
        )  # fmt: skip
        number = heading.classes.index(picture.label)
        if isinstance(plan.size, Cut):
            yield _cut_entry(file, patches_of(image, plan.size.px), number, heading.good)
        else:
            yield Entry(file, _resized(image, heading)[np.newaxis], np.array([number], np.int16))


def _resized(image: Pixels, heading: DataHeading) -> Pixels:
    if image.shape == (heading.height, heading.width):
        return image
    return np.asarray(cv2.resize(image, (heading.width, heading.height), interpolation=cv2.INTER_AREA), np.uint8)


def _cut_entry(file: DataFile, patches: Pixels, number: int, good: int | None) -> Entry:
    """The patches of a picture; the one patch of a small picture shows what the picture is."""
    known = number == good or len(patches) == 1
    labels = np.full(len(patches), number if known else UNLABELLED, np.int16)
    return Entry(file, patches, labels, np.full(len(patches), Level.PATCH if known else Level.PART, np.uint8))


def _counted(entries: Iterator[Entry], of: int, done: Callable[[int, int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(entries, 1):
        yield entry
        done(number, of)
