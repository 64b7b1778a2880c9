"""Probability of detection: planted curves are recovered, limits hold as often as they say, odd data are named."""

import numpy as np
import pytest

from models.evaluation.figures.both import fit_both, size_found
from models.evaluation.figures.hit_miss import fit_logistic, upper_size
from models.evaluation.figures.pod import CONTRAST, SIZE, Pod, fit_pod, shown_by_counting

B0, B1 = 6.0, 4.0
A90 = float(np.exp((np.log(9) - B0) / B1))


def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.exp(rng.uniform(np.log(0.08), np.log(1.0), count))
    return sizes, rng.random(count) < 1 / (1 + np.exp(-(B0 + B1 * np.log(sizes))))


def fit(sizes: np.ndarray, found: np.ndarray) -> Pod:
    """Against size, of a class that has no other defects."""
    return fit_pod("pits", SIZE, sizes, found, len(sizes))


def test_the_fit_recovers_the_planted_curve() -> None:
    pod = fit(*draw(np.random.default_rng(1), 3000))
    assert pod.ending == "fitted"
    assert (pod.intercept, pod.slope) == (pytest.approx(B0, rel=0.1), pytest.approx(B1, rel=0.1))
    assert pod.a50 == pytest.approx(np.exp(-B0 / B1), rel=0.03)
    assert pod.a90 == pytest.approx(A90, rel=0.03)
    assert pod.a90_95 is not None
    assert A90 < pod.a90_95 < 1.08 * A90


def test_the_upper_limit_of_a90_holds_about_19_times_in_20() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(60):
        sizes, found = draw(rng, 120)
        x = np.log(sizes)
        model = fit_logistic(x[:, None], found)
        assert model is not None
        limit = upper_size(x[:, None], found, model, float(np.log(9)), np.zeros(0))
        held += limit is None or limit >= np.log(A90)
    assert 53 <= held <= 60


@pytest.mark.training
def test_the_most_likely_weights_are_those_of_a_general_optimiser() -> None:
    optimise = pytest.importorskip("scipy.optimize", reason="compares with scipy where the training packages are")
    sizes, found = draw(np.random.default_rng(4), 120)
    x = np.log(sizes)

    def loss(weights: np.ndarray) -> float:
        logits = weights[0] + weights[1] * x
        return float(np.logaddexp(0, np.where(found, -logits, logits)).sum())

    best = optimise.minimize(loss, np.array([1.0, 1.0]), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    pod = fit(sizes, found)
    assert (pod.intercept, pod.slope) == pytest.approx(tuple(best.x), rel=1e-4)


def test_the_curve_rises_and_its_lower_limit_lies_below_it() -> None:
    pod = fit(*draw(np.random.default_rng(3), 120))
    heights = [point.pod for point in pod.curve]
    assert heights == sorted(heights)
    assert all(0 <= point.lower < point.pod for point in pod.curve)
    assert [target.size for target in pod.targets] == sorted(target.size for target in pod.targets)


SIZES = np.geomspace(0.1, 1.0, 40)


@pytest.mark.parametrize(
    ("sizes", "found", "ending", "words"),
    [
        (SIZES, SIZES > 0, "all found", "All 40 were found, down to 0.1 mm; a90 is not estimable without a miss."),
        (SIZES, SIZES < 0, "none found", "None of 40 was found, up to 1 mm; of such defects at most 7.22 % are."),
        (SIZES, SIZES > 0.3, "separated", "without an overlap no curve can be fitted"),
        (SIZES, SIZES < 0.3, "not rising", "but no more of the large than of the small"),
        (np.full(40, 0.2), np.arange(40) < 30, "not rising", "30 of 40 were found from 0.2 to 0.2 mm"),
    ],
    ids=["all found", "none found", "separated", "falling", "one size"],
)
def test_data_that_no_curve_fits_are_called_what_they_are(
    sizes: np.ndarray, found: np.ndarray, ending: str, words: str
) -> None:
    pod = fit(sizes, found)
    assert pod.ending == ending
    assert words in pod.explanation
    assert (pod.a50, pod.a90, pod.a90_95, pod.curve) == (None, None, None, ())
    assert "40 defects are fewer than the 60 that MIL-HDBK-1823A asks for" in pod.explanation


def test_what_it_is_fitted_on_is_said_and_how_many_the_class_has() -> None:
    rng = np.random.default_rng(7)
    pod = fit_pod("pits", CONTRAST, *draw(rng, 67), 168)
    assert (len(pod.targets), pod.defects, pod.held) == (67, 168, "usual size")
    assert pod.explanation.startswith("67 of 168 defects are of usual size. ")


def test_without_any_defect_there_is_no_curve() -> None:
    pod = fit_pod("pits", SIZE, np.zeros(0), np.zeros(0, bool), 12)
    assert (pod.ending, pod.targets, pod.a90, pod.counted, pod.curve) == ("none tried", (), None, None, ())
    assert pod.explanation == "0 of 12 defects are of usual contrast. Without any there is no curve."


def test_too_little_overlap_sets_no_limit_and_says_so() -> None:
    found = SIZES > 0.3
    found[[0, 30]] = [True, False]
    pod = fit(SIZES, found)
    assert pod.ending == "fitted"
    if pod.a90_95 is None:
        assert "a90/95 is not estimable" in pod.explanation


@pytest.mark.parametrize(
    ("sizes", "found", "expected"),
    [
        (np.arange(1.0, 41.0), np.ones(40, bool), (1.0, 40, 40)),
        (np.arange(1.0, 41.0), np.arange(40) != 5, (7.0, 34, 34)),
        (np.arange(1.0, 61.0), np.arange(60) != 5, (1.0, 60, 59)),
        (np.arange(1.0, 29.0), np.ones(28, bool), None),
    ],
    ids=["none missed", "one missed of 40", "one missed of 60", "28 are too few"],
)
def test_counting_alone_shows_nine_tenths_from_29_without_a_miss(
    sizes: np.ndarray, found: np.ndarray, expected: tuple[float, int, int] | None
) -> None:
    shown = shown_by_counting(sizes, found)
    assert (None if shown is None else (shown.size, shown.targets, shown.found)) == expected


def draw_both(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes, contrasts = np.exp(rng.uniform(-2.5, 0, count)), np.exp(rng.uniform(-3, 0, count))
    logits = 8 + 3 * np.log(sizes) + 2 * np.log(contrasts)
    return sizes, contrasts, rng.random(count) < 1 / (1 + np.exp(-logits))


def test_size_and_contrast_together_recover_what_was_planted() -> None:
    both = fit_both(*draw_both(np.random.default_rng(6), 5000), 0.5)
    assert both.weights is not None
    truth = np.exp((np.log(9) - 8 - 2 * np.log(0.5)) / 3)
    assert (both.weights.constant, both.weights.size, both.weights.contrast) == pytest.approx((8, 3, 2), rel=0.1)
    assert both.a90 == pytest.approx(truth, rel=0.05)
    assert size_found(both.weights, 0.5) == pytest.approx(both.a90)
    assert both.a90_95 is not None
    assert truth < both.a90_95 < 1.1 * truth
    assert (both.defects, both.explanation) == (5000, "")


def test_the_limit_at_a_contrast_holds_about_19_times_in_20() -> None:
    rng = np.random.default_rng(8)
    truth = np.exp((np.log(9) - 8 - 2 * np.log(0.5)) / 3)
    fits = [fit_both(*draw_both(rng, 150), 0.5) for _ in range(40)]
    assert 35 <= sum(each.a90_95 is None or each.a90_95 >= truth for each in fits) <= 40


SIZED, STRONG, SEEN = draw_both(np.random.default_rng(9), 200)


@pytest.mark.parametrize(
    ("sizes", "contrasts", "found", "usual", "words"),
    [
        (SIZED, STRONG, SIZED > 0, 0.5, "All of 200 were found: no model can be fitted."),
        (SIZED, STRONG, SIZED < 0, 0.5, "None of 200 were found: no model can be fitted."),
        (SIZED, 1 / STRONG, SEEN, 2.0, "The strong are not found more often"),
        (1 / SIZED, STRONG, SEEN, 0.5, "The large are not found more often"),
        (SIZED, SIZED / 2, SEEN, 0.5, "size and contrast do not vary apart"),
        (SIZED, STRONG, SIZED * STRONG > 0.05, 0.5, "hits and misses do not overlap"),
        (SIZED, STRONG, SEEN, 0.0001, "nine tenths are reached at no size that was tried with as much contrast"),
        (SIZED, STRONG, SEEN, 2.0, "nine tenths are reached at no size that was tried with as much contrast"),
        (SIZED, STRONG * SIZED, SEEN, 0.5, "nine tenths are reached at no size that was tried with as much contrast"),
    ],
    ids=[
        "all found",
        "none found",
        "falling contrast",
        "falling size",
        "one measure",
        "separated",
        "too faint",
        "stronger than any",
        "none as small is as strong",
    ],
)
def test_where_both_together_say_nothing_the_reason_is_given(
    sizes: np.ndarray, contrasts: np.ndarray, found: np.ndarray, usual: float, words: str
) -> None:
    both = fit_both(sizes, contrasts, found, usual)
    assert (both.a90, both.a90_95) == (None, None)
    assert words in both.explanation
