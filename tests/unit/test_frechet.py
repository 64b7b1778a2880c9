"""Distances of sets of pictures against values that can be reckoned by hand, and copies that are found."""

import numpy as np
import pytest

from models.synthesis.frechet import distance, frechet, nearest


def with_moments(mean: list[float], deviations: list[float], count: int = 400, seed: int = 1) -> np.ndarray:
    """Values with exactly this mean and these deviations, uncorrelated."""
    raw = np.random.default_rng(seed).standard_normal((count, len(mean)))
    raw -= raw.mean(0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return (raw * deviations + mean).astype(np.float32)


def test_a_set_is_no_way_from_itself() -> None:
    values = with_moments([1, 2, 3], [1, 2, 3])
    assert frechet(values, values) == pytest.approx(0, abs=1e-4)


def test_means_apart_count_by_their_square_and_deviations_by_their_differences() -> None:
    one, other = with_moments([0, 0], [1, 3]), with_moments([3, 4], [2, 5], seed=2)
    assert frechet(one, other) == pytest.approx(25 + (2 - 1) ** 2 + (5 - 3) ** 2, rel=1e-4)


def test_covariances_that_do_not_commute() -> None:
    """tr(A + B - 2 (A^1/2 B A^1/2)^1/2) of A = diag(4, 1) and B, the same turned by 45 degrees: 10 - 2 tr(root)."""
    flat = with_moments([0, 0], [2, 1])
    turned = flat @ (np.array([[1, 1], [-1, 1]], np.float32) / np.sqrt(2))
    # of M = A^1/2 B A^1/2 the trace is 4*2.5 + 2.5 = 12.5 and the determinant 16, so tr(root) = sqrt(12.5 + 2*4)
    assert frechet(flat, turned.astype(np.float32)) == pytest.approx(10 - 2 * np.sqrt(20.5), rel=1e-3)


def test_two_samples_of_one_distribution_lie_further_apart_when_they_are_small() -> None:
    rng = np.random.default_rng(3)
    few, many = (
        np.mean([frechet(rng.standard_normal((n, 16)), rng.standard_normal((n, 16))) for _ in range(10)])
        for n in (20, 320)
    )
    assert few > 8 * many


def test_the_same_number_of_each_is_compared_and_told_with_limits() -> None:
    rng = np.random.default_rng(4)
    real, other = rng.standard_normal((60, 4)).astype(np.float32), rng.standard_normal((200, 4)).astype(np.float32) + 1
    told = distance(real, other, 1)
    assert (told.pictures, told.values) == (60, 4)
    assert told.lower < told.value < told.upper
    assert told == distance(real, other[:60], 1)


def test_copies_are_found_and_their_originals_named() -> None:
    rng = np.random.default_rng(5)
    taken = rng.standard_normal((40, 8)).astype(np.float32)
    made = rng.standard_normal((10, 8)).astype(np.float32)
    made[3] = taken[17] + 1e-3
    made[7] = taken[2]
    found = nearest(made, taken)
    assert found.copies == 2
    assert (found.taken[3], found.taken[7]) == (17, 2)
    assert nearest(rng.standard_normal((30, 8)).astype(np.float32), taken).copies == 0
