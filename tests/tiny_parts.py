"""A data set of tiny parts, whose classes differ in brightness, for tests that train."""

from pathlib import Path
from typing import Literal

import numpy as np

from models.dataset.store import DataFile, DataHeading, DataSet, Entry, Level, write_data
from models.manifest import ScanGeometry
from station.core.geometry import Geometry

CLASSES = ("defect_free", "pits", "scratches")
SPLITS = ("train",) * 4 + ("validation", "test")
PATCHES = 16


def make_parts(folder: Path, seed: int = 1, said_of: Literal["patches", "parts"] = "patches") -> DataSet:
    """Of each class four parts to train on, one to validate and one to test by, of 16 patches of 64 px.

    A part's class shows in every fourth patch; where it is said of parts alone, nobody says in which.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for number in range(len(CLASSES) * len(SPLITS)):
        kind, split = number % len(CLASSES), SPLITS[number // len(CLASSES)]
        labels = np.zeros(PATCHES, np.int16)
        labels[::4] = kind
        images = (rng.integers(0, 60, (PATCHES, 64, 64)) + 60 * labels[:, None, None]).astype(np.uint8)
        file = DataFile(path=f"{number}.png", sha256="ab" * 32, group=number, label=CLASSES[kind], split=split)
        unsaid = said_of == "parts" and kind > 0
        levels = np.full(PATCHES, Level.PART if unsaid else Level.PATCH, np.uint8)
        entries.append(Entry(file, images, np.full_like(labels, -1) if unsaid else labels, levels))
    heading = DataHeading(
        name="noise", kind="patches", classes=CLASSES, height=64, width=64, source="noise", seed=seed,
        shares=(66, 17, 17), passing=CLASSES[0], geometry=ScanGeometry.of(Geometry(512, 64, 64, 2)),
    )  # fmt: skip
    return write_data(folder, heading, entries, PATCHES * len(entries))
