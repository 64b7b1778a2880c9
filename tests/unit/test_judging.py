"""Strips are cut on one thread, and OpenCV has all of its threads back before the network computes."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from station import judging
from station.core.errors import PartError
from station.core.part import Crop, ModelIdentity, PartType, Pixels, Probabilities, Strip
from station.core.settings import CropSettings
from station.flow.patch import StripRoom, blocks_of
from station.judging import SurfaceJudge

KIND = PartType("housing", 1, 400, 8, 6, 20.0, 320.0, 20.0)
THREADS = 3


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """OpenCV with a number of threads that nobody has by chance."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(THREADS)
    yield
    cv2.setNumThreads(before)


class Counting:
    """A network that writes down with how many threads OpenCV would compute."""

    model = ModelIdentity("counting", "0" * 64)

    def __init__(self) -> None:
        self.seen: list[int] = []

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """Every patch is defect-free."""
        self.seen.append(cv2.getNumThreads())
        return np.eye(5, dtype=np.float32)[np.zeros(len(patches), int)]


def scan_of(grey: int) -> Pixels:
    image = np.zeros((3584, 1000), np.uint8)
    image[:, 300:700] = grey
    return image


def test_a_strip_is_cut_on_one_thread_and_the_network_has_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    cutting: list[int] = []

    def cut(crop: Crop, room: StripRoom) -> Strip:
        cutting.append(cv2.getNumThreads())
        return judging_make_strip(crop, room)

    judging_make_strip = judging.make_strip
    monkeypatch.setattr(judging, "make_strip", cut)
    network = Counting()
    judge = SurfaceJudge(KIND, CropSettings(), network)
    for block in blocks_of(scan_of(120)):
        judge.take(block)
    assert cutting == [1] * 8
    assert network.seen == [THREADS] * 8


def test_a_part_that_is_refused_leaves_opencv_as_it_was() -> None:
    judge = SurfaceJudge(KIND, CropSettings(), Counting())
    with pytest.raises(PartError):
        judge.take(blocks_of(scan_of(0))[0])
    assert cv2.getNumThreads() == THREADS
