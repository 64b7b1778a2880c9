"""Whatever turns images into probabilities, behind one method, so that checkpoints and bundles are measured alike."""

from typing import Protocol

import numpy as np

from station.core.geometry import PATCHES_PER_STRIP
from station.core.part import Pixels, Probabilities
from station.core.ports import PatchClassifier


class Scorer(Protocol):
    """A network to measure."""

    @property
    def name(self) -> str:
        """What is measured, for the report."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Meaning of the columns of an answer."""

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) float32 of images (n, height, width) uint8; blocking.

        Raises:
            ModelError: The network cannot take such images, or fails.
        """


class BundleScorer:
    """The run-time classifier as a `Scorer`: it scores batches of one strip, as in the running cell.

    Args:
        classifier: Any engine with any bundle.
        classes: Meaning of its outputs, from the bundle's manifest.
    """

    def __init__(self, classifier: PatchClassifier, classes: tuple[str, ...]) -> None:
        self._classifier = classifier
        self._classes = classes

    @property
    def name(self) -> str:
        """Bundle and the first twelve digits of its manifest's SHA-256."""
        return str(self._classifier.model)

    @property
    def classes(self) -> tuple[str, ...]:
        """Meaning of the columns of an answer."""
        return self._classes

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, 5) of patches (n, 256, 256); of an odd number the last is scored together with itself.

        Raises:
            ModelError: The engine fails.
        """
        odd = len(images) % PATCHES_PER_STRIP
        padded = np.concatenate([images, images[-1:]]) if odd else images
        strips = [padded[start : start + PATCHES_PER_STRIP] for start in range(0, len(padded), PATCHES_PER_STRIP)]
        answers = [self._classifier.score(np.ascontiguousarray(strip)) for strip in strips]
        if not answers:
            return np.zeros((0, len(self._classes)), np.float32)
        return np.concatenate(answers)[: len(images)]
