"""Logistic models of hits and misses, and their likelihood-ratio limits. Pure functions.

Probability of detection at x = ln(size) is 1 / (1 + exp(-(b0 + b1 x))), b0 and b1 by maximum likelihood (Newton); a
second covariate, such as ln(contrast), adds a term. A limit is where the likelihood, maximised over what is left free,
has fallen so far that twice the logarithm of its ratio to the maximum is 2.706, the square of the normal quantile of
95 %: one-sided limits of 95 %.
Source: MIL-HDBK-1823A, appendix G, hit/miss data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

QUANTILE = NormalDist().inv_cdf(0.95)
"""1.645: the root of what twice the logarithm of the likelihood ratio may reach."""
STEPS, HALVINGS = 60, 40
CLOSE = 1e-6
WORST_CONDITION = 1e12
PERFECT = -1e-6
"""A log-likelihood above this is that of separated data: it rises towards 0 for ever as the weights grow."""
DEEPEST = 60.0
"""Logits below the estimate, as good as a probability of nothing."""
WIDEST = float(np.log(1000.0))
"""Limits further than a factor of 1000 from the estimate are taken as none."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted model.

    Attributes:
        weights: (1 + k,): of the constant, then of each covariate, the size first.
        log_likelihood: The maximum.
    """

    weights: Floats
    log_likelihood: float


def fit_logistic(covariates: Floats, hits: NDArray[np.bool_]) -> Logistic | None:
    """The most likely model of covariates (n, k); None where there is no maximum, as with separated data."""
    design = np.column_stack([np.ones(len(covariates)), covariates])
    weights = np.zeros(design.shape[1])
    best = _log_likelihood(design @ weights, hits)
    for _ in range(STEPS):
        chance = _chance(design @ weights)
        gradient = design.T @ (hits - chance)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        if np.linalg.cond(curvature) > WORST_CONDITION:
            return None
        step = np.asarray(np.linalg.solve(curvature, gradient), np.float64)
        weights, likelihood = _climb(lambda w: _log_likelihood(design @ w, hits), weights, step, best)
        if likelihood > PERFECT:
            return None
        if likelihood - best < 1e-10:
            return Logistic(weights, likelihood)
        best = likelihood
    return None


def anchored_log_likelihood(
    covariates: Floats, hits: NDArray[np.bool_], anchor: Floats, logit: float, slopes: Floats
) -> float:
    """Largest log-likelihood of all models that have this logit at this point.

    Args:
        covariates: (n, k) logarithms of sizes, and of what else decides.
        hits: (n,) what was found.
        anchor: (k,) where the model is held.
        logit: Its value there.
        slopes: (k,) where the search for the free slopes begins.
    """
    away = covariates - anchor
    best = _log_likelihood(logit + away @ slopes, hits)
    for _ in range(STEPS):
        chance = _chance(logit + away @ slopes)
        curvature = (away * (chance * (1 - chance))[:, None]).T @ away
        if not np.all(np.isfinite(curvature)) or np.linalg.cond(curvature) > WORST_CONDITION:
            break
        step = np.asarray(np.linalg.solve(curvature, away.T @ (hits - chance)), np.float64)
        slopes, likelihood = _climb(lambda b: _log_likelihood(logit + away @ b, hits), slopes, step, best)
        gain, best = likelihood - best, likelihood
        if gain < 1e-9:
            break
    return best


def size_at(model: Logistic, logit: float, others: Floats) -> float:
    """Logarithm of the size with this logit, where the other covariates (k - 1,) are these."""
    return float((logit - model.weights[0] - model.weights[2:] @ others) / model.weights[1])


def upper_size(
    covariates: Floats, hits: NDArray[np.bool_], model: Logistic, logit: float, others: Floats
) -> float | None:
    """One-sided upper limit of `size_at`, as a logarithm; None where there is none."""
    start, slopes = size_at(model, logit, others), model.weights[1:]

    def fallen(away: float) -> float:
        anchor = np.append(start + away, others)
        return _root_ratio(model, anchored_log_likelihood(covariates, hits, anchor, logit, slopes))

    reach = 0.05
    while fallen(reach) < QUANTILE:
        reach *= 2
        if reach > WIDEST:
            return None
    return start + _crossing(fallen, reach)


def lower_logit(covariates: Floats, hits: NDArray[np.bool_], model: Logistic, at: Floats) -> float:
    """One-sided lower limit of the model's logit at a point (k,)."""
    here = float(model.weights[0] + model.weights[1:] @ at)

    def fallen(depth: float) -> float:
        return _root_ratio(model, anchored_log_likelihood(covariates, hits, at, here - depth, model.weights[1:]))

    reach = 0.5
    while fallen(reach) < QUANTILE and reach < DEEPEST:
        reach *= 2
    return here - _crossing(fallen, reach)


def _root_ratio(model: Logistic, log_likelihood: float) -> float:
    """Root of twice the logarithm of the likelihood ratio: nearly straight in whatever is held."""
    return float(np.sqrt(max(0.0, 2 * (model.log_likelihood - log_likelihood))))


def _crossing(fallen: Callable[[float], float], reach: float) -> float:
    """Where a nearly straight function that starts at 0 passes the quantile, at most `reach` away (Illinois method)."""
    low, below, high, above = 0.0, -QUANTILE, reach, fallen(reach) - QUANTILE
    for _ in range(STEPS):
        if above <= 0:
            return high
        middle = low - below * (high - low) / (above - below)
        height = fallen(middle) - QUANTILE
        if abs(height) < CLOSE:
            return middle
        if height < 0:
            low, below, above = middle, height, above / 2
        else:
            high, above, below = middle, height, below / 2
    return (low + high) / 2


def _climb(likelihood: Callable[[Floats], float], weights: Floats, step: Floats, best: float) -> tuple[Floats, float]:
    """The step, halved until it does not lead down."""
    for _ in range(HALVINGS):
        reached = likelihood(weights + step)
        if reached >= best:
            return weights + step, reached
        step = step / 2
    return weights, best


def _log_likelihood(logits: Floats, hits: NDArray[np.bool_]) -> float:
    return float(-np.logaddexp(0, np.where(hits, -logits, logits)).sum())


def _chance(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))), np.float64)
