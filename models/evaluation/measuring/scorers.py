"""Whatever turns images into probabilities, behind one method, so that checkpoints and bundles are measured alike."""

from typing import Protocol

import numpy as np

from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import Pixels, Probabilities
from station.core.ports.network import PatchClassifier


class Scorer(Protocol):
    """A network to measure."""

    @property
    def name(self) -> str:
        """What is measured, for the report."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Meaning of the columns of an answer."""

    @property
    def geometry(self) -> Geometry | None:
        """What it takes, and from what scan that is cut; None where nobody wrote it down."""

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of the images that it takes."""

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) float32 of images (n, height, width) uint8; blocking.

        Raises:
            ModelError: The network cannot take such images, or fails.
        """


class BundleScorer:
    """The run-time classifier as a `Scorer`: it scores batches of one strip, as in the running cell.

    Args:
        classifier: Any engine with any bundle.
        light_level: The median grey value that its network knows, as the bundle says; None where it does not.
    """

    def __init__(self, classifier: PatchClassifier, light_level: float | None = None) -> None:
        self._classifier = classifier
        self.light_level = light_level

    @property
    def name(self) -> str:
        """Bundle and the first twelve digits of its manifest's SHA-256."""
        return str(self._classifier.model)

    @property
    def classes(self) -> tuple[str, ...]:
        """Meaning of the columns of an answer."""
        return self._classifier.classes

    @property
    def geometry(self) -> Geometry:
        """What it takes, and from what scan that is cut."""
        return self._classifier.geometry

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of a patch."""
        return self.geometry.patch_px, self.geometry.patch_px

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) of patches (n, height, width); where they fill no strip the last is repeated.

        Raises:
            ModelError: The images are no patches of the network's size, or the engine fails.
        """
        side, at_once = self.geometry.patch_px, self.geometry.patches_per_strip
        if images.shape[1:] != (side, side):
            raise ModelError("config.bad_option", f"the images are {images.shape[1:]}, {self.name} takes {side}x{side}")
        if not len(images):
            return np.zeros((0, len(self.classes)), np.float32)
        padded = np.concatenate([images, np.repeat(images[-1:], -len(images) % at_once, axis=0)])
        strips = [padded[start : start + at_once] for start in range(0, len(padded), at_once)]
        answers = [self._classifier.answer(np.ascontiguousarray(strip)).probabilities for strip in strips]
        return np.concatenate(answers)[: len(images)]
