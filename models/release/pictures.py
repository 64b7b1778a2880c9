"""The pictures that an export needs: some to calibrate the quantisation with, some to fit the temperature on.

From a data folder calibration takes training patches and the temperature validation patches. A recording must be one
that the network was not trained on; it serves for both. Of a defective part without a mask every patch may serve for
calibration, and none for the temperature: which of them shows the defect nobody knows.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.named import KnownScan, NamedScan, read_image, read_known
from models.dataset.patches import label_patches
from models.dataset.scans import marks_of, read_mask
from models.dataset.store import SLIVER, DataSet, Split, read_data
from models.manifest import MANIFEST
from models.meaning import Meaning
from models.release.without_masks import TRUTH_ALONE, WithoutMasks, cutter_of_known
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import Pixels

RECORDING = "recording.jsonl"
LEAST_CALIBRATION, LEAST_VALIDATION = 32, 32


@dataclass(frozen=True, slots=True)
class Pictures:
    """Patches for an export.

    Attributes:
        source: Where they come from, for the manifest.
        sha256: Of the data folder's manifest or of the recording's list.
        calibration: (n, height, width) uint8, half of them of the class that passes, the rest of every defect alike, as
            far as they go.
        validation: (m, height, width) uint8; none where no defect is known in them, for then nothing can be fitted.
        labels: (m,) their classes, as columns of the network.
        geometry: What the network takes.
    """

    source: str
    sha256: str
    calibration: Pixels
    validation: Pixels
    labels: NDArray[np.integer]
    geometry: Geometry


@dataclass(frozen=True, slots=True)
class Draw:
    """What is wanted.

    Attributes:
        calibration: Patches to calibrate with.
        validation: Patches to fit the temperature on.
        seed: Of the draw.
    """

    calibration: int
    validation: int
    seed: int


def read_pictures(
    folder: Path, draw: Draw, meaning: Meaning, geometry: Geometry, without_masks: WithoutMasks = TRUTH_ALONE
) -> Pictures:
    """Draw patches from a folder of `station dataset make`, or from a recording of parts whose classes are known.

    Args:
        folder: The data set or the recording.
        draw: How many, and which.
        meaning: What the network's columns mean.
        geometry: What it takes.
        without_masks: How parts without masks are known, and found on their scans.

    Raises:
        DatasetError: The data set cannot be read.
        RecordingError: The recording cannot be read.
        ModelError: There are too few patches, or they are not what the network takes.
    """
    if (folder / MANIFEST).is_file():
        return _enough(_from_data(folder, draw, meaning, geometry), folder)
    return _enough(_from_recording(folder, draw, meaning, geometry, without_masks), folder)


def light_level(pictures: Pictures, meaning: Meaning) -> float | None:
    """Median grey value of the validation patches that pass: the light that the network knows; None without one."""
    good = pictures.validation[pictures.labels == meaning.passing]
    return round(float(np.median(good)), 1) if good.size else None


def fitting_data(folder: Path, classes: tuple[str, ...], geometry: Geometry) -> DataSet:
    """A data set whose images are what a network takes, of the classes that it answers, in its order.

    Raises:
        DatasetError: The data set cannot be read.
        ModelError: Its classes or its images are others.
    """
    data, side = read_data(folder), geometry.patch_px
    if data.classes != classes:
        told = f"{folder}: classes are {', '.join(data.classes)}, the network's are {', '.join(classes)}, in this order"
        raise ModelError("model.export_failed", told)
    if data.images.shape[1:] != (side, side):
        told = f"{folder}: images are {data.images.shape[1:]}, the network takes patches of {side}x{side}"
        raise ModelError("model.export_failed", told)
    return data


def _from_data(folder: Path, draw: Draw, meaning: Meaning, geometry: Geometry) -> Pictures:
    rng = np.random.default_rng(draw.seed)
    data = fitting_data(folder, meaning.outputs.names, geometry)
    sure = data.indices(Split.VALIDATION)
    train = np.union1d(data.indices(Split.TRAIN), data.unlabelled(Split.TRAIN))
    train = train[~data.made[train]]
    of_parts = np.where(data.labels[train] >= 0, data.labels[train], data.part_labels[train])
    kept = train[draw_mixed(of_parts, draw.calibration, meaning, rng)]
    checked = np.sort(rng.permutation(_fit_on(sure, data.labels, meaning))[: draw.validation])
    return Pictures(
        data.manifest.name, data.sha256, data.images[kept], data.images[checked], data.labels[checked], geometry
    )


def _from_recording(folder: Path, draw: Draw, meaning: Meaning, geometry: Geometry, ways: WithoutMasks) -> Pictures:
    rng = np.random.default_rng(draw.seed)
    known = read_known(folder, meaning.table, geometry.lines_per_turn, ways.people)
    scans = known.scans
    parts = -(-max(draw.calibration, draw.validation) // geometry.patches_per_part)
    chosen = [scans[number] for number in rng.permutation(len(scans))[:parts]]
    cutter = cutter_of_known(geometry, ways)
    patches = np.concatenate([cutter(read_image(one), one) for one in chosen])
    labels = np.concatenate([_labels(one, meaning, geometry) for one in chosen])
    of_parts = np.concatenate([_part_labels(one, meaning, geometry) for one in chosen])
    sure = np.flatnonzero((labels != SLIVER) & (labels < len(meaning.outputs)))
    kept = draw_mixed(np.where(labels == SLIVER, of_parts, labels), draw.calibration, meaning, rng)
    digest = hashlib.sha256((folder / RECORDING).read_bytes()).hexdigest() if known.masked else known.sha256
    fit = _fit_on(sure, labels, meaning)
    return Pictures(folder.name, digest, patches[kept], patches[fit], labels[fit], geometry)


def _labels(scan: KnownScan, meaning: Meaning, geometry: Geometry) -> NDArray[np.int8]:
    """Classes (patches,) of the patches themselves: a good part's pass, of a defect without a mask none is known."""
    if isinstance(scan, NamedScan):
        return np.full(geometry.patches_per_part, meaning.passing if scan.surface.passes else SLIVER, np.int8)
    numbers = label_patches(read_mask(scan), scan.left, scan.right, geometry)
    return np.where(numbers == SLIVER, np.int8(SLIVER), meaning.columns_of(marks_of(meaning.table))[numbers])


def _part_labels(scan: KnownScan, meaning: Meaning, geometry: Geometry) -> NDArray[np.int8]:
    """The class (patches,) of a part without a mask for each of its patches, where the network answers it."""
    known = isinstance(scan, NamedScan) and scan.surface in meaning.outputs.surfaces
    column = meaning.outputs.surfaces.index(scan.surface) if known else SLIVER
    return np.full(geometry.patches_per_part, column, np.int8)


def _fit_on(sure: NDArray[np.intp], labels: NDArray[np.integer], meaning: Meaning) -> NDArray[np.intp]:
    """The patches to fit the temperature on: those whose class is known, or none where all of them pass."""
    return sure if (labels[sure] != meaning.passing).any() else sure[:0]


def draw_mixed(labels: NDArray[np.integer], count: int, meaning: Meaning, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices of at most `count` patches, shuffled: half of what passes, the rest of all defects alike; none twice."""
    columns = range(len(meaning.outputs))
    each = 1 / (2 * (len(columns) - 1))
    shares = {column: 1 / 2 if column == meaning.passing else each for column in columns}
    drawn = [
        rng.permutation(np.flatnonzero(labels == column))[: int(count * share)] for column, share in shares.items()
    ]
    return rng.permutation(np.concatenate(drawn))


def _enough(pictures: Pictures, folder: Path) -> Pictures:
    have, need, fitted = len(pictures.calibration), LEAST_CALIBRATION, len(pictures.validation)
    if have < need or 0 < fitted < LEAST_VALIDATION:
        told = f"{folder} gives {have} patches to calibrate with, at least {need} are needed"
        more = f"; and {fitted} for the temperature, of {LEAST_VALIDATION} at least" if fitted else ""
        raise ModelError("model.export_failed", told + more)
    return pictures
