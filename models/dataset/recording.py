"""Data sets from recordings with the truth: 16 patches a scan (SMHSD-P-TA), or the whole scan small (SMHSD-O-TA).

The part's columns are those of the truth, each edge moved at random by a few, as a crop may err. A turn has no first
line but the one at the index pulse: a scan that trains may be cut more than once, each time from another line on, so
that patch borders fall elsewhere.
Source: Mustafaev et al., section IV: patches of 256x256, whole images of 512x256.
"""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from models.dataset.patches import RULE, cut, label_patches
from models.dataset.scans import LabelledScan, read_gray, read_scans
from models.dataset.split import Shares, assign_splits, join_groups, same_values
from models.dataset.store import DataFile, DataHeading, DataSet, Entry, Split, check_place, split_name, write_data
from station.core.errors import DatasetError, RecordingError
from station.core.part import LINES_PER_TURN, PATCH_PX, PATCHES_PER_PART, SurfaceClass

WHOLE_SHAPE = (512, 256)
"""Height and width of a whole scan in px."""
CLASSES = tuple(surface.label for surface in SurfaceClass)
_PNG = b"\x89PNG\r\n\x1a\n"
_GREY_TURN = LINES_PER_TURN.to_bytes(4, "big") + bytes([8, 0])
"""Height, bit depth and colour type in the header of a scan's PNG."""


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What is to be made of recordings.

    Attributes:
        kind: Patches or whole scans.
        name: The data set's.
        folders: Recordings whose parts are shared out.
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
    validation: tuple[Path, ...] = ()
    test: tuple[Path, ...] = ()
    shares: Shares = (80, 20, 0)
    seed: int = 1
    jitter_px: int = 2
    cuts: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of an image."""
        return (PATCH_PX, PATCH_PX) if self.kind == "patches" else WHOLE_SHAPE

    def cuts_of(self, split: str) -> int:
        """How many times a scan of this split is cut; one that judges is cut as the station cuts it."""
        return self.cuts if split == split_name(Split.TRAIN) else 1

    def images_of(self, split: str) -> int:
        """Images of a scan of this split."""
        return self.cuts_of(split) * (PATCHES_PER_PART if self.kind == "patches" else 1)


@dataclass(frozen=True, slots=True)
class _Source:
    number: int
    scan: LabelledScan
    file: DataFile


def make_from_recordings(
    folder: Path, plan: RecordingPlan, jobs: int = 1, done: Callable[[int, int], None] = lambda _done, _all: None
) -> DataSet:
    """Make a data set; its bytes do not depend on the number of processes.

    Args:
        folder: Where it goes; nothing may lie there.
        plan: What it is made of.
        jobs: Processes.
        done: Called after each scan with how many there are done and in all.

    Raises:
        DatasetError: The choices or the scans do not allow it, or it cannot be written.
        RecordingError: A recording or a scan cannot be used.
    """
    sources = _sources(plan)
    count = sum(plan.images_of(source.file.split) for source in sources)
    check_place(folder, count * plan.shape[0] * plan.shape[1])
    heading = DataHeading(
        name=plan.name, kind=plan.kind, classes=CLASSES, height=plan.shape[0], width=plan.shape[1],
        source=_told(plan), seed=plan.seed, jitter_px=plan.jitter_px, cuts=plan.cuts, shares=plan.shares,
        rule=RULE if plan.kind == "patches" else "the part's class",
    )  # fmt: skip
    return write_data(folder, heading, _entries(sources, plan, jobs, done), count)


def _sources(plan: RecordingPlan) -> list[_Source]:
    """Every scan with its hashes, group and split; refuses what cannot become a data set before an image is cut."""
    scans = [scan for folder in plan.folders for scan in read_scans(folder)]
    given: list[tuple[LabelledScan, Split]] = []
    for split, folders in ((Split.VALIDATION, plan.validation), (Split.TEST, plan.test)):
        given += [(scan, split) for folder in folders for scan in read_scans(folder)]
    everything = scans + [scan for scan, _ in given]
    if len({scan.surface for scan in everything}) < 2:
        raise DatasetError("dataset.bad_source", f"{_told(plan)}: the parts are of fewer than two classes")
    hashes = [(_checked_sha256(scan.image_path), _checked_sha256(scan.mask_path)) for scan in everything]
    number_of = {part_id: number for number, part_id in enumerate({scan.part_id: None for scan in everything})}
    same = same_values(image for image, _ in hashes)
    groups = join_groups([number_of[scan.part_id] for scan in everything], same)
    labels = [scan.surface.label for scan in scans]
    splits = assign_splits(groups[: len(scans)], labels, plan.shares, plan.seed) + [split for _, split in given]
    _refuse_leaks(everything, groups, splits)
    return [
        _Source(number, scan, _file(scan, *own, group, split))
        for number, (scan, own, group, split) in enumerate(zip(everything, hashes, groups, splits, strict=True))
    ]


def _refuse_leaks(scans: Sequence[LabelledScan], groups: Sequence[int], splits: Sequence[Split]) -> None:
    """A part, or a scan of the same bytes, lies in one split only."""
    first: dict[int, tuple[Split, LabelledScan]] = {}
    for scan, group, split in zip(scans, groups, splits, strict=True):
        before, other = first.setdefault(group, (split, scan))
        if before is not split:
            names = f"{other.image_path} for {before.name.lower()}, {scan.image_path} for {split.name.lower()}"
            raise DatasetError("dataset.bad_source", f"the same part, or the same bytes: {names}")


def _file(scan: LabelledScan, image: str, mask: str, group: int, split: Split) -> DataFile:
    path = f"{scan.image_path.parent.name}/{scan.image_path.name}"
    return DataFile(
        path=path, sha256=image, truth_sha256=mask, group=group, label=scan.surface.label, split=split_name(split)
    )


def _told(plan: RecordingPlan) -> str:
    parts = (("", plan.folders), ("validation ", plan.validation), ("test ", plan.test))
    return "; ".join(f"{use}{', '.join(folder.name for folder in folders)}" for use, folders in parts if folders)


def _checked_sha256(path: Path) -> str:
    """The hash of a picture that is there, and, if it is a PNG, of the right kind and whole."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError("recording.bad_image", f"{path}: {error}") from error
    if content[:8] == _PNG and content[20:26] != _GREY_TURN:
        raise RecordingError("recording.bad_image", f"{path}: not 3584 lines of 8-bit grey")
    if not content or (content[:8] == _PNG and b"IEND" not in content[-16:]):
        raise RecordingError("recording.bad_image", f"{path}: the file is cut off")
    return hashlib.sha256(content).hexdigest()


def _entries(
    sources: Sequence[_Source], plan: RecordingPlan, jobs: int, done: Callable[[int, int], None]
) -> Iterator[Entry]:
    make = partial(_entry, plan)
    if jobs == 1:
        for source in sources:
            yield make(source)
            done(source.number + 1, len(sources))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        for number, entry in enumerate(pool.map(make, sources), 1):
            yield entry
            done(number, len(sources))
    finally:
        pool.shutdown(cancel_futures=True)


def _entry(plan: RecordingPlan, source: _Source) -> Entry:
    scan = source.scan
    rng = np.random.default_rng([plan.seed, source.number])
    edges = np.array([scan.left, scan.right]) + rng.integers(-plan.jitter_px, plan.jitter_px + 1, 2)
    image, mask = read_gray(scan.image_path), read_gray(scan.mask_path)
    left, right = (int(edge) for edge in edges.clip(0, image.shape[1]))
    if image.shape != mask.shape or right - left < PATCH_PX:
        told = f"{scan.image_path}: columns {scan.left} to {scan.right} of {image.shape[1]}, mask of {mask.shape[1]}"
        raise RecordingError("recording.bad_image", told)
    first_lines = [0, *rng.integers(1, LINES_PER_TURN, plan.cuts_of(source.file.split) - 1)]
    turns = [(np.roll(image, -line, axis=0), np.roll(mask, -line, axis=0)) for line in first_lines]
    if plan.kind == "patches":
        patches = np.concatenate([cut(turned, left, right) for turned, _ in turns])
        labels = np.concatenate([label_patches(turned, left, right) for _, turned in turns])
        return Entry(source.file, patches, labels.astype(np.int16))
    height, width = WHOLE_SHAPE
    wholes = [cv2.resize(turned[:, left:right], (width, height), interpolation=cv2.INTER_AREA) for turned, _ in turns]
    return Entry(source.file, np.stack(wholes), np.full(len(wholes), scan.surface, np.int16))
