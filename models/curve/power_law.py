"""The law that errors follow against the number of parts, error = a n^-b + c, and what it lets expect.

Source: J. Hestness et al., Deep Learning Scaling is Predictable, Empirically (2017); that a constant is to be told from
it first: Mukherjee et al., Estimating dataset size requirements for classifying DNA microarray data (2003).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXPONENTS = np.linspace(0.05, 2.0, 79)
"""Of b, that are tried."""
BETTER = 5.991
"""By so much the law must lower chi-square below a constant's: 95 % of chi-square with its two further parameters."""
FARTHEST = 4
"""Times the largest size that was tried; nothing is said beyond."""
FEWEST_SIZES = 4
"""Three make any curve of three parameters pass through all points."""
RESAMPLED = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """What a training of one size came to.

    Attributes:
        parts: It was trained on.
        wrong: Of the test, judged wrongly.
        tested: Parts of the test, at least 1.
    """

    parts: int
    wrong: int
    tested: int


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """error = a n^-b + c.

    Attributes:
        a: From 0.
        b: Above 0.
        c: What no number of parts takes away, from 0.
        chi_square: What is left of the points' weighted squares.
        chi_square_of_constant: The same of one error for all sizes.
    """

    a: float
    b: float
    c: float
    chi_square: float
    chi_square_of_constant: float

    @property
    def is_better_than_a_constant(self) -> bool:
        """Whether the points show at all that more parts help."""
        return self.chi_square_of_constant - self.chi_square > BETTER

    def error(self, parts: float) -> float:
        """The error that so many parts let expect, at most 1."""
        return float(min(1.0, self.a * parts**-self.b + self.c))


@dataclass(frozen=True, slots=True)
class Expected:
    """What so many parts let expect.

    Attributes:
        parts: So many.
        error: The law's.
        lower: Of what resampled points give, 95 %.
        upper: Likewise.
    """

    parts: int
    error: float
    lower: float
    upper: float


def fit(points: Sequence[Point]) -> PowerLaw:
    """The law of least weighted squares, of two points at least; weights are those of counts of so many errors."""
    sizes, counts, trials = _arrays(points)
    a, b, c, left = _fit(sizes, counts[None], trials)[0].tolist()
    shares, weights = counts / trials, _weights(counts, trials)
    constant = float((weights * shares).sum() / weights.sum())
    return PowerLaw(a, b, c, left, float((weights * (shares - constant) ** 2).sum()))


def refusal(points: Sequence[Point], law: PowerLaw, parts: int) -> str | None:
    """Why nothing is said of so many parts; None where it can be."""
    largest = max(point.parts for point in points)
    if len(points) < FEWEST_SIZES:
        return f"{len(points)} sizes are too few for a curve; give {FEWEST_SIZES} or more"
    if not law.is_better_than_a_constant:
        return (
            "the errors fit a constant about as well as a falling curve: nothing shows that more parts would help. "
            "More test parts, or smaller sizes, would tell"
        )
    if parts > FARTHEST * largest:
        return f"{parts} parts are more than {FARTHEST} times the {largest} that were tried; nothing is said so far out"
    return None


def expect(points: Sequence[Point], law: PowerLaw, parts: int, seed: int) -> Expected:
    """What so many parts let expect, with the limits that chance among the test's parts gives.

    The counts are drawn anew by the law and fitted again, 1,000 times. What another draw of the training's parts, or
    another seed of its weights, would change is not in them.

    Args:
        points: What was measured.
        law: Fitted to them.
        parts: So many.
        seed: Of the resampling.
    """
    sizes, _counts, trials = _arrays(points)
    chances = np.array([law.error(size) for size in sizes])
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(trials.astype(np.int64), chances, (RESAMPLED, len(points))).astype(np.float64)
    a, b, c, _left = _fit(sizes, drawn, trials).T
    lower, upper = np.quantile(np.clip(a * parts**-b + c, 0, 1), (0.025, 0.975))
    error = law.error(parts)
    return Expected(parts, error, min(float(lower), error), max(float(upper), error))


def _arrays(points: Sequence[Point]) -> tuple[Floats, Floats, Floats]:
    rows = np.array([(point.parts, point.wrong, point.tested) for point in points], np.float64)
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _weights(counts: Floats, trials: Floats) -> Floats:
    """One over the variance of a share; one more error in two more trials, so that none at all has one, too."""
    chance = (counts + 1) / (trials + 2)
    return np.asarray(trials / (chance * (1 - chance)), np.float64)


def _fit(sizes: Floats, counts: Floats, trials: Floats) -> Floats:
    """Rows a, b, c and chi-square of the best law for each row of counts (n, sizes)."""
    shares, weights = counts / trials, _weights(counts, trials)
    tried = np.stack([_with_exponent(sizes**-b, shares, weights, b) for b in EXPONENTS])
    best = tried[..., 3].argmin(axis=0)
    return np.asarray(tried[best, np.arange(len(counts))], np.float64)


def _with_exponent(falling: Floats, shares: Floats, weights: Floats, b: float) -> Floats:
    """Rows a, b, c, chi-square: the line through (n^-b, share) with neither slope nor intercept below 0."""
    total = weights.sum(axis=1)
    x, y = (weights * falling).sum(axis=1) / total, (weights * shares).sum(axis=1) / total
    spread = (weights * (falling - x[:, None]) ** 2).sum(axis=1)
    slope = (weights * (falling - x[:, None]) * (shares - y[:, None])).sum(axis=1) / np.maximum(spread, 1e-300)
    through_0 = (weights * falling * shares).sum(axis=1) / (weights * falling**2).sum(axis=1)
    a = np.where(y - slope * x < 0, through_0, np.maximum(slope, 0))
    c = np.where(y - slope * x < 0, 0, y - a * x)
    left = (weights * (a[:, None] * falling + c[:, None] - shares) ** 2).sum(axis=1)
    return np.stack([a, np.full(len(a), b), c, left], axis=1)
