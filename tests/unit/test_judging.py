"""A strip is the same however many threads cut it, and OpenCV's threads are told to rest before OpenCV is loaded."""

import os
import subprocess
import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from station.cell.judging import SurfaceJudge
from station.core.errors import PartError
from station.core.part import ModelIdentity, PartType, Pixels, Probabilities
from station.core.settings import CropSettings, TurnSettings
from station.flow.patch import blocks_of
from station.offline.cropping import cut_scan
from tests.housings import CLASSES
from tests.scoring import ScoresAlone
from tests.turned import GEOMETRY, turned

KIND = PartType("housing", 1, 417, 8, 6, 20.0, 320.0, 20.0, GEOMETRY)
ACTIVE_WAIT = "OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER"
AFTER_THE_PACKAGE = f"""
import sys, station
loaded = "cv2" in sys.modules
import os, station.cell.judging
print(loaded, "cv2" in sys.modules, os.environ["{ACTIVE_WAIT}"])
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """OpenCV has its threads back after the test."""
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


class Keeping(ScoresAlone):
    """A network that keeps the patches that it is shown."""

    model = ModelIdentity("keeping", "0" * 64)
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self) -> None:
        self.seen: list[Pixels] = []

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """Every patch is defect-free."""
        self.seen.append(patches.copy())
        return np.eye(5, dtype=np.float32)[np.zeros(len(patches), int)]


def scan() -> Pixels:
    image = np.zeros((3584, 1000), np.uint8)
    image[:, 300:717] = turned(3, 417, 130)
    return image


def test_a_strip_is_bit_for_bit_the_same_however_many_threads_cut_it() -> None:
    seen = []
    for threads in (1, 2, 3, 8):
        cv2.setNumThreads(threads)
        network = Keeping()
        judge = SurfaceJudge(KIND, CropSettings(), network)
        for block in blocks_of(scan(), GEOMETRY):
            judge.take(block)
        seen.append(np.stack(network.seen))
    for other in seen[1:]:
        np.testing.assert_array_equal(other, seen[0])


def test_a_measurement_cuts_the_patches_that_the_cell_shows_its_network() -> None:
    network = Keeping()
    judge = SurfaceJudge(KIND, CropSettings(), network)
    for block in blocks_of(scan(), GEOMETRY):
        judge.take(block)
    np.testing.assert_array_equal(
        cut_scan(scan(), KIND, CropSettings(), TurnSettings(proofs=[])), np.concatenate(network.seen)
    )


def test_a_part_that_is_refused_never_reaches_the_network() -> None:
    network = Keeping()
    with pytest.raises(PartError):
        SurfaceJudge(KIND, CropSettings(), network).take(blocks_of(np.zeros_like(scan()), GEOMETRY)[0])
    assert not network.seen


@pytest.mark.parametrize(("set_before", "holds"), [(None, "0"), ("500", "500")])
def test_opencv_finds_its_threads_told_to_rest_unless_a_person_said_otherwise(
    set_before: str | None, holds: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != ACTIVE_WAIT}
    if set_before is not None:
        environment[ACTIVE_WAIT] = set_before
    told = subprocess.run([sys.executable, "-c", AFTER_THE_PACKAGE], env=environment, capture_output=True, check=True)
    assert told.stdout.decode().split() == ["False", "True", holds]
