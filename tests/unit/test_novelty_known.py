"""How unlike its training a patch is: told from looks and features, in units of what known patches come to."""

import numpy as np
import pytest

from models.novelty.fit import Learnt, choose_prototypes, fit_known, shrunk_covariance, whitened
from station.core.novelty.known import KnownSurfaces, described
from station.core.novelty.surface import surface_measures
from station.core.part import Pixels, Vectors
from tests.turned import turned

SIDE = 64
COUNT = 400


def surfaces(count: int, seed: int = 1, grey: float = 140, marks: float = 6.0) -> Pixels:
    """Patches of turned surfaces."""
    return np.stack([turned(seed + number, SIDE, grey, marks, SIDE) for number in range(count)])


def features_of(patches: Pixels, seed: int = 1) -> Vectors:
    """Twelve random weighings of a patch's rows."""
    weights = np.random.default_rng(99).normal(size=(SIDE, 12)).astype(np.float32)
    noise = np.random.default_rng(seed).normal(0, 0.05, (len(patches), 12))
    return (patches.mean(axis=2) @ weights / SIDE + noise).astype(np.float32)


@pytest.fixture(scope="module")
def known() -> KnownSurfaces:
    patches = surfaces(COUNT)
    return fit_known(Learnt(patches, features_of(patches), ("good",) * COUNT), seed=3)


def test_about_one_in_a_hundred_known_patches_exceeds_1(known: KnownSurfaces) -> None:
    fresh = surfaces(300, seed=5000)
    found = known.scores(fresh, features_of(fresh, 2))
    assert found.shape == (300,)
    assert found.dtype == np.float32
    assert 0.3 < float(np.median(found)) < 1
    assert (found > 1).mean() < 0.1
    assert found.max() < 2


def blurred(patches: Pixels) -> Pixels:
    smooth = patches.astype(np.float32)
    for _ in range(3):
        smooth = (smooth + np.roll(smooth, 1, 2) + np.roll(smooth, -1, 2) + np.roll(smooth, 1, 1)) / 4
    return smooth.astype(np.uint8)


@pytest.mark.parametrize(
    "odd",
    [
        surfaces(6, 70, grey=220),
        surfaces(6, 80, marks=30),
        blurred(surfaces(6, 90)),
        np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE), np.uint8),
        np.zeros((6, SIDE, SIDE), np.uint8),
        surfaces(6, 60) // 2 + 70,
    ],
    ids=["brighter", "coarser", "out of focus", "noise", "nothing at all", "of less contrast"],
)
def test_another_surface_is_told_by_its_looks_though_the_features_are_as_usual(
    known: KnownSurfaces, odd: Pixels
) -> None:
    usual = features_of(surfaces(len(odd), 5000))
    assert known.scores(odd, usual).min() > 1.5


def test_another_surface_is_told_by_its_features_though_it_looks_as_usual(known: KnownSurfaces) -> None:
    patches = surfaces(6, 5000)
    away = features_of(patches) + np.float32(8) * features_of(patches).std(axis=0)
    assert known.scores(patches, away).min() > 1.5


def test_a_patch_is_judged_on_its_own(known: KnownSurfaces) -> None:
    patches = surfaces(4, 5000)
    features = features_of(patches)
    alone = np.concatenate([known.scores(patches[n : n + 1], features[n : n + 1]) for n in range(4)])
    np.testing.assert_allclose(known.scores(patches, features), alone, rtol=1e-4)


def test_whitened_distances_are_those_of_mahalanobis() -> None:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(4, 4))
    drawn = (rng.normal(size=(4000, 4)) @ mixing + 7).astype(np.float32)
    found = whitened(drawn[:2000], drawn[2000:])
    away = drawn[2000:] - drawn[:2000].mean(axis=0)
    exact = np.sqrt(np.einsum("ni,ij,nj->n", away, np.linalg.inv(np.cov(drawn[:2000].T)), away))
    np.testing.assert_allclose(found.distances(drawn[2000:]) * found.unit, exact, rtol=0.02)
    assert (found.distances(drawn[2000:]) > 1).mean() == pytest.approx(0.01, abs=0.002)


def test_a_value_that_never_changed_counts_when_it_does_but_not_for_all() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.normal(size=(400, 3)).astype(np.float32)
    drawn[:, 1] = 5.0
    found = whitened(drawn[:200], drawn[200:])
    odd = np.tile(drawn[:1], (2, 1))
    odd[:, 1] = (5.01, 9.0)
    little, much = found.distances(odd) - found.distances(drawn[:1])
    assert abs(little) < 0.3
    assert 1 < much < 100


def test_of_vectors_that_are_all_the_same_only_others_are_away() -> None:
    same = np.full((20, 3), 4.0, np.float32)
    found = whitened(same[:10], same[10:])
    assert np.isfinite(found.whitening).all()


def test_the_covariance_of_few_vectors_is_drawn_to_the_identity_and_of_many_is_left() -> None:
    rng = np.random.default_rng(4)
    few, many = rng.normal(size=(20, 40)), rng.normal(size=(20_000, 4)) * [1, 2, 3, 4]
    assert np.linalg.cond(shrunk_covariance(few - few.mean(axis=0))) < 10
    np.testing.assert_allclose(np.diag(shrunk_covariance(many)), [1, 4, 9, 16], rtol=0.05)
    np.testing.assert_allclose(shrunk_covariance(np.zeros((5, 3))), np.zeros((3, 3)))


def test_prototypes_are_spread_over_the_training_and_the_nearest_is_told_first(known: KnownSurfaces) -> None:
    prototypes = known.prototypes
    assert prototypes.pictures.shape == (64, 64, 64)
    assert prototypes.classes == ("good",) * 64
    patches = surfaces(COUNT)[:1]
    index = known.nearest(patches[0], features_of(patches)[0], 4)
    assert len(set(index.tolist())) == 4
    away = ((prototypes.places - known.space.place(described(patches, features_of(patches)))) ** 2).sum(axis=1)
    assert away[index].tolist() == sorted(away)[:4]


def test_of_few_patches_all_are_prototypes() -> None:
    patches = surfaces(5)
    chosen = choose_prototypes(Learnt(patches, features_of(patches), tuple("abcde")), features_of(patches))
    assert sorted(chosen.classes) == list("abcde")


@pytest.mark.parametrize("side", [8, 24, 48, 256])
def test_patches_of_any_size_are_measured_and_mirroring_changes_little(side: int) -> None:
    patch = np.random.default_rng(side).integers(40, 200, (1, side, side), np.uint8)
    measures = surface_measures(patch)
    assert np.isfinite(measures).all()
    assert measures.dtype == np.float32
    np.testing.assert_allclose(measures[0, :8] ** 2, np.histogram(patch, 8, (0, 256))[0] / patch.size, atol=1e-6)
    np.testing.assert_allclose(surface_measures(patch[:, ::-1, ::-1]), measures, atol=1e-3)
