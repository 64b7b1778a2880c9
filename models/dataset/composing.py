"""Scans of whole parts put together from pictures of classes: every patch of the geometry shows one picture.

    black │ picture │ picture │ black     a block, of as many pictures as patches lie side by side
    black │ picture │ picture │ black     the next one, and so on once round the turn

So a network that was trained on single pictures can be tried in the cell before there are scans of real parts. Such a
scan is no turn: its end does not meet its beginning, and what lies beside a picture never lay there. It proves the way
from the camera to the place of the part, and how patches are judged; it says nothing of crop, light and seam of a line.

A picture is shown once in a part, because a stretch that comes again is refused, and the same pixels in two files are
one picture. It is resized from its file to the lines and columns of its place in one step, as training resizes it:
where these are as many as the picture has, or as a patch has, the network sees the very image of the data set.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.dataset.layout import read_layout
from models.dataset.pictures import read_picture
from models.dataset.scans import listing, marks_of
from models.dataset.store import DataSet, Split, file_sha256, split_name
from models.errors import DatasetError
from station.core.part import PartType, Pixels
from station.core.verdicts import Classes

MARGIN_PX = 64
"""Columns of black on both sides of the part."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What is to be put together.

    Attributes:
        pictures: Folder of class folders; where it has splits, only the pictures for testing are shown.
        part_type: The type of all parts: their width, and how a turn becomes patches.
        table: The configured classes.
        labels: Classes that the parts are of, in this order, over and over; empty for all that have pictures.
        parts: Parts of each class.
        defective: Patches of a defective part that show its defect, the others show what passes; None for all.
        seed: Of pictures and places.
        unseen_by: A data set; pictures that it holds for training or validation are left out. None leaves out none.
    """

    pictures: Path
    part_type: PartType
    table: Classes
    labels: tuple[str, ...] = ()
    parts: int = 1
    defective: int | None = None
    seed: int = 1
    unseen_by: DataSet | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """One scan.

    Attributes:
        part_id: Of the seed and the part's number.
        label: Name of the part's class.
        image: (lines of a turn, width and both margins) uint8.
        mask: The same shape; 0, or the number of the defect's class where a picture of it lies.
        left: First column of the part.
        right: Column after its last.
        pictures: The picture of each patch, its path from the folder of class folders.
    """

    part_id: str
    label: str
    image: Pixels
    mask: Pixels
    left: int
    right: int
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Picture:
    path: Path
    name: str
    label: str


Stock = Mapping[str, Sequence[_Picture]]
"""The pictures of each class, each surface once."""


class Composer:
    """Puts parts together; every picture is looked at before the first part is made.

    Args:
        plan: What is wanted.

    Raises:
        DatasetError: A picture cannot be read, a class is not configured or has too few pictures, or the choices
            contradict each other.
    """

    def __init__(self, plan: Composition) -> None:
        self._plan = plan
        self._needed = plan.part_type.geometry.patches_per_part
        self._defective = self._needed if plan.defective is None else plan.defective
        if not 1 <= self._defective <= self._needed:
            told = f"{self._defective} patches with the defect: a {plan.part_type.name} has 1 to {self._needed}"
            raise DatasetError("dataset.bad_choice", told)
        stock = _stock(plan)
        self._labels = plan.labels or tuple(stock)
        self._stock: Stock = {name: _once_each(stock.get(name, ())) for name in self._wanted()}
        self._check()

    def __len__(self) -> int:
        """How many parts there will be."""
        return self._plan.parts * len(self._labels)

    def __iter__(self) -> Iterator[Composed]:
        """The parts, of one class after the other."""
        return (self._part(number) for number in range(len(self)))

    def _wanted(self) -> dict[str, int]:
        """How many pictures of each class the parts need at once."""
        passing = self._plan.table.passing.name
        wanted = {name: self._needed if name == passing else self._defective for name in self._labels}
        others = self._needed - self._defective
        return {passing: others} | wanted if others and set(wanted) - {passing} else wanted

    def _check(self) -> None:
        table, pictures, wanted = self._plan.table, self._plan.pictures, self._wanted()
        if unknown := table.unknown(self._stock):
            known = f"[[classes]] has {', '.join(table.names)}"
            told = f"{pictures}: no class of parts is {', '.join(unknown)}; {known}: rename the folder, or give --label"
            raise DatasetError("dataset.bad_choice", told)
        counts = {name: len(own) for name, own in self._stock.items()}
        if few := [f"{name} {count} of {wanted[name]}" for name, count in counts.items() if count < wanted[name]]:
            told = f"{pictures}: too few pictures for one part, which shows each once: {', '.join(few)}"
            more = "" if self._plan.unseen_by is None else f"; {self._plan.unseen_by.folder} holds others for training"
            raise DatasetError("dataset.bad_source", f"{told}{more}. Give more, or fewer patches with the defect")

    def _part(self, number: int) -> Composed:
        label = self._labels[number % len(self._labels)]
        rng = np.random.default_rng([self._plan.seed, number])
        passing = self._plan.table.passing.name
        count = self._needed if label == passing else self._defective
        shown = [self._stock[label][index] for index in rng.permutation(len(self._stock[label]))[:count]]
        if others := self._needed - count:
            good = self._stock[passing]
            shown += [good[index] for index in rng.permutation(len(good))[:others]]
        ordered = [shown[index] for index in rng.permutation(self._needed)]
        return self._laid(f"c{self._plan.seed}-{number + 1:05d}", label, ordered)

    def _laid(self, part_id: str, label: str, pictures: Sequence[_Picture]) -> Composed:
        kind = self._plan.part_type
        image = np.zeros((kind.geometry.lines_per_turn, kind.width_px + 2 * MARGIN_PX), np.uint8)
        mask = np.zeros_like(image)
        numbers = {surface.name: number for number, surface in enumerate(marks_of(self._plan.table))}
        for picture, (lines, columns) in zip(pictures, _places(kind), strict=True):
            image[lines, columns] = _resized(read_picture(picture.path), lines, columns)
            mask[lines, columns] = numbers[picture.label]
        names = tuple(picture.name for picture in pictures)
        return Composed(part_id, label, image, mask, MARGIN_PX, MARGIN_PX + kind.width_px, names)


def _places(kind: PartType) -> list[tuple[slice, slice]]:
    """Lines and columns of every patch."""
    geometry = kind.geometry
    block, across = geometry.lines_per_block, geometry.patches_per_strip
    edges = [MARGIN_PX + round(kind.width_px * number / across) for number in range(across + 1)]
    return [
        (slice(strip * block, (strip + 1) * block), slice(edges[place], edges[place + 1]))
        for strip in range(geometry.blocks_per_turn)
        for place in range(across)
    ]


def _resized(picture: Pixels, lines: slice, columns: slice) -> Pixels:
    size = (columns.stop - columns.start, lines.stop - lines.start)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _stock(plan: Composition) -> dict[str, list[_Picture]]:
    """The pictures that may be shown, by class; nothing is read of them but, where it matters, their hash."""
    layout = read_layout(plan.pictures)
    seen = _seen_by(plan.unseen_by)
    stock: dict[str, list[_Picture]] = {name: [] for name in sorted(layout.classes)}
    for one in layout.pictures:
        if one.split in {None, Split.TEST} and not (seen and file_sha256(one.path) in seen):
            stock[one.label].append(_Picture(one.path, one.name, one.label))
    if absent := [name for name in plan.labels if name not in stock]:
        told = f"{plan.pictures} has no folder {', '.join(absent)}; there are {', '.join(stock) or 'none'}"
        raise DatasetError("dataset.bad_choice", told)
    if not any(stock.values()):
        raise DatasetError("dataset.bad_source", f"{plan.pictures}: no picture in a class folder that may be shown")
    return stock


def _seen_by(data: DataSet | None) -> frozenset[str]:
    files = data.manifest.files if data else ()
    return frozenset(file.sha256 for file in files if file.split != split_name(Split.TEST))


def _once_each(pictures: Sequence[_Picture]) -> list[_Picture]:
    """The pictures, of those with the same pixels the first; all that cannot be read are told of together."""
    first: dict[str, _Picture] = {}
    refused = []
    for picture in pictures:
        try:
            pixels = read_picture(picture.path)
        except DatasetError as error:
            refused.append(error.detail)
            continue
        first.setdefault(hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest(), picture)
    if refused:
        raise DatasetError("dataset.bad_source", listing(refused))
    return list(first.values())
