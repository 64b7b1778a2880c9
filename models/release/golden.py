"""What no network was trained on, and what it is: parity and figures of a bundle are measured on it.

Whole parts are judged as the station does; of a part with a mask the columns are those of the truth, of one without
those that the station finds. Single pictures of a patch's size, the test split of a data set, are judged
each by itself: that says what the network makes of a patch, and nothing of a part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.named import KnownScan, read_known, require_all
from models.dataset.store import Split
from models.evaluation.measuring.images import pictures_of
from models.evaluation.measuring.parts import Cutter
from models.manifest import MANIFEST
from models.meaning import Meaning
from models.release.pictures import fitting_data
from models.release.without_masks import TRUTH_ALONE, WithoutMasks, cutter_of_known
from station.core.errors import ConfigError
from station.core.geometry import Geometry
from station.core.part import Pixels


@dataclass(frozen=True, slots=True)
class GoldenParts:
    """Parts.

    Attributes:
        scans: The parts.
        source: What they are, in words.
        cutter: How patches are made of their scans; raises ModelError where the station would refuse one.
    """

    scans: tuple[KnownScan, ...]
    source: str
    cutter: Cutter


@dataclass(frozen=True, slots=True)
class GoldenPictures:
    """Single pictures, and in words what they are.

    Attributes:
        images: (n, height, width) uint8.
        labels: (n,) their classes, as columns of the network.
        source: What they are.
    """

    images: Pixels
    labels: NDArray[np.integer]
    source: str


Golden = GoldenParts | GoldenPictures


def read_golden(
    folders: Sequence[Path],
    source: str | None,
    meaning: Meaning,
    geometry: Geometry,
    without_masks: WithoutMasks = TRUTH_ALONE,
) -> Golden:
    """All parts of some recordings, or the test pictures of some data sets.

    Args:
        folders: Recordings, or data sets of class folders; at least one.
        source: What they are, for people; None for the folders' names.
        meaning: What the network's columns mean.
        geometry: What it takes.
        without_masks: How parts without masks are known, and found on their scans.

    Raises:
        RecordingError: A recording cannot be read, or has a part whose class is not known.
        DatasetError: A data set cannot be read, or has no test picture.
        ModelError: A data set's classes or images are not the network's.
        ConfigError: Recordings and data sets are mixed.
    """
    told = source or ", ".join(folder.name for folder in folders)
    of_pictures = [(folder / MANIFEST).is_file() for folder in folders]
    if any(of_pictures) and not all(of_pictures):
        raise ConfigError("config.bad_option", "--golden: recordings and data sets cannot be counted together")
    if not any(of_pictures):
        return _parts(folders, told, meaning, geometry, without_masks)
    sets = [fitting_data(folder, meaning.outputs.names, geometry) for folder in folders]
    chosen = [(data, pictures_of(data, Split.TEST)) for data in sets]
    images = np.concatenate([data.images[indices] for data, indices in chosen])
    return GoldenPictures(images, np.concatenate([data.labels[indices] for data, indices in chosen]), told)


def _parts(folders: Sequence[Path], told: str, meaning: Meaning, geometry: Geometry, ways: WithoutMasks) -> GoldenParts:
    lines = geometry.lines_per_turn
    known = [require_all(read_known(one, meaning.table, lines, ways.people), one) for one in folders]
    scans = tuple(scan for one in known for scan in one.scans)
    return GoldenParts(scans, told, cutter_of_known(geometry, ways))
