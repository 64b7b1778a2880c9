"""Training under other light: as a sensor would see it, brought back as the station does, alike by alike chances."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.augment import make_batch
from models.training.lamps import CHANCES, under_another_lamp
from models.training.plan import CHANGES, Change
from station.core.part import Pixels

SHAPE = (64, 96)
LIT: tuple[Change, ...] = ("light",)


def image(grey: int = 100, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(grey - 30, grey + 31, SHAPE, np.uint8)


def chances(**drawn: float) -> NDArray[np.float64]:
    """Half light, evenly, brought back exactly, where nothing else is said."""
    names = ("lit", "lamp", "uneven", "side", "first_error", "last_error", "row", "column")
    half = np.log(0.5 / 0.4) / np.log(1.8 / 0.4)
    usual = {"lit": 1.0, "lamp": half, "uneven": 1.0, "side": 0.0, "first_error": 0.5, "last_error": 0.5}
    assert len(names) == CHANCES
    return np.array([{**usual, "row": 0.3, "column": 0.6, **drawn}[name] for name in names])


def test_half_of_all_images_stay_in_their_own_light() -> None:
    images = np.stack([image(seed=seed) for seed in range(64)])
    batch = make_batch(images, np.zeros(64, np.int16), np.arange(64), LIT, np.random.default_rng(5))
    found = np.rint(batch.images[:, 0] * 255).astype(np.uint8)
    kept = sum(np.array_equal(one, other) for one, other in zip(found, images, strict=True))
    assert 16 < kept < 48


def test_the_same_chances_give_the_same_image_and_others_another() -> None:
    one, two = (under_another_lamp(image(), chances()) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one != under_another_lamp(image(), chances(row=0.9))).any(), "other noise"
    assert (one != under_another_lamp(image(), chances(lamp=0.9))).any()


def test_the_other_changes_are_drawn_as_without_it() -> None:
    images = np.stack([image(seed=seed) for seed in range(8)])
    labels = np.zeros(8, np.int16)
    plain = make_batch(images, labels, np.arange(8), CHANGES, np.random.default_rng(5)).images
    lit = make_batch(images, labels, np.arange(8), (*CHANGES, "light"), np.random.default_rng(5)).images
    same = [number for number in range(8) if np.array_equal(plain[number], lit[number])]
    assert 1 <= len(same) <= 7, "those that stayed in their own light are changed as ever"


def test_brought_back_a_part_is_as_bright_as_before_with_the_noise_of_little_light() -> None:
    bright = image(100)
    seen = under_another_lamp(bright, chances())
    difference = seen.astype(float) - bright
    assert abs(difference.mean()) < 0.5
    lacking = 0.7 * (1 - 0.25) + 0.018 * 100 * 0.25  # the sensor's own, in half the light
    rounding = 1 / 12
    assert difference.std() == pytest.approx(np.sqrt((lacking + rounding) * 4), rel=0.1)


def test_more_light_saturates_and_what_is_white_stays_lost() -> None:
    bright = image(180)
    seen = under_another_lamp(bright, chances(lamp=1.0))
    lost = bright * 1.8 > 256
    assert lost.any()
    assert seen[lost].max() == round(255 / 1.8)


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.85), (1.0, 1.15)])
def test_the_gain_misses_by_at_most_fifteen_in_a_hundred(chance: float, share: float) -> None:
    seen = under_another_lamp(image(100), chances(first_error=chance, last_error=chance))
    assert seen.mean() / image(100).mean() == pytest.approx(share, rel=0.01)


@pytest.mark.parametrize(("side", "first", "last"), [(0.0, 0.85, 1.15), (0.9, 0.85, 1.15)])
def test_an_uneven_lamp_is_made_up_for_along_the_axis_and_missed_otherwise_at_each_end(
    side: float, first: float, last: float
) -> None:
    drawn = chances(uneven=0.0, side=side, lamp=0.9, first_error=0.0, last_error=1.0)
    plain = np.full(SHAPE, 100, np.uint8)
    seen = under_another_lamp(plain, drawn).mean(axis=0)
    assert seen[:8].mean() == pytest.approx(first * 100, rel=0.04)
    assert seen[-8:].mean() == pytest.approx(last * 100, rel=0.04)


def test_an_uneven_lamp_leaves_more_noise_at_its_weak_end() -> None:
    plain = np.full((256, 96), 100, np.uint8)
    spread = under_another_lamp(plain, chances(uneven=0.0, side=0.0)).std(axis=0)
    assert spread[:16].mean() > 1.3 * spread[-16:].mean()
