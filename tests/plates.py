"""A small product whose network tells what it was trained on, for tests of what is known and promised of parts."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.dataset.patches import cut
from station.core.part import Pixels
from tests.cell.product_lines import HALF_TURN, RING
from tests.cell.products import MARGIN_PX, Kind
from tests.knowing import make_knowing_bundle

TRAINED = range(100, 120)
"""Seeds of surfaces."""


@dataclass(frozen=True)
class Plate(Kind):
    """A kind whose network tells what it was trained on: turned surfaces of each of its greys."""

    def make_bundle(self, folder: Path) -> Path:
        scans = [self.surface(seed, grey) for seed in TRAINED for grey in self.greys.values()]
        patches = np.concatenate([cut(scan, MARGIN_PX, scan.shape[1] - MARGIN_PX, self.geometry) for scan in scans])
        bundle = folder / f"{self.name}-1"
        make_knowing_bundle(bundle, self.greys, self.passing, patches, self.geometry, [sha256_of(scans[1])])
        return bundle


PLATE = Plate("plate", 4, 400, HALF_TURN, "good", RING.greys, "min_confidence = 0.9")
GREY = PLATE.greys["good"]


def png(image: Pixels) -> bytes:
    """The file of a scan."""
    return bytes(cv2.imencode(".png", image)[1].tobytes())


def sha256_of(image: Pixels) -> str:
    """Of that file."""
    return hashlib.sha256(png(image)).hexdigest()
