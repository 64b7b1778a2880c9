"""The pictures that an export needs: some to calibrate the quantisation with, some to fit the temperature on.

From a data folder calibration takes training patches and the temperature validation patches. A recording must be one
that the network was not trained on; it serves for both.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.patches import cut, label_patches
from models.dataset.scans import read_image, read_mask, read_scans
from models.dataset.store import SLIVER, Split, read_data
from models.manifest import CLASSES, MANIFEST
from station.core.classes import SurfaceClass
from station.core.errors import ModelError
from station.core.geometry import PATCH_PX, PATCHES_PER_PART
from station.core.part import Pixels

RECORDING = "recording.jsonl"
LEAST_CALIBRATION, LEAST_VALIDATION = 32, 32


@dataclass(frozen=True, slots=True)
class Pictures:
    """Patches for an export.

    Attributes:
        source: Where they come from, for the manifest.
        sha256: Of the data folder's manifest or of the recording's list.
        calibration: (n, 256, 256) uint8, half of them defect-free, the rest of every defect alike, as far as they go.
        validation: (m, 256, 256) uint8.
        labels: (m,) their classes.
    """

    source: str
    sha256: str
    calibration: Pixels
    validation: Pixels
    labels: NDArray[np.integer]


def read_pictures(folder: Path, calibration: int, validation: int, seed: int) -> Pictures:
    """Draw patches from a folder of `station dataset make`, or from a recording with known surfaces.

    Args:
        folder: The data set or the recording.
        calibration: Patches to calibrate with.
        validation: Patches to fit the temperature on.
        seed: Of the draw.

    Raises:
        DatasetError: The data set cannot be read.
        RecordingError: The recording cannot be read.
        ModelError: There are too few patches, or they are not the station's.
    """
    rng = np.random.default_rng(seed)
    read = _from_data if (folder / MANIFEST).is_file() else _from_recording
    return _enough(read(folder, calibration, validation, rng), folder)


def _from_data(folder: Path, calibration: int, validation: int, rng: np.random.Generator) -> Pictures:
    data = read_data(folder)
    if data.classes != CLASSES or data.images.shape[1:] != (PATCH_PX, PATCH_PX):
        raise ModelError("model.export_failed", f"{folder}: no patches of the station's classes")
    train, sure = data.indices(Split.TRAIN), data.indices(Split.VALIDATION)
    kept = train[draw_mixed(data.labels[train], calibration, rng)]
    checked = np.sort(rng.permutation(sure)[:validation])
    return Pictures(data.manifest.name, data.sha256, data.images[kept], data.images[checked], data.labels[checked])


def _from_recording(folder: Path, calibration: int, validation: int, rng: np.random.Generator) -> Pictures:
    scans = read_scans(folder)
    parts = -(-max(calibration, validation) // PATCHES_PER_PART)
    chosen = [scans[number] for number in rng.permutation(len(scans))[:parts]]
    patches = np.concatenate([cut(read_image(one), one.left, one.right) for one in chosen])
    labels = np.concatenate([label_patches(read_mask(one), one.left, one.right) for one in chosen])
    sure = np.flatnonzero(labels != SLIVER)
    kept = draw_mixed(labels, calibration, rng)
    digest = hashlib.sha256((folder / RECORDING).read_bytes()).hexdigest()
    return Pictures(folder.name, digest, patches[kept], patches[sure], labels[sure])


def draw_mixed(labels: NDArray[np.integer], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices of at most `count` patches, shuffled: half defect-free, an eighth of each defect; none twice."""
    shares = dict.fromkeys(SurfaceClass, 1 / 8) | {SurfaceClass.DEFECT_FREE: 1 / 2}
    drawn = [
        rng.permutation(np.flatnonzero(labels == surface))[: int(count * share)] for surface, share in shares.items()
    ]
    return rng.permutation(np.concatenate(drawn))


def _enough(pictures: Pictures, folder: Path) -> Pictures:
    have, need = len(pictures.calibration), LEAST_CALIBRATION
    if have < need or len(pictures.validation) < LEAST_VALIDATION:
        raise ModelError(
            "model.export_failed",
            f"{folder} gives {have} patches to calibrate with and {len(pictures.validation)} for the temperature; "
            f"at least {need} and {LEAST_VALIDATION} are needed",
        )
    return pictures
