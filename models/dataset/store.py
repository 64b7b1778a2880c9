"""A data set on disk: images as one array, their classes, groups and splits, and a manifest that names every file.

    DATA/manifest.json    what it is, and the SHA-256 of every source file and of every array; format 1 is read, too
    DATA/images.npy       (n, height, width) uint8, mapped, never read whole
    DATA/labels.npy       (n,) int16, index into the classes, or SLIVER
    DATA/groups.npy       (n,) int32, the part or group of pictures that an image is of
    DATA/splits.npy       (n,) int8, a `Split`
    DATA/files.npy        (n,) int32, index into the manifest's files

A data set is written beside its place and moved there when it is whole: a folder with a manifest is complete.
"""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from models.errors import DatasetError
from models.manifest import ScanGeometry
from station.core.durable import make_folder, staged_folder
from station.core.part import Pixels

SLIVER = -1
"""Label of an image that shows too little of a defect for anybody to tell its class. Not trained on, not counted."""
MANIFEST = "manifest.json"
_ARRAYS = {"labels": np.int16, "groups": np.int32, "splits": np.int8, "files": np.int32}

Kind = Literal["patches", "whole", "class_folders"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Split(IntEnum):
    """What an image is for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


SplitName = Literal["train", "validation", "test"]


def split_name(split: Split) -> SplitName:
    """A split's name in the manifest."""
    return _SPLIT_NAMES[split]


_SPLIT_NAMES: tuple[SplitName, ...] = ("train", "validation", "test")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataFile(_Section):
    """A picture that images were taken from.

    Attributes:
        path: Where it was, from the folder that holds the recording or the class folders.
        sha256: Of its bytes.
        truth_sha256: Of its mask's bytes; None where there is no mask.
        group: Number of its group; a group lies in one split whole.
        label: Class of the whole picture.
        split: `train`, `validation` or `test`.
    """

    path: str
    sha256: Sha256
    truth_sha256: Sha256 | None = None
    group: Annotated[int, Field(ge=0)]
    label: str
    split: SplitName


class DataHeading(_Section):
    """What a data set is.

    Attributes:
        name: Its name in reports.
        kind: Patches of scans, whole scans, or pictures from folders of classes.
        classes: Names of the classes; a label is an index into them.
        passing: The one of them with which a picture is good; None where nobody said, or none is.
        geometry: How the patches were cut from a scan; None of pictures that were not, or where nobody wrote it down.
        height: Of every image in px.
        width: Of every image in px.
        source: Where the pictures come from, for people; folders in the order of their numbers.
        seed: Of splits, jitter and cuts.
        jitter_px: By how many columns, at most, the edges of a part were moved.
        cuts: How many times a scan that trains was cut, each time from another line of its turn.
        shares: Percent of the groups for training, validation and test, as asked for.
        rule: How an image's label follows from the truth, for people.
    """

    name: Annotated[str, Field(min_length=1)]
    kind: Kind
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    passing: str | None = None
    geometry: ScanGeometry | None = None
    height: Annotated[int, Field(gt=0)]
    width: Annotated[int, Field(gt=0)]
    source: str
    seed: Annotated[int, Field(ge=0)]
    jitter_px: Annotated[int, Field(ge=0)] = 0
    cuts: Annotated[int, Field(ge=1)] = 1
    shares: tuple[int, int, int]
    rule: str = "the picture's class"

    @property
    def good(self) -> int | None:
        """The number of the class that passes, or None."""
        return None if self.passing is None else self.classes.index(self.passing)


class DataManifest(DataHeading):
    """The heading, every source file, and the SHA-256 of every array."""

    format: Literal[1, 2] = 2
    images: Annotated[int, Field(ge=0)]
    files: tuple[DataFile, ...]
    arrays: dict[str, Sha256]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.arrays) != {"images", *_ARRAYS}:
            raise ValueError(f"arrays {sorted(self.arrays)}")
        if unknown := {file.label for file in self.files} - set(self.classes):
            raise ValueError(f"labels that are no classes: {sorted(unknown)}")
        if self.passing is not None and self.passing not in self.classes:
            raise ValueError(f"passing: {self.passing} is none of the classes {', '.join(self.classes)}")
        return self


@dataclass(frozen=True, slots=True)
class Entry:
    """A source file and the images taken from it.

    Attributes:
        file: The file.
        images: (k, height, width) uint8.
        labels: (k,) index into the classes, or SLIVER.
    """

    file: DataFile
    images: Pixels
    labels: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, its images mapped from disk.

    Attributes:
        folder: Where it lies.
        manifest: What it is.
        sha256: Of `manifest.json`, which names the hash of everything in it.
        images: (n, height, width) uint8.
        labels: (n,) int16, index into the classes, or SLIVER.
        groups: (n,) int32.
        splits: (n,) int8, a `Split`.
        files: (n,) int32, index into `manifest.files`.
    """

    folder: Path
    manifest: DataManifest
    sha256: str
    images: Pixels
    labels: NDArray[np.int16]
    groups: NDArray[np.int32]
    splits: NDArray[np.int8]
    files: NDArray[np.int32]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.manifest.classes

    def indices(self, split: Split) -> NDArray[np.intp]:
        """The images of a split, without slivers, rising."""
        return np.flatnonzero((self.splits == split) & (self.labels != SLIVER))


def write_data(folder: Path, heading: DataHeading, entries: Iterable[Entry], count: int) -> DataSet:
    """Write a data set, whole or not at all.

    Args:
        folder: Its place; nothing may lie there.
        heading: What it is.
        entries: All files with their images.
        count: Of all images.

    Raises:
        DatasetError: The place is taken, the disk is full, or the entries do not fit heading and count.
    """
    check_place(folder, count * heading.height * heading.width)
    try:
        make_folder(folder.parent)
        with staged_folder(folder, folder.with_name(f"{folder.name}.unfinished")) as draft:
            files = _write_arrays(draft, heading, entries, count)
            arrays = {name: file_sha256(draft / f"{name}.npy") for name in ("images", *_ARRAYS)}
            manifest = DataManifest(**heading.model_dump(), images=count, files=files, arrays=arrays)
            (draft / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DatasetError("dataset.disk_failed", f"{folder}: {error}") from error
    return read_data(folder)


def check_place(folder: Path, size_bytes: int) -> None:
    """Make sure that nothing lies in a place and that the disk has room there.

    Raises:
        DatasetError: It is not so.
    """
    if folder.exists():
        raise DatasetError("dataset.exists", str(folder))
    there = next(parent for parent in folder.resolve().parents if parent.exists())
    if not there.is_dir():
        raise DatasetError("dataset.disk_failed", f"{there} is no folder")
    if size_bytes > (free := shutil.disk_usage(there).free):
        raise DatasetError("dataset.disk_failed", f"{folder}: {size_bytes:,} bytes are needed, {free:,} are free")


def read_data(folder: Path) -> DataSet:
    """A data set from disk; the images' own hash is checked by `verify_images` alone, because they are many.

    Raises:
        DatasetError: It is none, an array was altered, or does not fit the manifest.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = DataManifest.model_validate_json(content)
        images = np.load(folder / "images.npy", mmap_mode="r")
        arrays = {name: np.load(folder / f"{name}.npy") for name in _ARRAYS}
    except (OSError, ValueError, ValidationError) as error:
        raise DatasetError("dataset.unreadable", f"{folder}: {error}") from error
    if images.shape != (manifest.images, manifest.height, manifest.width) or images.dtype != np.uint8:
        raise DatasetError("dataset.unreadable", f"{folder}: images are {images.dtype} {images.shape}")
    for name, kind in _ARRAYS.items():
        if arrays[name].shape != (manifest.images,) or arrays[name].dtype != kind:
            raise DatasetError("dataset.unreadable", f"{folder}: {name} do not fit the manifest")
        if file_sha256(folder / f"{name}.npy") != manifest.arrays[name]:
            raise DatasetError("dataset.wrong_hash", str(folder / f"{name}.npy"))
    return DataSet(folder, manifest, hashlib.sha256(content).hexdigest(), images, **arrays)


def verify_images(data: DataSet) -> None:
    """Read all images and compare their hash with the manifest's.

    Raises:
        DatasetError: They were altered.
    """
    if file_sha256(data.folder / "images.npy") != data.manifest.arrays["images"]:
        raise DatasetError("dataset.wrong_hash", str(data.folder / "images.npy"))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_arrays(draft: Path, heading: DataHeading, entries: Iterable[Entry], count: int) -> tuple[DataFile, ...]:
    shape = (heading.height, heading.width)
    images = np.lib.format.open_memmap(draft / "images.npy", "w+", np.uint8, (count, *shape))
    columns = {name: np.zeros(count, kind) for name, kind in _ARRAYS.items()}
    files: list[DataFile] = []
    end = 0
    for entry in entries:
        here = slice(end, end := end + len(entry.images))
        if end > count or entry.images.shape[1:] != shape or not _labels_fit(entry, len(heading.classes)):
            raise DatasetError("dataset.bad_source", f"{entry.file.path}: {entry.images.shape}, labels {entry.labels}")
        images[here], columns["labels"][here] = entry.images, entry.labels
        columns["groups"][here], columns["splits"][here] = entry.file.group, Split[entry.file.split.upper()]
        columns["files"][here] = len(files)
        files.append(entry.file)
    if end != count:
        raise DatasetError("dataset.bad_source", f"{end} images in place of {count}")
    images.flush()
    for name, values in columns.items():
        np.save(draft / f"{name}.npy", values)
    return tuple(files)


def _labels_fit(entry: Entry, classes: int) -> bool:
    labels = entry.labels
    return labels.shape == (len(entry.images),) and bool(((labels >= SLIVER) & (labels < classes)).all())
