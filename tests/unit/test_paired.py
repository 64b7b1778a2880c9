"""McNemar's exact test on the parts that only one of two networks has right."""

import math

import pytest

from models.evaluation.figures.paired import compare_paired, gain_within, mcnemar


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 2 / 2**5),
        (0, 6, 2 / 2**6),
        (3, 3, 1.0),
        (1, 9, 2 * (1 + 10) / 2**10),
        (2, 10, 2 * (1 + 12 + 66) / 2**12),
    ],
)
def test_the_chance_of_so_unequal_a_pair_is_the_binomials(one: int, other: int, p: float) -> None:
    assert mcnemar(one, other) == pytest.approx(p)
    assert mcnemar(other, one) == pytest.approx(p)


def test_many_disagreements_are_reckoned_without_overflow() -> None:
    assert mcnemar(5000, 5000) == 1.0
    assert 0 < mcnemar(4000, 6000) < 1e-80
    assert math.isfinite(mcnemar(0, 20_000))


def test_only_parts_of_which_the_two_differ_count() -> None:
    pairs = [(True, True)] * 7 + [(True, False)] * 3 + [(False, True)] + [(False, False)] * 2
    found = compare_paired("judged rightly", pairs)
    assert (found.only_new, found.only_present, found.p) == (3, 1, pytest.approx(2 * 5 / 16))


def test_a_gain_has_limits_that_hold_it_and_never_exceed_what_differs() -> None:
    gain, lower, upper = gain_within(12, 4, 200)
    assert gain == pytest.approx(8 / 200)
    assert -16 / 200 < lower < gain < upper < 16 / 200
    back = gain_within(4, 12, 200)
    assert back == pytest.approx((-gain, -upper, -lower))
    assert gain_within(0, 0, 200) == (0.0, 0.0, 0.0)
