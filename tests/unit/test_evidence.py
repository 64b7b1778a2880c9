"""Evidence lies where the network looks, and nowhere when there is none."""

import numpy as np
import pytest

from models.evidence import evidence_map, peak
from station.core.part import Pixels, Probabilities

PITS = 2


def answers(share: float) -> Probabilities:
    row = [(1 - share) * 0.97, 0.01 * (1 - share), share, 0.01 * (1 - share), 0.01 * (1 - share)]
    return np.array(row, np.float32)


class DarkSeeker:
    """Finds pits the more, the more pixels are nearly black; counts what it is asked."""

    def __init__(self) -> None:
        self.patches = 0

    def __call__(self, strip: Pixels) -> Probabilities:
        assert strip.shape[0] == 2
        self.patches += len(strip)
        return np.stack([answers(0.001 + 0.99 * min(1.0, (patch < 20).sum() / 100)) for patch in strip])


def metal(seed: int = 1, shape: tuple[int, int] = (256, 256)) -> Pixels:
    rng = np.random.default_rng(seed)
    streaks = rng.integers(90, 130, (1, shape[1]))
    return np.clip(streaks + rng.normal(0, 5, shape), 40, 255).astype(np.uint8)


@pytest.mark.parametrize(("row", "column"), [(40, 200), (128, 128), (0, 0), (246, 246), (250, 5)])
def test_the_peak_lies_on_the_defect(row: int, column: int) -> None:
    patch = metal()
    patch[row : row + 10, column : column + 10] = 5
    found = peak(evidence_map(DarkSeeker(), patch, PITS, 2))
    assert abs(found[0] - min(row + 5, 255)) <= 16
    assert abs(found[1] - min(column + 5, 255)) <= 16


def test_it_is_a_map_of_the_patch_from_none_to_one() -> None:
    patch = metal()
    patch[100:110, 60:70] = 5
    heat = evidence_map(DarkSeeker(), patch, PITS, 2)
    assert heat.shape == patch.shape
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1)
    assert heat[200:, 200:].max() < 0.1


def test_a_patch_without_evidence_has_none_anywhere() -> None:
    assert not evidence_map(DarkSeeker(), metal(), PITS, 2).any()


def test_it_is_repeatable_leaves_the_patch_alone_and_asks_no_more_than_it_says() -> None:
    patch = metal()
    patch[100:110, 60:70] = 5
    before, seeker = patch.copy(), DarkSeeker()
    first = evidence_map(seeker, patch, PITS, 2)
    assert np.array_equal(first, evidence_map(DarkSeeker(), patch, PITS, 2))
    assert np.array_equal(patch, before)
    assert seeker.patches <= 132


def test_an_image_of_another_size_is_looked_at_too() -> None:
    patch = metal(shape=(128, 200))
    patch[60:70, 150:160] = 5
    row, column = peak(evidence_map(DarkSeeker(), patch, PITS, 2))
    assert (abs(row - 65) <= 16, abs(column - 155) <= 16) == (True, True)


@pytest.mark.parametrize("at_once", [1, 3, None])
def test_small_patches_are_looked_at_and_any_number_is_asked_together(at_once: int | None) -> None:
    asked: list[int] = []

    def seek(patches: Pixels) -> Probabilities:
        asked.append(len(patches))
        return np.stack([answers(0.001 + 0.99 * min(1.0, (patch < 20).sum() / 9)) for patch in patches])

    patch = metal(shape=(32, 32))
    patch[20:23, 6:9] = 5
    row, column = peak(evidence_map(seek, patch, PITS, at_once))
    assert (abs(row - 21) <= 3, abs(column - 7) <= 3) == (True, True)
    assert len(asked) == 2 if at_once is None else set(asked) == {at_once}
