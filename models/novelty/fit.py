"""Statistics of what a network was trained on: made once, when it is exported.

Half of the patches make the statistics, the other half says how far known patches lie from them: distances of patches
that made a covariance are too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.novelty.known import KnownSurfaces, Prototypes, Whitened, described
from station.core.part import Pixels, Vectors

EXCEEDED = 0.01
"""The share of known patches whose distance is more than one unit."""
PROTOTYPES, PICTURE_PX = 64, 64
LEAST_SPREAD = 0.1
"""A value that spreads less than this share of what values spread on the whole is taken to spread so much.

It keeps what never changed in training, as the whitest greys, from counting for all or for nothing when it does.
"""

TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Learnt:
    """Patches of the training.

    Attributes:
        patches: (n, height, width) uint8, in any order.
        features: (n, values) float32, what the network saw of them.
        classes: Name of each one's class; empty where nobody knows it.
    """

    patches: Pixels
    features: Vectors
    classes: tuple[str, ...]


def fit_known(learnt: Learnt, seed: int) -> KnownSurfaces:
    """What is known of the training's patches; at least some hundred of them, of every class.

    Args:
        learnt: The patches.
        seed: Of which of them make the statistics.
    """
    order = np.random.default_rng(seed).permutation(len(learnt.patches))
    makes, checks = order[: len(order) // 2], order[len(order) // 2 :]
    vectors = described(learnt.patches, learnt.features)
    space = whitened(vectors[makes], vectors[checks])
    return KnownSurfaces(space, choose_prototypes(learnt, space.place(vectors)))


def whitened(makes: Vectors, checks: Vectors) -> Whitened:
    """The whitening of some vectors (n, values), and the distance that one in a hundred others exceeds."""
    mean = makes.mean(axis=0, dtype=np.float64)
    spread = makes.std(axis=0, dtype=np.float64)
    scale = 1 / np.maximum(spread, LEAST_SPREAD * np.sqrt((spread**2).mean()) + TINY)
    covariance = shrunk_covariance((makes - mean) * scale) + TINY * np.eye(len(mean))
    whitening = scale[:, None] * np.linalg.cholesky(np.linalg.inv(covariance))
    found = Whitened(mean.astype(np.float32), whitening.astype(np.float32), 1.0)
    unit = max(TINY, float(np.quantile(found.distances(checks), 1 - EXCEEDED)))
    return Whitened(found.mean, found.whitening, unit)


def shrunk_covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """The covariance of vectors (n, values) of mean 0, drawn towards a multiple of the identity.

    Source: O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
    Multivariate Analysis 88 (2004), equations 2 and 14.
    """
    count, values = centred.shape
    sample = centred.T @ centred / count
    level = np.trace(sample) / values
    away = ((sample - level * np.eye(values)) ** 2).sum() / values
    squares = centred**2
    error = ((squares.T @ squares / count - sample**2).sum() / count) / values
    share = min(error, away) / away if away > 0 else 1.0
    shrunk: NDArray[np.float64] = (1 - share) * sample + share * level * np.eye(values)
    return shrunk


def choose_prototypes(learnt: Learnt, places: Vectors, count: int = PROTOTYPES) -> Prototypes:
    """So many patches that every other one lies near one of them: each is the one farthest from those before.

    Args:
        learnt: The patches.
        places: (n, values) where they lie, whitened.
        count: So many, or all where there are fewer.
    """
    chosen = [int(((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    away = np.full(len(places), np.inf, np.float32)
    while len(chosen) < min(count, len(places)):
        away = np.minimum(away, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(away.argmax()))
    pictures = np.stack([_small(learnt.patches[index]) for index in chosen])
    return Prototypes(places[chosen], pictures, tuple(learnt.classes[index] for index in chosen))


def _small(patch: Pixels) -> Pixels:
    return np.asarray(cv2.resize(patch, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def names_of(labels: Sequence[int], classes: Sequence[str]) -> tuple[str, ...]:
    """The names of classes by their numbers; empty for numbers that are none, as of slivers."""
    return tuple(classes[label] if label >= 0 else "" for label in labels)
