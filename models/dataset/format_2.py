"""Data sets of format 1 and 2: what their arrays do not say of levels and parts follows from what they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import DataManifest, Level


def as_they_were(manifest: DataManifest, files: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """Levels, parts and their labels of each image: all patches came with masks then, all else had its own class.

    Args:
        manifest: Of the data set.
        files: (n,) index into the manifest's files, rising.
    """
    patches = manifest.kind == "patches"
    per_part = 1 if not patches else manifest.geometry.value.patches_per_part if manifest.geometry else len(files)
    turns = (np.arange(len(files)) - np.searchsorted(files, files)) // max(per_part, 1)
    first = np.ones(len(files), np.bool_)
    first[1:] = (np.diff(files) != 0) | (np.diff(turns) != 0)
    numbers = np.array([manifest.classes.index(file.label) for file in manifest.files], np.int16)
    return {
        "levels": np.full(len(files), Level.MASK if patches else Level.PATCH, np.uint8),
        "parts": np.asarray(first.cumsum() - 1, np.int32),
        "part_labels": numbers[files],
    }
