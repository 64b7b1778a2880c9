"""One scan becomes images: all its patches, or the whole scan small, each with what is known of it.

The part's columns are those that the truth names, or that the station found; each edge is moved at random by a few, as
a crop may err. A turn has no first line but the one at the index pulse: a scan that trains may be cut more than once,
each time from another line on, so that patch borders fall elsewhere; one of whose patches somebody has spoken is not,
for these patches are then no more.
Source: Mustafaev et al.: patches of 256x256, section IV.B; whole images of 512x256, section V.D.1. The data sets are
like SMHSD-P-TA and SMHSD-O-TA there in their sizes alone: there the defective patches were chosen by hand and augmented
on disk, here all patches of every part are taken, labelled by a mask, and augmented while training.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from models.dataset.manifest import DataFile, Level, Split, split_name
from models.dataset.patches import cut, label_patches
from models.dataset.pictures import read_picture
from models.dataset.said import Canvas, PatchLabels, Said, SaidScan, SortedPatches, canvases, patch_labels, read_said
from models.dataset.scans import LabelledScan, read_image, read_mask
from models.dataset.split import Shares
from models.dataset.store import Entry
from models.errors import DatasetError
from station.core.errors import RecordingError
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.verdicts import Classes

WHOLE_SHAPE = (512, 256)
"""Height and width of a whole scan in px."""

Scan = LabelledScan | SaidScan | SortedPatches
LabelsOf = Callable[[int, int, int], PatchLabels]
"""What is known of the patches of a turn: by its first line, and the columns before and behind the part."""


@dataclass(frozen=True, slots=True)
class CutPlan:
    """How scans become a data set.

    Attributes:
        kind: Patches or whole scans.
        name: The data set's.
        table: The configured classes; the data set's are those, in the order of the numbers of masks.
        geometry: How a turn becomes patches.
        shares: Of the parts that were given for no split, in percent.
        seed: Of splits, jitter and cuts.
        jitter_px: By how many columns, at most, each edge of a part is moved.
        cuts: How many times a scan that trains is cut: from its first line, and then from lines drawn at random.
    """

    kind: Literal["patches", "whole"]
    name: str
    table: Classes
    geometry: Geometry
    shares: Shares = (80, 20, 0)
    seed: int = 1
    jitter_px: int = 2
    cuts: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of an image."""
        side = self.geometry.patch_px
        return (side, side) if self.kind == "patches" else WHOLE_SHAPE

    def cuts_of(self, scan: LabelledScan | SaidScan, split: str) -> int:
        """How many times a scan of this split is cut.

        One that judges is cut as the station cuts it, and one that is no whole turn has no other line to begin at.
        """
        spoken_of = isinstance(scan, SaidScan) and bool(scan.said.patches) and self.kind == "patches"
        return self.cuts if split == split_name(Split.TRAIN) and scan.closed and not spoken_of else 1

    def images_of(self, scan: Scan, split: str) -> int:
        """Images of a scan of this split."""
        if isinstance(scan, SortedPatches):
            return len(scan.files)
        return self.cuts_of(scan, split) * (self.geometry.patches_per_part if self.kind == "patches" else 1)


@dataclass(frozen=True, slots=True)
class ToCut:
    """A scan, its number among all, and what the manifest says of it."""

    number: int
    scan: Scan
    file: DataFile


@dataclass(frozen=True, slots=True)
class Cut:
    """What was taken from a scan, and the hash of its pixels, which is that of no other surface."""

    entry: Entry
    pixels_sha256: str


def cut_scan(plan: CutPlan, source: ToCut) -> Cut:
    """What is taken from a scan.

    Raises:
        DatasetError: Its file, or one that says what it shows, cannot be used.
    """
    try:
        match source.scan:
            case SortedPatches():
                return _sorted(plan, source.scan, source.file)
            case SaidScan() as scan:
                image = read_said(scan, plan.geometry.lines_per_turn)
                labels_of = partial(_said, scan.said, canvases(scan.said, image.shape), plan.geometry)
                return _turns(plan, source, scan, image, labels_of, scan.said.part)
            case scan:
                image, mask = read_image(scan), read_mask(scan)
                _require_fit(plan, scan, image, mask)
                labels_of = partial(_masked, mask, plan.geometry)
                return _turns(plan, source, scan, image, labels_of, scan.number)
    except RecordingError as error:
        raise DatasetError("dataset.bad_source", error.detail) from error


def _turns(
    plan: CutPlan, source: ToCut, scan: LabelledScan | SaidScan, image: Pixels, labels_of: LabelsOf, part: int
) -> Cut:
    rng = np.random.default_rng([plan.seed, source.number])
    edges = np.array([scan.left, scan.right]) + rng.integers(-plan.jitter_px, plan.jitter_px + 1, 2)
    pixels_sha256 = hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest()
    left, right = (int(edge) for edge in edges.clip(0, image.shape[1]))
    drawn = rng.integers(1, plan.geometry.lines_per_turn, plan.cuts_of(scan, source.file.split) - 1)
    first_lines = [0, *drawn.tolist()]
    turned = [np.roll(image, -line, axis=0) for line in first_lines]
    if plan.kind == "whole":
        height, width = WHOLE_SHAPE
        wholes = [cv2.resize(turn[:, left:right], (width, height), interpolation=cv2.INTER_AREA) for turn in turned]
        return Cut(
            Entry(source.file, np.stack(wholes), np.full(len(wholes), part, np.int16), per_part=1), pixels_sha256
        )
    patches = np.concatenate([cut(turn, left, right, plan.geometry) for turn in turned])
    known = [labels_of(line, left, right) for line in first_lines]
    labels, levels = (
        np.concatenate(values) for values in zip(*((one.labels, one.levels) for one in known), strict=True)
    )
    return Cut(Entry(source.file, patches, labels, levels, part, plan.geometry.patches_per_part), pixels_sha256)


def _masked(mask: Pixels, geometry: Geometry, line: int, left: int, right: int) -> PatchLabels:
    labels = label_patches(np.roll(mask, -line, axis=0), left, right, geometry).astype(np.int16)
    return PatchLabels(labels, np.full(len(labels), Level.MASK, np.uint8))


def _said(said: Said, marked: Sequence[Canvas], geometry: Geometry, line: int, left: int, right: int) -> PatchLabels:
    turned = [(number, np.roll(pixels, -line, axis=0)) for number, pixels in marked]
    return patch_labels(said, turned, left, right, geometry)


def _sorted(plan: CutPlan, scan: SortedPatches, file: DataFile) -> Cut:
    """The patches as they lie there; of their part nothing is said."""
    images = np.stack([read_sorted(path, plan.shape) for path in scan.files.values()])
    labels = np.array([scan.said.patches[index] for index in scan.files], np.int16)
    sha256 = hashlib.sha256(images.tobytes()).hexdigest()
    return Cut(Entry(file, images, labels, part_label=-1), sha256)


def read_sorted(path: Path, shape: tuple[int, int]) -> Pixels:
    """A patch from its file.

    Raises:
        DatasetError: It cannot be read, or has another size.
    """
    image = read_picture(path)
    if image.shape != shape:
        told = (
            f"{path}: it is {image.shape[0]} px high and {image.shape[1]} wide, patches are {shape[0]} and {shape[1]}"
        )
        raise DatasetError("dataset.bad_source", told)
    return image


def _require_fit(plan: CutPlan, scan: LabelledScan, image: Pixels, mask: Pixels) -> None:
    if image.shape != mask.shape or scan.right - scan.left < plan.geometry.patch_px:
        told = f"{scan.image_path}: columns {scan.left} to {scan.right} of {image.shape[1]}, mask of {mask.shape[1]}"
        raise DatasetError("dataset.bad_source", told)
