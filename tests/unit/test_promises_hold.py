"""Every promise is held as often as it says: 1,000 calibrations and streams are drawn, and the broken ones counted.

A share of broken ones that the promise allows is told from a larger one by its own exact limits.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from models.evaluation.figures.fixed_sequence import THRESHOLDS, p_value, prove
from models.evaluation.figures.rates import clopper_pearson
from models.evaluation.figures.time_uniform import log_wealth, running_limit
from tests.promises import (
    DRAWN,
    ONE_PERCENT,
    STREAMS,
    UNKNOWN,
    broken_streams,
    broken_thresholds,
    called_unknown,
)
from tests.promises import THRESHOLDS as THRESHOLDS_DRAWN


def at_most(broken: int, share: float) -> bool:
    """Whether so many of the drawn ones are what a promise with this share of broken ones may come to."""
    return clopper_pearson(broken, DRAWN, 0.99)[0] <= share


# ---------------------------------------------------------------------- the pass threshold


@pytest.mark.parametrize(("escapes", "parts"), [(0, 299), (1, 473), (2, 628), (3, 773)])
def test_the_p_value_is_the_exact_binomial_one(escapes: int, parts: int) -> None:
    target = Fraction(1, 100)
    exact = sum(math.comb(parts, k) * target**k * (1 - target) ** (parts - k) for k in range(escapes + 1))
    assert p_value(escapes, parts, 0.01) == pytest.approx(float(exact), rel=1e-9)
    assert p_value(escapes, parts, 0.01) <= 0.05 < p_value(escapes, parts - 1, 0.01)


@pytest.mark.parametrize(
    ("escapes", "parts", "target", "expected"),
    [
        (0, 299, 0.01, 0.04953625663766152),
        (1, 473, 0.01, 0.049797538819848844),
        (0, 60, 0.05, 0.04606979898695208),
        (9, 1500, 0.01, 0.0688804841304292),
        (2, 320, 0.02, 0.044829312041999865),
    ],
)
def test_the_p_value_is_that_of_mapie(escapes: int, parts: int, target: float, expected: float) -> None:
    """`compute_hoeffding_bentkus_p_value` of MAPIE 1.6.0 with `binary=True`, computed 2026-11-30."""
    assert p_value(escapes, parts, target) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("passed", "parts", "threshold", "escapes", "missing"),
    [
        ((), 299, 0.2, 0, 0),
        ((), 298, None, 0, 1),
        ((0.6,), 299, 0.65, 0, 0),
        ((0.6,), 473, 0.2, 1, 0),
        ((0.97, 0.6), 473, 0.65, 1, 0),
        ((1.0,), 299, None, 1, 174),
        ((), 0, None, 0, 299),
    ],
)
def test_the_threshold_is_the_lowest_that_is_proven_after_all_safer_ones(
    passed: Sequence[float], parts: int, threshold: float | None, escapes: int, missing: int
) -> None:
    proof = prove(passed, parts, ONE_PERCENT)
    assert (proof.threshold, proof.escapes, proof.missing) == (threshold, escapes, missing)


def test_the_sequence_ends_at_the_first_that_is_not_proven() -> None:
    assert prove((0.9,) * 9, 299, ONE_PERCENT, (0.95, 0.9, 0.2)).threshold == 0.95
    assert list(THRESHOLDS) == sorted(THRESHOLDS, reverse=True)


@pytest.mark.parametrize(("parts", "worst"), THRESHOLDS_DRAWN)
def test_the_share_of_escapes_is_exceeded_in_no_more_draws_than_the_confidence_leaves(parts: int, worst: float) -> None:
    broken = broken_thresholds(parts, worst)
    assert at_most(broken, 1 - ONE_PERCENT.confidence), broken


# ---------------------------------------------------------------------- the running limit


@pytest.mark.parametrize("share", STREAMS)
def test_a_limit_that_is_looked_at_after_every_part_is_broken_in_one_of_twenty_streams_at_most(share: float) -> None:
    broken = broken_streams(share)
    assert at_most(broken, 0.05), broken
    assert broken, "a limit that is never broken says less than it could"


@pytest.mark.parametrize(("events", "trials"), [(0, 1), (0, 300), (1, 300), (7, 300), (299, 300), (12, 100_000)])
def test_the_limit_is_the_smallest_share_against_which_a_bet_was_won(events: int, trials: int) -> None:
    limit = running_limit(events, trials, 0.95)
    assert events / trials < limit < 1
    assert log_wealth(events, trials, limit) == pytest.approx(math.log(20), abs=1e-6)
    assert running_limit(events, trials + 1, 0.95) < limit < running_limit(events + 1, trials + 1, 0.95)


def test_the_wealth_is_the_mean_over_all_smaller_shares() -> None:
    smaller = np.linspace(0, 0.2, 200_001)[1:]
    mean = np.mean(smaller**2 * (1 - smaller) ** 48) / (0.2**2 * 0.8**48)
    assert log_wealth(2, 50, 0.2) == pytest.approx(math.log(mean), abs=1e-6)


@pytest.mark.parametrize("trials", [0, 5])
def test_nothing_is_said_of_nothing_but_defective_parts(trials: int) -> None:
    assert running_limit(trials, trials, 0.95) == 1


# ---------------------------------------------------------------------- unknown parts


@pytest.mark.parametrize(("parts", "alpha"), UNKNOWN)
def test_good_parts_are_called_unknown_no_more_often_than_alpha(parts: int, alpha: float) -> None:
    called = called_unknown(parts, alpha)
    assert at_most(called, alpha), called
