"""Labelled patches for training, cut from a recording's folder exactly as the running station cuts its strips.

The folder holds `recording.jsonl` (file, part_id, part_type, label), the scans, and the truth about them:
`truth.jsonl` (file, mask, left, right) and the masks it names, whose values are the numbers of the defects' classes.

    recording ─ read_scans ─▶ LabelledScan ─ cut ─▶ 16 patches ─ label_patches ─▶ 16 labels ─ write_patches ─▶ PatchSet

`python -m models.data PATCHES RECORDING…` does it all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from models.dataset.patches import MIN_DEFECT_PX, MIN_DEFECT_SHARE, cut, label_patches
from models.dataset.scans import LabelledScan, read_gray, read_scans
from models.dataset.store import SLIVER
from station.core.errors import RecordingError
from station.core.part import PATCH_PX, PATCHES_PER_PART, Pixels, SurfaceClass

__all__ = [
    "MIN_DEFECT_PX",
    "MIN_DEFECT_SHARE",
    "SLIVER",
    "LabelledScan",
    "PatchSet",
    "cut",
    "label_patches",
    "read_gray",
    "read_patches",
    "read_scans",
    "write_patches",
]


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
