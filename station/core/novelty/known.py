"""What a network was trained on, as numbers: how unlike it a patch is, and which of its patches come nearest.

A patch is held against the training by what it looks like (`surface`) together with its features, what the network saw
of it before it chose a class. Both are whitened by the training's covariance, shrunk as Ledoit and Wolf do, so that
usual differences count little; the length of what is left is told in units of the one that one patch in a hundred
exceeds, of those that the statistics were not made of.
Source: K. Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
NeurIPS 2018; O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from station.core.novelty.conformal import Calibration
from station.core.novelty.surface import surface_measures
from station.core.part import Answer, Pixels, Vectors


@dataclass(frozen=True, slots=True)
class Whitened:
    """How far vectors lie from those of the training.

    Attributes:
        mean: (values,) of the training's vectors.
        whitening: (values, values): makes their covariance the identity.
        unit: The distance that one patch of the training in a hundred exceeds.
    """

    mean: Vectors
    whitening: Vectors
    unit: float

    def place(self, vectors: Vectors) -> Vectors:
        """Whitened vectors (n, values) of vectors (n, values)."""
        return np.asarray((vectors - self.mean) @ self.whitening, np.float32)

    def distances(self, vectors: Vectors) -> Vectors:
        """How far vectors (n, values) are from the mean, (n,), in units of `unit`."""
        placed = self.place(vectors)
        return np.asarray(np.sqrt((placed**2).sum(axis=1)) / np.float32(self.unit), np.float32)


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Some patches of the training, to be shown beside one that is judged.

    Attributes:
        places: (prototypes, values), whitened.
        pictures: (prototypes, px, px) uint8, made small.
        classes: Name of each one's class; empty where nobody knows it.
    """

    places: Vectors
    pictures: Pixels
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownSurfaces:
    """What a network was trained on, and what good parts that it was not trained on came to.

    Attributes:
        space: Of what patches look like, and what the network saw of them.
        prototypes: Some of the patches.
        calibrations: Of good parts, by the name of their type.
    """

    space: Whitened
    prototypes: Prototypes
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)

    def scores(self, patches: Pixels, features: Vectors) -> Vectors:
        """How unlike the training each patch is, (patches,) float32; 1 is what one known patch in a hundred exceeds.

        Args:
            patches: (patches, height, width) uint8.
            features: (patches, values) float32, the network's answer to them.
        """
        return self.space.distances(described(patches, features))

    def nearest(self, patch: Pixels, features: Vectors, count: int) -> NDArray[np.intp]:
        """The prototypes (count,) that a patch (height, width) with these features (values,) is most like, first."""
        place = self.space.place(described(patch[None], features[None]))
        away = ((self.prototypes.places - place) ** 2).sum(axis=1)
        return np.argsort(away, kind="stable")[:count]


def unlikeness(patches: Pixels, answer: Answer, known: KnownSurfaces | None) -> Vectors | None:
    """How unlike the training each patch of a strip is, (patches,) float32; None where the network does not tell.

    Of what a screener judged alone it is how unlike the screener's training that is: both tell it in units of the
    distance that one known patch in a hundred exceeds.

    Args:
        patches: (patches, height, width) uint8.
        answer: The network's answer to them.
        known: What the network was trained on; None where nobody wrote it down.
    """
    screened, features = answer.screened, answer.features
    if known is None:
        return None
    if screened is None:
        return None if features is None else known.scores(patches, features)
    own = ~screened.patches
    if screened.unlike is None or (own.any() and features is None):
        return None
    scores = screened.unlike.copy()
    if features is not None:
        scores[own] = known.scores(patches[own], features[own])
    return scores


def described(patches: Pixels, features: Vectors) -> Vectors:
    """What patches look like and what the network saw of them, as one vector each: (patches, values) float32."""
    return np.concatenate([surface_measures(patches), features], axis=1)
