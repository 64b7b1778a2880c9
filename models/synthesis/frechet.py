"""How unlike two sets of pictures are, by what a network sees in them, and whether one holds copies of the other.

The Fréchet distance of two normal distributions with the sets' means and covariances. Its estimate falls with the
number of pictures: two samples of one distribution are far apart when they are small. So all that are compared get the
same number, and with it goes how far halves of the real pictures lie from each other.

Source: Heusel et al. 2017; Mustafaev, Kim and Kim, equation 11, which lacks the minus between the means.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 200
"""So many times pictures are drawn again, with return, for the limits of a distance."""
CONFIDENCE = 0.95
COPY_SHARE = 0.25
"""Nearer to a taken picture than so much of what taken ones are to each other, a picture is a copy."""

Features = NDArray[np.float32]
"""(n, values) of n pictures."""


@dataclass(frozen=True, slots=True)
class Distance:
    """A Fréchet distance.

    Attributes:
        value: The distance.
        lower: Of its limits at 95 %.
        upper: Of its limits at 95 %.
        pictures: Of each set.
        values: That a network sees of each picture.
    """

    value: float
    lower: float
    upper: float
    pictures: int
    values: int


def frechet(one: Features, other: Features) -> float:
    """The distance of two sets with equally many values; at least two pictures each."""
    means = one.mean(0, dtype=np.float64) - other.mean(0, dtype=np.float64)
    first, second = (np.cov(each.astype(np.float64), rowvar=False) for each in (one, other))
    root = _root(first)
    crossed = np.linalg.eigvalsh(root @ second @ root)
    shared = float(np.sqrt(np.clip(crossed, 0, None)).sum())
    return float(means @ means + np.trace(first) + np.trace(second) - 2 * shared)


def distance(real: Features, other: Features, seed: int) -> Distance:
    """The distance of as many pictures of each, with limits by drawing both again, the same for the same seed."""
    count = min(len(real), len(other))
    rng = np.random.default_rng(seed)
    real, other = real[:count], other[:count]
    drawn = [
        frechet(real[rng.integers(0, count, count)], other[rng.integers(0, count, count)]) for _ in range(DRAWS)
    ]  # fmt: skip
    centre = frechet(real, other)
    # Sets that are drawn again hold pictures twice, and so lie further apart than the sets themselves.
    bias = float(np.mean(drawn)) - centre
    lower, upper = (float(np.quantile(drawn, at)) - bias for at in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Distance(centre, max(0.0, lower), upper, count, real.shape[1])


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The square root of a symmetric matrix without negative values."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root


@dataclass(frozen=True, slots=True)
class Nearest:
    """What is nearest to each picture that was made.

    Attributes:
        taken: (n,) the number of the nearest taken picture.
        share: (n,) how far it is, as a share of the median way from a taken picture to its own nearest.
    """

    taken: NDArray[np.intp]
    share: NDArray[np.float64]

    @property
    def copies(self) -> int:
        """How many are copies."""
        return int((self.share < COPY_SHARE).sum())


def nearest(made: Features, taken: Features) -> Nearest:
    """The nearest taken picture to each that was made; at least two were taken."""
    among = _ways(taken, taken)
    np.fill_diagonal(among, np.inf)
    unit = max(float(np.median(among.min(1))), 1e-12)
    ways = _ways(made, taken)
    return Nearest(ways.argmin(1), ways.min(1) / unit)


def _ways(one: Features, other: Features) -> NDArray[np.float64]:
    first, second = one.astype(np.float64), other.astype(np.float64)
    squares = (first**2).sum(1)[:, np.newaxis] + (second**2).sum(1) - 2 * first @ second.T
    ways: NDArray[np.float64] = np.sqrt(np.clip(squares, 0, None))
    return ways
