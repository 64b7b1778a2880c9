"""Rates with exact limits: how sure one may be of a rate after so many trials, and how many trials a claim needs.

Source: C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated in the case of the
binomial, Biometrika 26 (1934).
"""

import math

import numpy as np
from pydantic import Field

from station.core.section import Section

CONFIDENCE = 0.95
"""Of every two-sided interval in a report; each of its sides alone holds with 97.5 %."""
BISECTIONS = 60


class Rate(Section):
    """How often something happened, with exact two-sided limits of 95 %."""

    events: int = Field(..., ge=0, description="How often it happened.")
    trials: int = Field(..., ge=0, description="How often it could have.")
    share: float | None = Field(..., ge=0, le=1, description="events / trials; None without trials.")
    lower: float = Field(..., ge=0, le=1, description="Lower Clopper-Pearson limit.")
    upper: float = Field(..., ge=0, le=1, description="Upper Clopper-Pearson limit; 1 without trials.")


def rate(events: int, trials: int) -> Rate:
    """A rate with its limits of 95 %."""
    lower, upper = clopper_pearson(events, trials, CONFIDENCE)
    return Rate(events=events, trials=trials, share=events / trials if trials else None, lower=lower, upper=upper)


def clopper_pearson(events: int, trials: int, confidence: float) -> tuple[float, float]:
    """Exact two-sided limits of a probability after `events` in `trials`; 0 and 1 without trials.

    Args:
        events: 0 to `trials`.
        trials: From 0 up.
        confidence: Two-sided, for example 0.95; either side alone is exceeded with half of the rest.
    """
    tail = (1 - confidence) / 2
    return 1 - _upper(trials - events, trials, tail), _upper(events, trials, tail)


def upper_limit(events: int, trials: int, confidence: float) -> float:
    """Exact one-sided upper limit of a probability: it is no higher, with this confidence."""
    return clopper_pearson(events, trials, 2 * confidence - 1)[1]


def sample_size(claim: float, events: int, confidence: float) -> int:
    """Fewest trials after which `events` still prove, one-sided, that a probability is at most `claim`.

    With no events these are ln(1 - confidence) / ln(1 - claim), rounded up: 2,995 for 0.1 % with 95 %.
    """
    low, high = events, events + 1
    while binomial_tail(events, high, claim) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        proves = binomial_tail(events, middle, claim) <= 1 - confidence
        low, high = (low, middle) if proves else (middle, high)
    return high


def binomial_tail(events: int, trials: int, probability: float) -> float:
    """Probability of at most `events` in `trials`."""
    if probability <= 0 or events >= trials:
        return 1.0
    if probability >= 1:
        return 0.0
    counts = np.arange(events + 1)
    log_choose = np.append(0.0, np.cumsum(np.log(trials - counts[:-1]) - np.log(counts[1:])))
    logs = log_choose + counts * math.log(probability) + (trials - counts) * math.log1p(-probability)
    return float(min(1.0, np.exp(logs).sum()))


def _upper(events: int, trials: int, tail: float) -> float:
    """The probability with which at most `events` have only this chance left."""
    if events == trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(events, trials, middle) > tail else (low, middle)
    return (low + high) / 2
