"""Labelled patches for training, cut from a recording's folder exactly as the running station cuts its strips.

The folder holds `recording.jsonl` (file, part_id, part_type, label), the scans, and the truth about them:
`truth.jsonl` (file, mask, left, right) and the masks it names, whose values are the numbers of the defects' classes.

    recording ─ read_scans ─▶ LabelledScan ─ cut ─▶ 16 patches ─ label_patches ─▶ 16 labels ─ write_patches ─▶ PatchSet

`python -m models.data PATCHES RECORDING…` does it all.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from station.core.errors import RecordingError
from station.core.part import (
    BLOCKS_PER_TURN,
    LINES_PER_TURN,
    PATCH_PX,
    PATCHES_PER_PART,
    PATCHES_PER_STRIP,
    STRIP_SHAPE,
    Pixels,
    SurfaceClass,
)

MIN_DEFECT_PX = 40.0
"""A patch shows a defect when the defect covers at least so many of its pixels …"""
MIN_DEFECT_SHARE = 0.2
"""… and at least this share of what all patches of the part show of it."""
SLIVER = -1
"""Label of a patch that shows some of a defect, but less than that; nobody could tell its class. Not trained on."""


class ScanEntry(BaseModel):
    """A line of `recording.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    part_id: str
    part_type: str
    label: str


class ScanTruth(BaseModel):
    """What training needs of a line of `truth.jsonl`; how the surface was made is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    mask: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class LabelledScan:
    """A scan on disk, whose surface is known.

    Attributes:
        part_id: Name of the part.
        surface: Class of the whole part.
        image_path: The scan.
        mask_path: An image of its size; 0, or the number of the defect's class.
        left: First column of the part.
        right: Column after the part's last.
    """

    part_id: str
    surface: SurfaceClass
    image_path: Path
    mask_path: Path
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class PatchSet:
    """Patches of many parts.

    Attributes:
        patches: (n, 256, 256) uint8, mapped from disk.
        labels: (n,) int8, a class of `SurfaceClass` or `SLIVER`.
        parts: (n,) int32, the number of the part that a patch was cut from.
    """

    patches: Pixels
    labels: NDArray[np.int8]
    parts: NDArray[np.int32]

    def of_class(self, surface: SurfaceClass) -> NDArray[np.intp]:
        """Indices of the patches of a class."""
        return np.flatnonzero(self.labels == surface)


def read_scans(folder: Path) -> list[LabelledScan]:
    """The scans of a recording with the truth about them, in the recording's order.

    Raises:
        RecordingError: A file is missing, a line cannot be used, or a scan has no truth.
    """
    truths = {truth.file: truth for truth in _read_lines(folder / "truth.jsonl", ScanTruth)}
    scans = []
    for entry in _read_lines(folder / "recording.jsonl", ScanEntry):
        truth = truths.get(entry.file)
        if truth is None or entry.label.upper() not in SurfaceClass.__members__:
            raise RecordingError("recording.bad_line", f"{entry.file}: no truth, or unknown label {entry.label}")
        surface = SurfaceClass[entry.label.upper()]
        image_path, mask_path = folder / entry.file, folder / truth.mask
        scans.append(LabelledScan(entry.part_id, surface, image_path, mask_path, truth.left, truth.right))
    return scans


def cut(image: NDArray[Any], left: int, right: int) -> NDArray[Any]:
    """The 16 patches (16, 256, 256) of a scan's columns: block by block to 256x512, then a left and a right half.

    Args:
        image: (3584, width) of any type that OpenCV resizes.
        left: First column of the part.
        right: Column after the last.
    """
    rows, columns = STRIP_SHAPE
    strips = [
        cv2.resize(block, (columns, rows), interpolation=cv2.INTER_AREA)
        for block in np.split(image[:, left:right], BLOCKS_PER_TURN)
    ]
    halves = [
        strip[:, half * PATCH_PX : (half + 1) * PATCH_PX] for strip in strips for half in range(PATCHES_PER_STRIP)
    ]
    return np.stack(halves)


def label_patches(mask: Pixels, left: int, right: int) -> NDArray[np.int8]:
    """Labels (16,) of a scan's patches from its mask: a class, or `SLIVER` where too little of the defect shows."""
    labels = np.zeros(PATCHES_PER_PART, np.int8)
    most = np.zeros(PATCHES_PER_PART)
    for surface in (SurfaceClass(number) for number in np.unique(mask) if number):
        covered = cut((mask == surface).astype(np.float32), left, right).sum(axis=(1, 2))
        shown = (covered >= MIN_DEFECT_PX) & (covered >= MIN_DEFECT_SHARE * covered.sum())
        labels = np.where((covered > 0) & (labels == SurfaceClass.DEFECT_FREE), SLIVER, labels)
        labels = np.where(shown & (covered > most), surface, labels)
        most = np.where(shown, np.maximum(most, covered), most)
    return labels.astype(np.int8)


def read_gray(path: Path) -> Pixels:
    """An 8-bit grey image of 3584 lines.

    Raises:
        RecordingError: It cannot be read, or is of another kind or height.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise RecordingError("recording.bad_image", f"{path}: cannot be read")
    if image.dtype != np.uint8 or image.ndim != 2 or image.shape[0] != LINES_PER_TURN:
        raise RecordingError(
            "recording.bad_image", f"{path}: {image.dtype} {image.shape}, not 3584 lines of 8-bit grey"
        )
    return np.asarray(image, np.uint8)


def write_patches(scans: Sequence[LabelledScan], folder: Path, jitter_px: int, seed: int) -> PatchSet:
    """Cut all scans into a folder of arrays.

    Args:
        scans: What to cut.
        folder: Where `patches.npy`, `labels.npy` and `parts.npy` go.
        jitter_px: By how many columns, at most, each edge of the part is moved at random, as a crop may err.
        seed: Of the jitter.

    Raises:
        RecordingError: A scan or a mask cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    count = len(scans) * PATCHES_PER_PART
    patches = np.lib.format.open_memmap(folder / "patches.npy", "w+", np.uint8, (count, PATCH_PX, PATCH_PX))
    labels = np.empty(count, np.int8)
    for number, scan in enumerate(scans):
        left, right = np.array([scan.left, scan.right]) + rng.integers(-jitter_px, jitter_px + 1, 2)
        here = slice(number * PATCHES_PER_PART, (number + 1) * PATCHES_PER_PART)
        patches[here] = cut(read_gray(scan.image_path), left, right)
        labels[here] = label_patches(read_gray(scan.mask_path), left, right)
    patches.flush()
    np.save(folder / "labels.npy", labels)
    np.save(folder / "parts.npy", np.repeat(np.arange(len(scans), dtype=np.int32), PATCHES_PER_PART))
    return read_patches(folder)


def read_patches(folder: Path) -> PatchSet:
    """The patches that `write_patches` left in a folder.

    Raises:
        RecordingError: The folder does not hold them.
    """
    try:
        patches = np.load(folder / "patches.npy", mmap_mode="r")
        return PatchSet(patches, np.load(folder / "labels.npy"), np.load(folder / "parts.npy"))
    except (OSError, ValueError) as error:
        raise RecordingError("recording.not_found", f"{folder}: {error}") from error


Line = TypeVar("Line", bound=BaseModel)


def _read_lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError("recording.not_found", f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            yield kind.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise RecordingError("recording.bad_line", f"{path}:{number}: {error}") from error


def main(
    patches: Annotated[Path, typer.Argument(help="Folder to write the arrays to; a patch takes 64 KiB.")],
    recordings: Annotated[
        list[Path], typer.Argument(help="Folders with recording.jsonl, truth.jsonl, scans and masks.")
    ],
    jitter_px: Annotated[int, typer.Option(min=0, max=8, help="Move the part's edges by up to so many columns.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the random movement of the edges.")] = 1,
) -> None:
    """Cut recordings with known surfaces into labelled patches for training."""
    scans = [scan for recording in recordings for scan in read_scans(recording)]
    cut_patches = write_patches(scans, patches, jitter_px, seed)
    for surface in SurfaceClass:
        typer.echo(f"{surface.label:>12} {len(cut_patches.of_class(surface)):6}")
    typer.echo(f"{'left out':>12} {int(np.sum(cut_patches.labels == SLIVER)):6}")


if __name__ == "__main__":
    typer.run(main)
