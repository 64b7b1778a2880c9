"""Data sets from recordings with the truth: all patches of a scan, or the whole scan small.

The part's columns are those of the truth, each edge moved at random by a few, as a crop may err. A turn has no first
line but the one at the index pulse: a scan that trains may be cut more than once, each time from another line on, so
that patch borders fall elsewhere.
Source: Mustafaev et al.: patches of 256x256, section IV.B; whole images of 512x256, section V.D.1. The data sets are
like SMHSD-P-TA and SMHSD-O-TA there in their sizes alone: there the defective patches were chosen by hand and augmented
on disk, here all patches of every part are taken, labelled by a mask, and augmented while training.
"""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from models.dataset.patches import RULE, cut, label_patches
from models.dataset.scans import LabelledScan, listing, marks_of, read_image, read_mask, read_scans
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
from models.manifest import ScanGeometry
from station.core.errors import RecordingError
from station.core.geometry import Geometry
from station.core.verdicts import Classes

WHOLE_SHAPE = (512, 256)
"""Height and width of a whole scan in px."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What is to be made of recordings.

    Attributes:
        kind: Patches or whole scans.
        name: The data set's.
        folders: Recordings whose parts are shared out.
        table: The configured classes; the data set's are those, in the order of the numbers of masks.
        geometry: How a turn becomes patches.
        validation: Recordings whose parts are all for validation.
        test: Recordings whose parts are all for testing.
        shares: Of the parts of `folders`, in percent.
        seed: Of splits, jitter and cuts.
        jitter_px: By how many columns, at most, each edge of a part is moved.
        cuts: How many times a scan that trains is cut: from its first line, and then from lines drawn at random.
    """

    kind: Literal["patches", "whole"]
    name: str
    folders: tuple[Path, ...]
    table: Classes
    geometry: Geometry
    validation: tuple[Path, ...] = ()
    test: tuple[Path, ...] = ()
    shares: Shares = (80, 20, 0)
    seed: int = 1
    jitter_px: int = 2
    cuts: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of an image."""
        side = self.geometry.patch_px
        return (side, side) if self.kind == "patches" else WHOLE_SHAPE

    def cuts_of(self, scan: LabelledScan, split: str) -> int:
        """How many times a scan of this split is cut.

        One that judges is cut as the station cuts it, and one that is no whole turn has no other line to begin at.
        """
        return self.cuts if split == split_name(Split.TRAIN) and scan.closed else 1

    def images_of(self, scan: LabelledScan, split: str) -> int:
        """Images of a scan of this split."""
        return self.cuts_of(scan, split) * (self.geometry.patches_per_part if self.kind == "patches" else 1)


@dataclass(frozen=True, slots=True)
class _Source:
    number: int
    scan: LabelledScan
    file: DataFile


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first look at a scan's files gave; nothing but `refused` where they cannot be used."""

    image_sha256: str = ""
    mask_sha256: str = ""
    refused: str = ""


def make_from_recordings(
    folder: Path, plan: RecordingPlan, jobs: int = 1, done: Callable[[int, int], None] = lambda _done, _all: None
) -> DataSet:
    """Make a data set; its bytes do not depend on the number of processes.

    Every mask is held against its part's label before the first scan is cut, and all that do not fit are told of
    together. A scan is checked when it is cut.

    Args:
        folder: Where it goes; nothing may lie there.
        plan: What it is made of.
        jobs: Processes.
        done: Called after each look and each cut with how many there are done and in all.

    Raises:
        DatasetError: The choices or the scans do not allow it, or it cannot be written.
        RecordingError: A recording's lists cannot be used.
    """
    scans = _scans(plan)
    with _workers(jobs) as work:
        looks = _counted(work(_look, [scan for scan, _split in scans]), 0, 2 * len(scans), done)
        sources = _sources(plan, scans, list(looks))
        count = sum(plan.images_of(source.scan, source.file.split) for source in sources)
        check_place(folder, count * plan.shape[0] * plan.shape[1])
        heading = DataHeading(
            name=plan.name, kind=plan.kind, classes=tuple(surface.name for surface in marks_of(plan.table)),
            passing=plan.table.passing.name, height=plan.shape[0], width=plan.shape[1],
            geometry=ScanGeometry.of(plan.geometry) if plan.kind == "patches" else None,
            source=_told(plan), seed=plan.seed, jitter_px=plan.jitter_px, cuts=plan.cuts, shares=plan.shares,
            rule=RULE if plan.kind == "patches" else "the part's class",
        )  # fmt: skip
        cuts = _counted(work(partial(_cut, plan), sources), len(scans), 2 * len(scans), done)
        return write_data(folder, heading, _each_once(sources, cuts), count)


Scans = list[tuple[LabelledScan, Split | None]]
"""Every scan, and the split that it was given for; those without one come first."""


def _scans(plan: RecordingPlan) -> Scans:
    uses = ((None, plan.folders), (Split.VALIDATION, plan.validation), (Split.TEST, plan.test))
    scans = [(scan, split) for split, folders in uses for folder in folders
             for scan in read_scans(folder, plan.table, plan.geometry.lines_per_turn)]  # fmt: skip
    if len({scan.surface for scan, _split in scans}) < 2:
        raise DatasetError("dataset.bad_source", f"{_told(plan)}: the parts are of fewer than two classes")
    return scans


def _look(scan: LabelledScan) -> _Look:
    """Hashes of a scan and its mask; the mask is read, the scan will be when it is cut."""
    try:
        read_mask(scan)
        return _Look(file_sha256(scan.image_path), file_sha256(scan.mask_path))
    except RecordingError as error:
        return _Look(refused=error.detail)
    except OSError as error:
        return _Look(refused=str(error))


def _sources(plan: RecordingPlan, scans: Scans, looks: Sequence[_Look]) -> list[_Source]:
    """Every scan with its hashes, group and split; refuses what cannot become a data set before an image is cut."""
    if refused := [look.refused for look in looks if look.refused]:
        raise DatasetError("dataset.bad_source", listing(refused))
    everything = [scan for scan, _split in scans]
    number_of = {part_id: number for number, part_id in enumerate({scan.part_id: None for scan in everything})}
    same = same_values(look.image_sha256 for look in looks)
    groups = join_groups([number_of[scan.part_id] for scan in everything], same)
    shared = sum(split is None for _scan, split in scans)
    labels = [scan.surface.name for scan in everything[:shared]]
    dealt = assign_splits(groups[:shared], labels, plan.shares, plan.seed)
    splits = dealt + [split for _scan, split in scans if split is not None]
    _refuse_leaks(everything, groups, splits)
    return [
        _Source(number, scan, _file(scan, look, group, split))
        for number, (scan, look, group, split) in enumerate(zip(everything, looks, groups, splits, strict=True))
    ]


def _each_once(sources: Sequence[_Source], cuts: Iterable[tuple[Entry, str]]) -> Iterator[Entry]:
    """The entries, as long as the same pixels are of one class, and lie in one split.

    Of two labels of one surface one is wrong, and nobody here knows which.
    """
    first: dict[str, _Source] = {}
    for source, (entry, pixels_sha256) in zip(sources, cuts, strict=True):
        other = first.setdefault(pixels_sha256, source)
        for what in ("label", "split"):
            one, two = getattr(other.file, what), getattr(source.file, what)
            if one != two:
                told = f"{other.scan.image_path} is {one}, {source.scan.image_path} is {two}"
                raise DatasetError("dataset.bad_source", f"the same pixels with two {what}s: {told}")
        yield entry


def _refuse_leaks(scans: Sequence[LabelledScan], groups: Sequence[int], splits: Sequence[Split]) -> None:
    """A part, or a scan of the same bytes, lies in one split only."""
    first: dict[int, tuple[Split, LabelledScan]] = {}
    for scan, group, split in zip(scans, groups, splits, strict=True):
        before, other = first.setdefault(group, (split, scan))
        if before is not split:
            names = f"{other.image_path} for {before.name.lower()}, {scan.image_path} for {split.name.lower()}"
            raise DatasetError("dataset.bad_source", f"the same part, or the same bytes: {names}")


def _file(scan: LabelledScan, look: _Look, group: int, split: Split) -> DataFile:
    return DataFile(
        path=f"{scan.image_path.parent.name}/{scan.image_path.name}", sha256=look.image_sha256,
        truth_sha256=look.mask_sha256, group=group, label=scan.surface.name, split=split_name(split),
    )  # fmt: skip


def _told(plan: RecordingPlan) -> str:
    parts = (("", plan.folders), ("validation ", plan.validation), ("test ", plan.test))
    return "; ".join(f"{use}{', '.join(folder.name for folder in folders)}" for use, folders in parts if folders)


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` whose results come in order, in this process or in so many others."""
    if jobs == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(items: Iterator[Item], before: int, of: int, done: Callable[[int, int], None]) -> Iterator[Item]:
    for number, item in enumerate(items, before + 1):
        yield item
        done(number, of)


def _cut(plan: RecordingPlan, source: _Source) -> tuple[Entry, str]:
    """What is taken from a scan, and the hash of its pixels."""
    scan = source.scan
    rng = np.random.default_rng([plan.seed, source.number])
    edges = np.array([scan.left, scan.right]) + rng.integers(-plan.jitter_px, plan.jitter_px + 1, 2)
    try:
        image, mask = read_image(scan), read_mask(scan)
    except RecordingError as error:
        raise DatasetError("dataset.bad_source", error.detail) from error
    if image.shape != mask.shape or scan.right - scan.left < plan.geometry.patch_px:
        told = f"{scan.image_path}: columns {scan.left} to {scan.right} of {image.shape[1]}, mask of {mask.shape[1]}"
        raise DatasetError("dataset.bad_source", told)
    pixels_sha256 = hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest()
    left, right = (int(edge) for edge in edges.clip(0, image.shape[1]))
    first_lines = [0, *rng.integers(1, plan.geometry.lines_per_turn, plan.cuts_of(scan, source.file.split) - 1)]
    turns = [(np.roll(image, -line, axis=0), np.roll(mask, -line, axis=0)) for line in first_lines]
    if plan.kind == "patches":
        patches = np.concatenate([cut(turned, left, right, plan.geometry) for turned, _ in turns])
        labels = np.concatenate([label_patches(turned, left, right, plan.geometry) for _, turned in turns])
        return Entry(source.file, patches, labels.astype(np.int16)), pixels_sha256
    height, width = WHOLE_SHAPE
    wholes = [cv2.resize(turned[:, left:right], (width, height), interpolation=cv2.INTER_AREA) for turned, _ in turns]
    return Entry(source.file, np.stack(wholes), np.full(len(wholes), scan.number, np.int16)), pixels_sha256
