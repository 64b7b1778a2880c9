"""What all engines share: one strip a batch, raw grey values in, probabilities out, and nothing else is believed."""

from abc import ABC, abstractmethod

import numpy as np

from models.manifest import Bundle, Manifest
from station.core.errors import BugError, ModelError
from station.core.geometry import Geometry
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from station.core.probabilities import problem_of_answer


class Engine(ABC):
    """A `PatchClassifier` but for the arithmetic; blocking, for one thread.

    Every call computes one strip, whether the part is turning or lies on the disk as a whole image, with the threads
    that are configured. The same patches therefore get the same bits on the same engine, version and instruction set,
    whatever ran before.

    Args:
        bundle: The network with its manifest, already checked.
        engine: What runs it, as it really runs.
    """

    def __init__(self, bundle: Bundle, engine: EngineIdentity) -> None:
        self._model = bundle.identity
        self._engine = engine
        self._classes = bundle.manifest.classes
        self._geometry = bundle.manifest.layout
        self._input_shape, self._output_shape = shapes(bundle.manifest)

    @property
    def model(self) -> ModelIdentity:
        """Which network this is."""
        return self._model

    @property
    def engine(self) -> EngineIdentity:
        """What runs the network."""
        return self._engine

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the network's answers."""
        return self._classes

    @property
    def geometry(self) -> Geometry:
        """What the network takes, and from what scan that is cut."""
        return self._geometry

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """
        self.score(np.zeros(self._input_shape, np.uint8))

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities (patches, classes) float32 of one strip's patches, uint8 of `geometry.patches_shape`.

        Each row sums to 1.

        Raises:
            ModelError: The engine fails or answers with no probabilities.
            BugError: The patches are of another shape or type.
        """
        if patches.shape != self._input_shape or patches.dtype != np.uint8:
            wanted = f"uint8 {self._input_shape}"
            raise BugError("station.bug", f"patches are {patches.dtype} {patches.shape}, not {wanted}")
        return check_probabilities(self._compute(patches), self._output_shape)

    @abstractmethod
    def _compute(self, patches: Pixels) -> Probabilities:
        """The network's answer, in memory that the next call does not touch; the patches may be a view.

        Raises:
            ModelError: The engine fails.
        """


def shapes(manifest: Manifest) -> tuple[tuple[int, int, int], tuple[int, int]]:
    """What a bundle's network takes, (patches, height, width), and what it answers, (patches, classes)."""
    geometry = manifest.layout
    return geometry.patches_shape, (geometry.patches_per_strip, len(manifest.classes))


def check_probabilities(answer: Probabilities, shape: tuple[int, int]) -> Probabilities:
    """The answer itself, if it is a set of probabilities.

    Args:
        answer: What the engine computed.
        shape: What it must be: (patches, classes).

    Raises:
        ModelError: It has another shape, is not finite, lies outside 0 to 1, or a row does not sum to 1.
    """
    if problem := problem_of_answer(answer, shape):
        raise ModelError("model.bad_scores", problem)
    return answer
