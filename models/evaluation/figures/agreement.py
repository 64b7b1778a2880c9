"""Agreement of those who judge the same parts: Cohen's and Fleiss' kappa, with limits over the parts.

The trials of one part are not independent of each other, so limits are taken over parts: parts are drawn again with all
their trials (a percentile bootstrap), never single trials.
Source: J. Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20 (1960); J. L. Fleiss, Measuring
nominal scale agreement among many raters, Psychol. Bull. 76 (1971); B. Efron, Bootstrap methods, Ann. Stat. 7 (1979).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.evaluation.figures.rates import CONFIDENCE
from station.core.section import Section

DRAWS = 1000
SEED = 1
FEWEST = 0.9
"""So many of the draws must give a kappa, else its limits are not told."""

Ratings = NDArray[np.intp]
"""(parts, trials): number of the category that each trial said."""


class Kappa(Section):
    """An agreement beyond chance, 1 for a perfect one, with two-sided limits of 95 % over the parts."""

    value: float | None = Field(..., description="None where all is of one category, so that chance explains it all.")
    lower: float | None = Field(..., description="None where too few draws of parts give a value.")
    upper: float | None = Field(..., description="None where too few draws of parts give a value.")


def cohen(first: Ratings, second: Ratings, categories: int) -> float | None:
    """Cohen's kappa of two who have judged the same parts as often, trial against trial; None where chance is sure.

    Args:
        first: Of the one.
        second: Of the other, of the same shape.
        categories: How many there are.
    """
    table = np.zeros((categories, categories))
    np.add.at(table, (first.ravel(), second.ravel()), 1)
    shares = table / table.sum()
    return _beyond_chance(float(shares.trace()), float(shares.sum(axis=1) @ shares.sum(axis=0)))


def fleiss(ratings: Ratings, categories: int) -> float | None:
    """Fleiss' kappa of the trials of each part with each other; None where chance is sure.

    Args:
        ratings: At least two trials a part.
        categories: How many there are.
    """
    counts = np.stack([(ratings == category).sum(axis=1) for category in range(categories)], axis=1)
    trials = ratings.shape[1]
    agreed = (counts * (counts - 1)).sum(axis=1) / (trials * (trials - 1))
    shares = counts.sum(axis=0) / counts.sum()
    return _beyond_chance(float(agreed.mean()), float(shares @ shares))


def with_limits(statistic: Callable[..., float | None], *ratings: Ratings, categories: int) -> Kappa:
    """A kappa with its limits.

    Args:
        statistic: `cohen` or `fleiss`.
        ratings: What it takes; each of the same parts.
        categories: How many there are.
    """
    random, parts = np.random.default_rng(SEED), len(ratings[0])
    drawn = (random.integers(0, parts, parts) for _ in range(DRAWS))
    found = [statistic(*(one[chosen] for one in ratings), categories) for chosen in drawn]
    values = [value for value in found if value is not None]
    lower = upper = None
    if len(values) >= FEWEST * DRAWS:
        tail = (1 - CONFIDENCE) / 2
        lower, upper = (float(limit) for limit in np.quantile(values, (tail, 1 - tail)))
    return Kappa(value=statistic(*ratings, categories), lower=lower, upper=upper)


def _beyond_chance(observed: float, chance: float) -> float | None:
    return None if np.isclose(chance, 1) else (observed - chance) / (1 - chance)
