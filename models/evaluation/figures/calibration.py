"""Whether a network's probabilities mean what they say, and the temperature that makes them.

Source: C. Guo et al., On calibration of modern neural networks, ICML 2017: expected calibration error over equal bins
of confidence, and one temperature fitted by likelihood.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from station.core.probabilities import columns_of
from station.core.section import Section

BINS = 15
LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures that are looked at."""
GOLDEN = (np.sqrt(5) - 1) / 2
NARROWINGS = 60
LEAST_PROBABILITY = 1e-12

Floats = NDArray[np.float64]


class Bin(Section):
    """Samples whose confidence is alike."""

    lower: float = Field(..., description="Least confidence.")
    upper: float = Field(..., description="Highest confidence.")
    samples: int = Field(..., ge=0, description="Samples in between.")
    confidence: float | None = Field(..., description="Their mean confidence; None without samples.")
    accuracy: float | None = Field(..., description="Share of them judged rightly; None without samples.")


class Calibration(Section):
    """How far confidence and accuracy agree."""

    samples: int = Field(..., ge=1, description="Samples judged.")
    ece: float = Field(..., ge=0, le=1, description="Expected calibration error: mean gap, weighted with samples.")
    log_loss: float = Field(..., ge=0, description="Mean negative log-likelihood of the true class, in nats.")
    temperature: float | None = Field(
        ..., gt=0, description="That would fit these samples best, on top of the built-in one; None without errors."
    )
    ece_at_temperature: float | None = Field(..., description="Error with that temperature.")
    bins: tuple[Bin, ...] = Field(..., description="The reliability diagram.")


def calibrate(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], passing: int | None = None
) -> Calibration:
    """Calibration of probabilities (n, classes) against true classes (n,); `passing` is the column of what passes."""
    sure = np.maximum(np.asarray(probabilities, np.float64), LEAST_PROBABILITY)
    logits, truth = np.log(sure), np.asarray(labels, np.intp)
    wrong = columns_of(sure, passing) != truth
    temperature = fit_temperature(logits, truth) if wrong.any() else None
    bins = reliability(sure, truth, passing)
    fitted = None if temperature is None else reliability(softmax(logits / temperature), truth, passing)
    return Calibration(
        samples=len(truth),
        ece=expected_error(bins),
        log_loss=log_loss(logits, truth, 1.0),
        temperature=temperature,
        ece_at_temperature=None if fitted is None else expected_error(fitted),
        bins=bins,
    )


def reliability(probabilities: Floats, labels: NDArray[np.integer], passing: int | None = None) -> tuple[Bin, ...]:
    """Fifteen equal bins of confidence, the probability of the class that is answered."""
    confidence = probabilities.max(axis=1)
    right = columns_of(probabilities, passing) == labels
    numbers = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    return tuple(_bin(number, confidence[numbers == number], right[numbers == number]) for number in range(BINS))


def expected_error(bins: tuple[Bin, ...]) -> float:
    """Mean gap between confidence and accuracy of the bins, weighted with their samples."""
    gaps = [abs((one.confidence or 0.0) - (one.accuracy or 0.0)) * one.samples for one in bins]
    return sum(gaps) / sum(one.samples for one in bins)


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature by which logits (n, classes) must be divided to make true classes (n,) most likely.

    Golden-section search of the log temperature: the log loss has one minimum. Logits that are all on the right side
    have none; the answer is then the lowest temperature looked at, 0.05.
    """
    exact: Floats = np.asarray(logits, np.float64)
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(NARROWINGS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        falls = log_loss(exact, labels, float(np.exp(left))) > log_loss(exact, labels, float(np.exp(right)))
        low, high = (left, high) if falls else (low, right)
    return float(np.exp((low + high) / 2))


def log_loss(logits: Floats, labels: NDArray[np.integer], temperature: float) -> float:
    """Mean negative log-likelihood of the true classes, in nats."""
    scaled = logits / temperature
    peak = scaled.max(axis=1, keepdims=True)
    log_sum = peak[:, 0] + np.log(np.exp(scaled - peak).sum(axis=1))
    return float(max(0.0, np.mean(log_sum - scaled[np.arange(len(labels)), labels])))


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities (n, classes) of logits."""
    exact = np.asarray(logits, np.float64)
    raised = np.exp(exact - exact.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def _bin(number: int, confidence: Floats, right: NDArray[np.bool_]) -> Bin:
    return Bin(
        lower=number / BINS,
        upper=(number + 1) / BINS,
        samples=len(confidence),
        confidence=float(min(1.0, confidence.mean())) if len(confidence) else None,
        accuracy=float(right.mean()) if len(right) else None,
    )
