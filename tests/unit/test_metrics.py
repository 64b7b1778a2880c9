"""Scores of a classifier, by hand and against brute force; calibration and the temperature that repairs it."""

import numpy as np
import pytest

from models.evaluation.figures.calibration import calibrate, expected_error, fit_temperature, reliability, softmax
from models.evaluation.figures.metrics import auc, classify

CLASSES = ("free", "pits", "scratches")


def test_precision_recall_f1_and_confusion_by_hand() -> None:
    truth, found = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 3, 2, 0])
    scores = classify(truth, found, np.eye(3)[np.minimum(found, 2)], (*CLASSES, "review"))
    assert scores.confusion == ((2, 1, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0))
    assert (scores.accuracy.events, scores.accuracy.trials) == (4, 7)
    free, pits, scratches = scores.classes
    assert (free.recall.share, free.precision, free.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (pits.recall.share, pits.precision, pits.f1) == pytest.approx((1 / 2, 1 / 2, 1 / 2))
    assert (scratches.recall.share, scratches.precision, scratches.f1) == pytest.approx((1 / 2, 1, 2 / 3))
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1 / 2) / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)


def test_a_class_that_is_never_there_or_never_found_has_no_figure_in_place_of_a_wrong_one() -> None:
    truth, found = np.array([0, 0, 1]), np.array([0, 0, 0])
    scores = classify(truth, found, np.eye(3)[found], CLASSES)
    _free, pits, scratches = scores.classes
    assert (pits.precision, pits.f1, pits.recall.share) == (None, 0.0, 0.0)
    assert (scratches.samples, scratches.recall.share, scratches.f1, scratches.auc) == (0, None, None, None)
    assert scores.balanced_accuracy == pytest.approx(0.5)
    assert scores.macro_precision == pytest.approx((2 / 3 + 0) / 2)


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(5)
    for levels in (3, 7, 1000):
        scores = rng.integers(0, levels, 80) / levels
        positive = rng.random(80) < 0.3
        pairs = scores[positive][:, None] - scores[~positive][None]
        assert auc(scores, positive) == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


def test_an_auc_needs_both_kinds() -> None:
    assert auc(np.array([0.1, 0.2]), np.array([True, True])) is None
    assert auc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5


def test_the_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.62, 0.38], [0.62, 0.38]])
    bins = reliability(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert sum(one.samples for one in bins) == 6
    assert expected_error(bins) == pytest.approx((4 * (0.9 - 0.75) + 2 * (0.62 - 0.0)) / 6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_fit_finds_the_temperature_that_was_planted(temperature: float) -> None:
    rng = np.random.default_rng(7)
    honest = rng.normal(0, 2.5, (6000, 5))
    labels = (softmax(honest).cumsum(axis=1) > rng.random((6000, 1))).argmax(axis=1)
    assert fit_temperature(honest * temperature, labels) == pytest.approx(temperature, rel=0.06)
    repaired = calibrate(softmax(honest * temperature), labels)
    assert repaired.temperature == pytest.approx(temperature, rel=0.06)
    assert repaired.ece_at_temperature == pytest.approx(0, abs=0.03)
    if temperature == 2.5:
        assert repaired.ece > 0.1


def test_without_an_error_there_is_no_temperature_to_fit() -> None:
    perfect = calibrate(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    assert (perfect.temperature, perfect.ece_at_temperature) == (None, None)


def test_a_probability_of_zero_for_the_truth_costs_much_but_not_everything() -> None:
    assert np.isfinite(calibrate(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])).log_loss)
