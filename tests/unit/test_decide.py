"""The guard of Algorithm 1: nothing but a valid, complete, timely and confident pass is ever passed."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from station.core.errors import FAULTS
from station.core.novelty.conformal import Calibration, NoveltyRule
from station.core.part import Probabilities, ScanHealth, Scores
from station.core.promise import Promise
from station.core.recipe import DecisionRule
from station.flow.decide import decide
from tests.housings import Destination, Verdict, rule

RULE = rule()
HEALTHY = ScanHealth(None, "", 12.0)
FREE = (0.9, 0.04, 0.03, 0.02, 0.01)


def patches(**rows: tuple[float, ...]) -> Probabilities:
    """16 defect-free patches but for those named `p0` to `p15`."""
    values = np.tile(np.array(FREE, np.float32), (16, 1))
    for name, row in rows.items():
        values[int(name[1:])] = row
    return values


def strips(probabilities: Probabilities) -> list[Scores]:
    return [Scores(index, probabilities[2 * index : 2 * index + 2]) for index in range(len(probabilities) // 2)]


def test_a_healthy_confident_pass_goes_to_the_second_inspection() -> None:
    decision = decide(strips(patches()), HEALTHY, RULE)
    assert decision.verdict is decision.algorithm1 == Verdict.DEFECT_FREE
    assert decision.destination is Destination.SECOND_INSPECTION
    assert decision.fault is None
    assert decision.detail == ""
    assert decision.probabilities.shape == (16, 5)


def test_a_healthy_confident_defect_goes_to_its_bin() -> None:
    decision = decide(strips(patches(p6=(0.1, 0, 0, 0.9, 0))), HEALTHY, RULE)
    assert decision.verdict is decision.algorithm1 == Verdict.ROLL_MARKS
    assert decision.destination is Destination.BIN_ROLL_MARKS
    assert (decision.deciding_patch, decision.defect_patches) == (6, 1)


def test_strips_may_come_in_any_order() -> None:
    scores = strips(patches(p6=(0.1, 0, 0, 0.9, 0)))
    assert decide(scores[::-1], HEALTHY, RULE).deciding_patch == 6


INCOMPLETE = FAULTS["scan.incomplete"]
WHOLE = strips(patches())
UNSURE = strips(patches(p3=(0.49, 0.3, 0.21, 0, 0)))
NAN = strips(patches(p3=(float("nan"), 0, 0, 0, 0)))


@pytest.mark.parametrize(
    ("scores", "health", "code", "words", "kept"),
    [
        (WHOLE, ScanHealth(INCOMPLETE, "block 3 missing", 12.0), "scan.incomplete", "block 3 missing", True),
        ([], ScanHealth(FAULTS["part.jig_empty"], "dark", None), "part.jig_empty", "dark", False),
        (NAN, ScanHealth(INCOMPLETE, "gap", None), "scan.incomplete", "gap", False),
        (NAN, ScanHealth(None, "", None), "model.bad_scores", "an answer is not a finite number", False),
        (
            strips(patches(p0=(1.2, -0.2, 0, 0, 0))),
            HEALTHY,
            "model.bad_scores",
            "answers from -0.2 to 1.2, not within 0 to 1",
            False,
        ),
        (strips(patches(p9=(0.5, 0.2, 0, 0, 0))), HEALTHY, "model.bad_scores", "sums 0.7 of patches are not 1", False),
        (WHOLE[:7], ScanHealth(None, "", None), "scan.judged_in_part", "strips judged: 0, 1, 2, 3, 4, 5, 6;", False),
        ([], HEALTHY, "scan.judged_in_part", "strips judged: none;", False),
        ([*WHOLE[:7], WHOLE[0]], HEALTHY, "scan.judged_in_part", "strips judged: 0, 0, 1, 2, 3, 4, 5, 6;", False),
        ([*WHOLE, WHOLE[7]], HEALTHY, "scan.judged_in_part", "6, 7, 7;", False),
        ([*WHOLE[:7], Scores(8, WHOLE[7].probabilities)], HEALTHY, "scan.judged_in_part", "6, 8;", False),
        ([*WHOLE[:7], Scores(7, WHOLE[7].probabilities[:1])], HEALTHY, "scan.judged_in_part", "6, 7;", False),
        (WHOLE, ScanHealth(None, "", None), "scan.late", "the scan has no last line", True),
        (
            WHOLE,
            ScanHealth(None, "", 500.5),
            "scan.late",
            "500.5 ms after the last line, allowed are 0 to 500 ms",
            True,
        ),
        (WHOLE, ScanHealth(None, "", -0.5), "scan.late", "-0.5 ms after the last line", True),
        (WHOLE, ScanHealth(None, "", float("nan")), "scan.late", "nan ms", True),
        (UNSURE, ScanHealth(None, "", 501.0), "scan.late", "501.0 ms", True),
        (UNSURE, HEALTHY, "part.low_confidence", "defect_free in patch 3 with 0.490, the minimum is 0.5", True),
    ],
)
def test_the_guard_turns_it_into_review_and_says_why(
    scores: list[Scores], health: ScanHealth, code: str, words: str, *, kept: bool
) -> None:
    decision = decide(scores, health, RULE)
    assert decision.verdict == Verdict.REVIEW
    assert decision.destination is Destination.BIN_REVIEW
    assert decision.fault is FAULTS[code]
    assert words in decision.detail
    assert decision.algorithm1 is (Verdict.DEFECT_FREE if kept else None)
    assert (decision.deciding_patch is not None) is kept
    assert (decision.confidence > 0) is kept


@pytest.mark.parametrize("ms", [0.0, 500.0])
def test_at_the_deadline_is_in_time(ms: float) -> None:
    assert decide(WHOLE, ScanHealth(None, "", ms), RULE).verdict == Verdict.DEFECT_FREE


def test_an_unsure_defect_is_reviewed_and_keeps_what_algorithm_1_said() -> None:
    decision = decide(strips(patches(p7=(0.4, 0, 0, 0.45, 0.15))), HEALTHY, RULE)
    assert decision.verdict == Verdict.REVIEW
    assert decision.algorithm1 == Verdict.ROLL_MARKS
    assert decision.confidence == pytest.approx(0.45)


weights = npst.arrays(np.float32, (16, 5), elements=st.floats(0, 1, width=32))
mostly_free = st.floats(0, 6, width=32)


@st.composite
def probability_sets(draw: st.DrawFn) -> Probabilities:
    values = draw(weights)
    values[:, 0] += np.float32(draw(mostly_free))
    values += np.float32(1e-6)
    return np.asarray(values / values.sum(axis=1, keepdims=True), np.float32)


healths = st.builds(
    ScanHealth,
    fault=st.sampled_from([None, None, None, INCOMPLETE, FAULTS["part.edge_wanders"], FAULTS["camera.timeout"]]),
    detail=st.just("seen"),
    ms_after_last_line=st.none() | st.floats(allow_nan=True) | st.floats(0, 600),
)


@given(probability_sets(), healths, st.sets(st.integers(0, 7), max_size=1))
def test_only_a_valid_complete_timely_confident_pass_is_passed(
    probabilities: Probabilities, health: ScanHealth, lost: set[int]
) -> None:
    scores = [strip for strip in strips(probabilities) if strip.index not in lost]
    decision = decide(scores, health, RULE)
    all_free = bool((probabilities[:, 1:].max(axis=1) < probabilities[:, 0]).all())
    confident = bool(probabilities[:, 0].min() >= RULE.min_confidence)
    in_time = health.ms_after_last_line is not None and 0 <= health.ms_after_last_line <= RULE.deadline_ms
    may_pass = all_free and confident and in_time and health.fault is None and not lost
    assert (decision.verdict == Verdict.DEFECT_FREE) is may_pass
    assert (decision.verdict == Verdict.REVIEW) is (decision.fault is not None)


@given(npst.arrays(np.float32, (16, 5), elements=st.floats(width=32)))
def test_scores_that_are_no_probabilities_are_never_passed(values: Probabilities) -> None:
    decision = decide(strips(values), HEALTHY, RULE)
    in_range = ((values >= 0) & (values <= 1.001)).all()
    if not in_range or (np.abs(values.sum(axis=1) - 1) > 0.001).any():
        assert decision.verdict == Verdict.REVIEW
        assert decision.fault is FAULTS["model.bad_scores"]


@given(probability_sets(), st.permutations(range(8)))
def test_the_decision_depends_on_nothing_but_its_input(probabilities: Probabilities, order: list[int]) -> None:
    scores = strips(probabilities)
    first, again = decide(scores, HEALTHY, RULE), decide([scores[index] for index in order], HEALTHY, RULE)
    assert first.verdict is again.verdict
    assert first.confidence == again.confidence
    assert first.deciding_patch == again.deciding_patch
    np.testing.assert_array_equal(first.probabilities, again.probabilities)


CALIBRATED = Calibration(tuple(number / 100 for number in range(1, 100)), "ab" * 32, "none")
KNOWING = replace(RULE, novelty=NoveltyRule(0.01, CALIBRATED))


def told(probabilities: Probabilities, **novelties: float) -> list[Scores]:
    """Strips whose patches are usual but for those named `p0` to `p15`."""
    novelty = np.full(16, 0.2, np.float32)
    for name, value in novelties.items():
        novelty[int(name[1:])] = value
    return [replace(strip, novelty=novelty[2 * strip.index : 2 * strip.index + 2]) for strip in strips(probabilities)]


@pytest.mark.parametrize(
    "row", [FREE, (0.0, 0.0, 0.0, 1.0, 0.0), (0.4, 0.3, 0.3, 0, 0)], ids=["good", "sure of a defect", "unsure"]
)
def test_a_part_unlike_all_that_was_trained_on_goes_to_review_whatever_it_is_called(row: tuple[float, ...]) -> None:
    probabilities = patches(p4=row)
    decision = decide(told(probabilities, p11=1.5), HEALTHY, KNOWING)
    assert decision.verdict == Verdict.REVIEW
    assert decision.fault is FAULTS["part.unknown"]
    assert decision.detail.startswith("patch 11 is 1.50 times as unlike")
    assert "as 0 of 99 good parts are (p 0.0100, limit 0.0100)" in decision.detail
    assert decision.novelty is not None
    assert (decision.novelty.score, decision.novelty.patch, decision.novelty.p_value) == (1.5, 11, 0.01)
    assert decision.algorithm1 == decide(strips(probabilities), HEALTHY, RULE).algorithm1
    assert decision.deciding_patch == decide(strips(probabilities), HEALTHY, RULE).deciding_patch


def test_a_part_as_unlike_as_some_good_ones_is_decided_by_its_class_and_the_score_is_kept() -> None:
    decision = decide(told(patches(), p3=0.985), HEALTHY, KNOWING)
    assert decision.verdict == Verdict.DEFECT_FREE
    assert decision.novelty is not None
    assert (decision.novelty.patch, decision.novelty.p_value) == (3, 0.02)


@pytest.mark.parametrize(
    ("scores", "health", "code"),
    [
        (told(patches(), p3=9.0), ScanHealth(INCOMPLETE, "gap", 12.0), "scan.incomplete"),
        (told(patches(), p3=9.0), ScanHealth(None, "", 501.0), "scan.late"),
        (told(patches(), p3=9.0)[:7], HEALTHY, "scan.judged_in_part"),
    ],
)
def test_what_makes_a_judgement_invalid_is_told_before(scores: list[Scores], health: ScanHealth, code: str) -> None:
    assert decide(scores, health, KNOWING).fault is FAULTS[code]


@pytest.mark.parametrize(
    ("scores", "rule_"),
    [
        (told(patches(), p3=9.0), RULE),
        (strips(patches()), KNOWING),
        ([*told(patches(), p3=9.0)[:7], strips(patches())[7]], KNOWING),
        (told(patches(), p3=9.0), replace(RULE, novelty=NoveltyRule(0.01, None))),
        (told(patches(), p3=9.0), replace(RULE, novelty=NoveltyRule(0.0, CALIBRATED))),
    ],
    ids=["no rule", "no scores", "a strip without", "no calibration", "recorded alone"],
)
def test_nothing_is_unknown_where_nothing_is_known(scores: list[Scores], rule_: DecisionRule) -> None:
    assert decide(scores, HEALTHY, rule_).verdict == Verdict.DEFECT_FREE


@given(probability_sets(), healths, st.lists(st.floats(0, 2, width=32), min_size=16, max_size=16))
def test_with_what_is_known_never_more_passes_than_without(
    probabilities: Probabilities, health: ScanHealth, novelties: list[float]
) -> None:
    scores = told(probabilities, **{f"p{patch}": value for patch, value in enumerate(novelties)})
    with_it, without = decide(scores, health, KNOWING), decide(scores, health, RULE)
    unknown = max(novelties) > 0.99
    assert (with_it.verdict == Verdict.REVIEW) is (without.verdict == Verdict.REVIEW or unknown)
    if without.fault is not None and without.fault is not FAULTS["part.low_confidence"]:
        assert with_it.fault is without.fault


def promising(threshold: float | None) -> DecisionRule:
    """The rule of a network of which this was proven."""
    made = datetime(2026, 5, 1, tzinfo=UTC)
    missing = 0 if threshold else 179
    proven = Promise("SMH-385", "net-1", 0.01, 0.95, threshold, 320, 0, missing, "rendered", made, "openvino int8")
    return replace(RULE, promise=proven)


def test_a_part_passes_only_as_surely_as_the_promise_takes() -> None:
    unsure = strips(patches(p3=(0.75, 0.1, 0.1, 0.05, 0.0)))
    assert decide(unsure, HEALTHY, promising(0.75)).verdict == Verdict.DEFECT_FREE
    decision = decide(unsure, HEALTHY, promising(0.8))
    assert (decision.verdict, decision.fault) == (Verdict.REVIEW, FAULTS["part.not_promised"])
    assert decision.detail == "0.7500 in patch 3, a pass takes 0.8"
    assert decision.algorithm1 == Verdict.DEFECT_FREE


@given(probability_sets(), st.sampled_from([None, 0.3, 0.5, 0.8, 0.999]))
def test_a_promise_passes_nothing_that_would_not_pass_without_it_and_stops_nothing_but_passes(
    probabilities: Probabilities, threshold: float | None
) -> None:
    with_it, without = (decide(strips(probabilities), HEALTHY, rule_) for rule_ in (promising(threshold), RULE))
    if without.verdict.passes:
        assert with_it.verdict.passes is (without.confidence >= (threshold or 0))
    else:
        assert (with_it.verdict, with_it.fault) == (without.verdict, without.fault)
