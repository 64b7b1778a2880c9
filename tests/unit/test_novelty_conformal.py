"""The p-value against calibrated good parts: exact, also where some are alike, and never promised beyond them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.novelty.conformal import Calibration, Novelty, NoveltyRule, parts_for

SHA256 = "ab" * 32
NINETEEN = Calibration(tuple(float(score) for score in range(1, 20)), SHA256, "openvino int8")


@pytest.mark.parametrize(
    ("score", "p_value"),
    [(0.0, 1.0), (1.0, 1.0), (1.5, 19 / 20), (10.0, 11 / 20), (19.0, 2 / 20), (19.5, 1 / 20), (1e9, 1 / 20)],
)
def test_it_counts_the_parts_that_are_as_unlike_or_more(score: float, p_value: float) -> None:
    assert NINETEEN.p_value(score) == p_value


scores = st.lists(st.floats(0, 100, width=32), min_size=1, max_size=60)


@given(scores, st.floats(0, 100, width=32))
def test_it_is_the_definition(calibrated: list[float], score: float) -> None:
    calibration = Calibration(tuple(sorted(calibrated)), SHA256, "")
    counted = sum(other >= score for other in calibrated)
    assert calibration.p_value(score) == (1 + counted) / (len(calibrated) + 1)


@given(scores.filter(lambda drawn: len(drawn) > 1), st.floats(0.001, 0.999))
def test_of_exchangeable_parts_no_more_than_the_promised_share_counts_as_unknown(
    drawn: list[float], alpha: float
) -> None:
    """Each of n + 1 parts is as likely to be the one that is judged; that is counted out, ties and all."""
    unknown = 0
    for place, score in enumerate(drawn):
        others = tuple(sorted(drawn[:place] + drawn[place + 1 :]))
        rule = NoveltyRule(alpha, Calibration(others, SHA256, ""))
        unknown += rule.judge([score]).unknown
    least = max(alpha, 1 / len(drawn))
    assert unknown <= least * len(drawn) + 1e-9


@pytest.mark.parametrize(("alpha", "level"), [(0.05, 0.05), (0.1, 0.1), (0.01, 0.05), (0.0, 0.0)])
def test_with_too_few_parts_the_level_is_what_they_can_promise_and_0_calls_nothing_unknown(
    alpha: float, level: float
) -> None:
    rule = NoveltyRule(alpha, NINETEEN)
    assert rule.level == pytest.approx(level)
    assert rule.judge([25.0]).unknown is (alpha > 0)
    assert not rule.judge([18.5]).unknown or alpha == 0.1


def test_a_part_is_judged_by_its_worst_patch() -> None:
    novelty = NoveltyRule(0.05, NINETEEN).judge([0.5, 3.0, 21.0, 2.0])
    assert (novelty.score, novelty.patch, novelty.p_value) == (21.0, 2, 1 / 20)
    assert (novelty.level, novelty.calibration_sha256, novelty.parts) == (0.05, SHA256, 19)
    assert novelty.unknown
    assert str(novelty) == (
        "patch 2 is 21.00 times as unlike as one in a hundred known patches, as 0 of 19 good parts are "
        "(p 0.0500, limit 0.0500)"
    )


def test_without_good_parts_to_hold_it_against_nothing_is_claimed() -> None:
    novelty = NoveltyRule(0.05, None).judge([1.0, 400.0])
    assert novelty == Novelty(400.0, 1)
    assert not novelty.unknown
    assert str(novelty).endswith("nothing is known of good parts of this type")


@pytest.mark.parametrize(("alpha", "parts"), [(0.05, 19), (0.01, 99), (0.005, 199), (0.001, 999), (0.5, 1), (0.03, 33)])
def test_so_many_parts_are_needed(alpha: float, parts: int) -> None:
    assert parts_for(alpha) == parts
    assert 1 / (parts + 1) <= alpha + 1e-12
    assert parts == 1 or 1 / parts > alpha


def test_the_shares_of_good_parts_are_what_was_promised() -> None:
    rng = np.random.default_rng(5)
    unknown = []
    for _ in range(400):
        drawn = rng.gamma(2.0, size=120)
        rule = NoveltyRule(0.05, Calibration(tuple(sorted(drawn[:99].tolist())), SHA256, ""))
        unknown += [rule.judge([score]).unknown for score in drawn[99:].tolist()]
    assert 0.035 < np.mean(unknown) < 0.06
