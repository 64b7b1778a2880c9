"""Exact limits of rates: the values of published tables, and how many trials a claim takes."""

import numpy as np
import pytest

from models.evaluation.figures.rates import clopper_pearson, rate, sample_size, upper_limit


@pytest.mark.parametrize(
    ("events", "trials", "lower", "upper"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (4, 20, 0.0573, 0.4366),
        (0, 50, 0.0, 0.0711),
        (81, 263, 0.2527, 0.3676),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_limits_of_95_percent_are_those_of_the_tables(events: int, trials: int, lower: float, upper: float) -> None:
    assert clopper_pearson(events, trials, 0.95) == pytest.approx((lower, upper), abs=6e-5)


@pytest.mark.training
@pytest.mark.parametrize(
    ("events", "trials"), [(0, 1), (3, 100), (7, 1300), (650, 1300), (1299, 1300), (19_990, 20_000)]
)
def test_the_limits_are_the_quantiles_of_the_beta_distribution(events: int, trials: int) -> None:
    beta = pytest.importorskip("scipy.stats", reason="compares with scipy where the training packages are").beta
    lower, upper = clopper_pearson(events, trials, 0.95)
    assert upper == pytest.approx(beta.ppf(0.975, events + 1, trials - events), rel=1e-9)
    assert lower == pytest.approx(beta.ppf(0.025, events, trials - events + 1) if events else 0.0, rel=1e-9)


def test_nothing_seen_in_n_proves_only_one_minus_the_nth_root() -> None:
    for trials, limit in ((50, 0.0582), (299, 0.00997)):
        assert upper_limit(0, trials, 0.95) == pytest.approx(1 - 0.05 ** (1 / trials))
        assert upper_limit(0, trials, 0.95) == pytest.approx(limit, abs=5e-5)


@pytest.mark.parametrize(
    ("claim", "events", "trials"), [(0.001, 0, 2995), (0.001, 1, 4742), (0.1, 0, 29), (0.1, 1, 46), (0.01, 0, 299)]
)
def test_the_sample_that_a_claim_needs_is_the_smallest_that_proves_it(claim: float, events: int, trials: int) -> None:
    assert sample_size(claim, events, 0.95) == trials
    assert upper_limit(events, trials, 0.95) <= claim < upper_limit(events, trials - 1, 0.95)


def test_the_true_rate_lies_within_the_limits_at_least_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    for truth in (0.01, 0.2, 0.9):
        drawn, times = np.unique(rng.binomial(60, truth, 2000), return_counts=True)
        limits = [clopper_pearson(int(events), 60, 0.95) for events in drawn]
        inside = np.repeat([low <= truth <= high for low, high in limits], times)
        assert np.mean(inside) >= 0.94


def test_a_rate_without_trials_has_no_share_and_says_nothing() -> None:
    nothing = rate(0, 0)
    assert (nothing.share, nothing.lower, nothing.upper) == (None, 0.0, 1.0)
    assert rate(1, 4).share == 0.25
