"""Whatever turns images into probabilities, behind one method, so that checkpoints and bundles are measured alike."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.novelty.known import KnownSurfaces, unlikeness
from station.core.part import Pixels, Probabilities, Vectors
from station.core.ports.network import PatchClassifier
from station.core.promise import Promise


class Scored(NamedTuple):
    """What a network says of images.

    Attributes:
        probabilities: (n, classes) float32.
        novelty: (n,) float32: how unlike its training each image is; None where it does not tell.
    """

    probabilities: Probabilities
    novelty: Vectors | None


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

    @property
    def known(self) -> KnownSurfaces | None:
        """What it was trained on; None where it does not tell."""

    @property
    def light_level(self) -> float | None:
        """The median grey value of the good surface that it was trained on; None where nobody wrote it down."""

    @property
    def promises(self) -> Mapping[str, Promise]:
        """What is promised of the parts that it passes, by part type; empty where nobody has proven anything."""

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) float32 of images (n, height, width) uint8; blocking.

        Raises:
            ModelError: The network cannot take such images, or fails.
        """

    def in_full(self, images: Pixels) -> Probabilities:
        """The same by the network itself, whatever a screener before it would say: to ask where its evidence lies.

        Raises:
            ModelError: The network cannot take such images, or fails.
        """

    def answer(self, images: Pixels) -> Scored:
        """The same, and how unlike its training each image is.

        Raises:
            ModelError: The network cannot take such images, or fails.
        """


class BundleScorer:
    """The run-time classifier as a `Scorer`: it scores batches of one strip, as in the running cell.

    Args:
        classifier: Any engine with any bundle.
    """

    def __init__(self, classifier: PatchClassifier) -> None:
        self._classifier = classifier

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

    @property
    def known(self) -> KnownSurfaces | None:
        """What it was trained on; None where its bundle does not tell."""
        return self._classifier.known

    @property
    def light_level(self) -> float | None:
        """The median grey value of the good surface that it was trained on; None where its bundle does not tell."""
        return self._classifier.light_level

    @property
    def promises(self) -> Mapping[str, Promise]:
        """What is promised of the parts that it passes, by part type."""
        return self._classifier.promises

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) of patches (n, height, width); where they fill no strip the last is repeated.

        Raises:
            ModelError: The images are no patches of the network's size, or the engine fails.
        """
        return self.answer(images).probabilities

    def answer(self, images: Pixels) -> Scored:
        """The same, and how unlike the network's training each patch is.

        Raises:
            ModelError: The images are no patches of the network's size, or the engine fails.
        """
        strips = self._strips(images)
        if not strips:
            return Scored(np.zeros((0, len(self.classes)), np.float32), None)
        scored = [self._of_strip(strip) for strip in strips]
        novelty = [one.novelty for one in scored if one.novelty is not None]
        return Scored(
            np.concatenate([one.probabilities for one in scored])[: len(images)],
            np.concatenate(novelty)[: len(images)] if len(novelty) == len(scored) else None,
        )

    def in_full(self, images: Pixels) -> Probabilities:
        """The same by the bundle's own network, whatever a screener before it would say: where evidence lies.

        Raises:
            ModelError: The images are no patches of the network's size, or the engine fails.
        """
        answers = [self._classifier.in_full(strip).probabilities for strip in self._strips(images)]
        return np.concatenate(answers)[: len(images)]

    def _of_strip(self, strip: Pixels) -> Scored:
        answer = self._classifier.answer(strip)
        return Scored(answer.probabilities, unlikeness(strip, answer, self.known))

    def _strips(self, images: Pixels) -> list[Pixels]:
        """Images as strips; where they fill none the last is repeated."""
        side, at_once = self.geometry.patch_px, self.geometry.patches_per_strip
        if images.shape[1:] != (side, side):
            raise ModelError("config.bad_option", f"the images are {images.shape[1:]}, {self.name} takes {side}x{side}")
        padded = np.concatenate([images, np.repeat(images[-1:], -len(images) % at_once, axis=0)])
        return [np.ascontiguousarray(padded[at : at + at_once]) for at in range(0, len(padded), at_once)]
