"""A data set on disk: images as one array, what is known of each of them, and a manifest that names every file.

    DATA/manifest.json      what it is, and the SHA-256 of every source file and of every array; see `manifest`
    DATA/images.npy         (n, height, width) uint8, mapped, never read whole
    DATA/labels.npy         (n,) int16, index into the classes, or -1: SLIVER or UNLABELLED
    DATA/levels.npy         (n,) uint8, a `Level`: what the label rests on
    DATA/parts.npy          (n,) int32, the part that an image shows a patch of: one turn of it
    DATA/part_labels.npy    (n,) int16, the class of that whole part, or -1 where nobody said
    DATA/groups.npy         (n,) int32, the part or group of pictures that an image is of, however often it was scanned
    DATA/splits.npy         (n,) int8, a `Split`
    DATA/files.npy          (n,) int32, index into the manifest's files

A data set is written beside its place and moved there when it is whole: a folder with a manifest is complete. Levels,
parts and their labels are in it since format 3; of an older one they follow from what it is.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.dataset.format_2 import as_they_were
from models.dataset.manifest import (
    SLIVER,
    UNLABELLED,
    DataFile,
    DataHeading,
    DataManifest,
    Level,
    Split,
    split_name,
)
from models.errors import DatasetError
from station.core.durable import make_folder, staged_folder
from station.core.part import Pixels

__all__ = [
    "MANIFEST", "SLIVER", "UNLABELLED", "DataFile", "DataHeading", "DataManifest", "DataSet", "Entry", "Level", "Split",
    "check_place", "file_sha256", "read_data", "split_name", "verify_images", "write_data",
]  # fmt: skip

MANIFEST = "manifest.json"
_ARRAYS = {
    "labels": np.int16, "groups": np.int32, "splits": np.int8, "files": np.int32,
    "levels": np.uint8, "parts": np.int32, "part_labels": np.int16,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A source file and the images taken from it.

    Attributes:
        file: The file.
        images: (k, height, width) uint8.
        labels: (k,) index into the classes, or -1.
        levels: (k,) a `Level` of each; None for PATCH.
        part_label: Of every part there, index into the classes, or -1 where nobody said; None for the file's class.
        per_part: So many images in a row are of one part; None for all of them.
    """

    file: DataFile
    images: Pixels
    labels: NDArray[np.int16]
    levels: NDArray[np.uint8] | None = None
    part_label: int | None = None
    per_part: int | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, its images mapped from disk.

    Attributes:
        folder: Where it lies.
        manifest: What it is.
        sha256: Of `manifest.json`, which names the hash of everything in it.
        images: (n, height, width) uint8.
        labels: (n,) int16, index into the classes, or -1: a sliver, or unlabelled.
        groups: (n,) int32.
        splits: (n,) int8, a `Split`.
        files: (n,) int32, index into `manifest.files`.
        levels: (n,) uint8, a `Level`.
        parts: (n,) int32, which part an image is of, each turn of it for itself; rising from 0.
        part_labels: (n,) int16, index into the classes, or -1 where nobody said it of the whole part.
    """

    folder: Path
    manifest: DataManifest
    sha256: str
    images: Pixels
    labels: NDArray[np.int16]
    groups: NDArray[np.int32]
    splits: NDArray[np.int8]
    files: NDArray[np.int32]
    levels: NDArray[np.uint8]
    parts: NDArray[np.int32]
    part_labels: NDArray[np.int16]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.manifest.classes

    @property
    def made(self) -> NDArray[np.bool_]:
        """Which images (n,) no camera took."""
        return np.array([file.made is not None for file in self.manifest.files], np.bool_)[self.files]

    def indices(self, split: Split) -> NDArray[np.intp]:
        """The images of a split that have a label of their own, rising."""
        return np.flatnonzero((self.splits == split) & (self.labels >= 0))

    def taken(self, split: Split) -> NDArray[np.intp]:
        """The same, without images that were made."""
        labelled = self.indices(split)
        return np.asarray(labelled[~self.made[labelled]], np.intp)

    def unlabelled(self, split: Split) -> NDArray[np.intp]:
        """The images of a split of which nothing is known but their part's class, rising; no slivers among them."""
        own = (self.splits == split) & (self.labels < 0)
        return np.flatnonzero(own & (self.levels == Level.PART) & (self.part_labels >= 0))


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
            manifest = _manifest(heading, count, files, arrays)
            (draft / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DatasetError("dataset.disk_failed", f"{folder}: {error}") from error
    return read_data(folder)


def _manifest(heading: DataHeading, count: int, files: tuple[DataFile, ...], arrays: dict[str, str]) -> DataManifest:
    number: Literal[3, 4] = 4 if any(file.made for file in files) else 3
    try:
        return DataManifest(**heading.model_dump(), format=number, images=count, files=files, arrays=arrays)
    except ValidationError as error:
        told = "; ".join(str(problem["msg"]) for problem in error.errors())
        raise DatasetError("dataset.bad_source", told) from error


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
        arrays = {name: np.load(folder / f"{name}.npy") for name in _ARRAYS if name in manifest.arrays}
    except (OSError, ValueError, ValidationError) as error:
        raise DatasetError("dataset.unreadable", f"{folder}: {error}") from error
    if images.shape != (manifest.images, manifest.height, manifest.width) or images.dtype != np.uint8:
        raise DatasetError("dataset.unreadable", f"{folder}: images are {images.dtype} {images.shape}")
    for name, values in arrays.items():
        if values.shape != (manifest.images,) or values.dtype != _ARRAYS[name]:
            raise DatasetError("dataset.unreadable", f"{folder}: {name} do not fit the manifest")
        if file_sha256(folder / f"{name}.npy") != manifest.arrays[name]:
            raise DatasetError("dataset.wrong_hash", str(folder / f"{name}.npy"))
    missing = {} if manifest.format >= 3 else as_they_were(manifest, arrays["files"])
    return DataSet(folder, manifest, hashlib.sha256(content).hexdigest(), images, **arrays, **missing)


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
        images[here] = entry.images
        parts_before = columns["parts"][here.start - 1] + 1 if here.start else 0
        for name, values in _rows(entry, len(files), int(parts_before), heading.classes).items():
            columns[name][here] = values
        files.append(entry.file)
    if end != count:
        raise DatasetError("dataset.bad_source", f"{end} images in place of {count}")
    images.flush()
    for name, values in columns.items():
        np.save(draft / f"{name}.npy", values)
    return tuple(files)


def _rows(entry: Entry, number: int, parts: int, classes: tuple[str, ...]) -> Mapping[str, object]:
    """What the arrays hold of a file's images, given how many files and parts stand before it."""
    file, count = entry.file, len(entry.images)
    return {
        "labels": entry.labels,
        "groups": file.group,
        "splits": Split[file.split.upper()],
        "files": number,
        "levels": Level.PATCH if entry.levels is None else entry.levels,
        "parts": parts + np.arange(count) // (entry.per_part or max(count, 1)),
        "part_labels": classes.index(file.label) if entry.part_label is None else entry.part_label,
    }


def _labels_fit(entry: Entry, classes: int) -> bool:
    labels, part_label = entry.labels, entry.part_label
    known = part_label is None or -1 <= part_label < classes
    return known and labels.shape == (len(entry.images),) and bool(((labels >= -1) & (labels < classes)).all())
