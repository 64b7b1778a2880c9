"""Disturbances of a raw scan: each does what its level says, leaves the background where it should, and repeats."""

import numpy as np
import pytest

from models.evaluation.measuring.disturbances import (
    DISTURBANCES,
    Disturbance,
    blur,
    brightness,
    contrast,
    lamp_ageing,
    natural_scratches,
    noise,
)
from station.core.part import Pixels, Roi

PART = Roi(40, 340)


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def scan() -> Pixels:
    image = np.full((3584, 380), 4, np.uint8)
    image[:, PART.left : PART.right] = np.random.default_rng(1).integers(80, 160, (3584, PART.width))
    return image


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: one.name)
def test_every_kind_leaves_the_original_untouched_and_repeats_byte_for_byte(disturbance: Disturbance) -> None:
    image = scan()
    before = image.copy()
    strongest = max(disturbance.levels, key=lambda level: abs(level - disturbance.nominal))
    worse = disturbance.apply(image, PART, strongest, rng())
    assert (worse.shape, worse.dtype) == (image.shape, np.uint8)
    assert (worse != image).any()
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(worse, disturbance.apply(image, PART, strongest, rng()))
    assert disturbance.nominal in disturbance.levels
    assert list(disturbance.levels) == sorted(disturbance.levels)


def test_blur_takes_the_grain_away() -> None:
    assert blur(scan(), PART, 2.0, rng())[:, 60:320].std() < 0.3 * scan()[:, 60:320].std()


@pytest.mark.parametrize("level", [3.0, 15.0])
def test_noise_has_the_spread_that_its_level_says(level: float) -> None:
    grain = noise(scan(), PART, level, rng())[:, 60:320].astype(float) - scan()[:, 60:320]
    assert grain.std() == pytest.approx(level, rel=0.05)
    assert grain.mean() == pytest.approx(0, abs=0.2)


def test_another_exposure_scales_every_grey_value_and_saturates() -> None:
    brighter = brightness(scan(), PART, 1.6, rng())
    assert brighter[0, 0] == 6
    assert brighter[scan() == 100].tolist()[:3] == [160, 160, 160]
    assert (brighter[scan() >= 160] == 255).all()


def test_contrast_keeps_the_mean_of_the_part_and_stray_light_lifts_the_background() -> None:
    flat = contrast(scan(), PART, 0.4, rng())
    part = flat[:, PART.left : PART.right]
    assert part.mean() == pytest.approx(scan()[:, PART.left : PART.right].mean(), abs=1)
    assert part.std() == pytest.approx(0.4 * scan()[:, PART.left : PART.right].std(), rel=0.03)
    assert flat[0, 0] > 60


def test_natural_scratches_are_shallow_few_and_on_the_part_alone() -> None:
    clean = np.full((3584, 380), 100, np.uint8)
    scratched = natural_scratches(clean, PART, 20, rng())
    assert (scratched[:, : PART.left] == 100).all()
    assert (scratched[:, PART.right :] == 100).all()
    touched = scratched != 100
    assert 0 < touched.mean() < 0.01
    assert np.abs(scratched.astype(int) - 100).max() <= 14
    assert touched.sum() > (natural_scratches(clean, PART, 5, rng()) != 100).sum()


def test_an_old_lamp_is_darkest_at_the_edges() -> None:
    aged = lamp_ageing(np.full((3584, 380), 200, np.uint8), PART, 0.3, rng())[0].astype(float)
    assert aged[190] == pytest.approx(200 * 0.9, abs=1)
    assert aged[PART.left] == pytest.approx(200 * 0.7, abs=2)
    assert aged[100] > aged[60]
