"""What all engines share: one strip a batch, raw grey values in, the answer out, and nothing else is believed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.manifest import Bundle, Manifest
from models.novelty.file import read_known
from station.core.errors import BugError, ModelError
from station.core.geometry import Geometry
from station.core.novelty.known import KnownSurfaces
from station.core.part import Answer, EngineIdentity, ModelIdentity, Pixels, Probabilities, Vectors
from station.core.probabilities import problem_of_answer
from station.core.promise import Promise


class Ports(NamedTuple):
    """The shapes of what a bundle's network takes and answers.

    Attributes:
        taken: (patches, height, width).
        probabilities: (patches, classes).
        features: (patches, values); None of a network that does not tell them.
    """

    taken: tuple[int, int, int]
    probabilities: tuple[int, int]
    features: tuple[int, int] | None

    @property
    def answered(self) -> tuple[tuple[int, int], ...]:
        """The shapes of all that is answered, in its order."""
        return (self.probabilities,) if self.features is None else (self.probabilities, self.features)


class Engine(ABC):
    """A `PatchClassifier` but for the arithmetic; blocking, for one thread.

    Every call computes one strip, whether the part is turning or lies on the disk as a whole image, with the threads
    that are configured. The same patches therefore get the same bits on the same engine, version and instruction set,
    whatever ran before.

    Args:
        bundle: The network with its manifest, already checked.
        engine: What runs it, as it really runs.

    Raises:
        ModelError: What the bundle says of the network's training cannot be used.
    """

    def __init__(self, bundle: Bundle, engine: EngineIdentity) -> None:
        self._model = bundle.identity
        self._engine = engine
        self._classes = bundle.manifest.classes
        self._geometry = bundle.manifest.layout
        self._known = read_known(bundle)
        self._light_level = bundle.light_level
        self._promises = bundle.manifest.promises
        self._ports = ports_of(bundle.manifest)

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

    @property
    def known(self) -> KnownSurfaces | None:
        """What it was trained on; None where the bundle does not tell."""
        return self._known

    @property
    def light_level(self) -> float | None:
        """The median grey value of the good surface that it was trained on; None where the bundle does not tell."""
        return self._light_level

    @property
    def promises(self) -> Mapping[str, Promise]:
        """What is promised of the parts that it passes, by part type; empty where nobody has proven anything."""
        return self._promises

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """
        blank = np.zeros(self._ports.taken, np.uint8)
        answer = self.answer(blank)
        if self._known is not None and answer.features is not None:
            self._known.scores(blank, answer.features)

    def answer(self, patches: Pixels) -> Answer:
        """What the network says of one strip's patches, uint8 of `geometry.patches_shape`.

        Raises:
            ModelError: The engine fails or answers with no probabilities, or with features that are no numbers.
            BugError: The patches are of another shape or type.
        """
        if patches.shape != self._ports.taken or patches.dtype != np.uint8:
            wanted = f"uint8 {self._ports.taken}"
            raise BugError("station.bug", f"patches are {patches.dtype} {patches.shape}, not {wanted}")
        answer = self._compute(patches)
        check_probabilities(answer.probabilities, self._ports.probabilities)
        if self._ports.features is not None:
            _check_features(answer.features, self._ports.features)
        return answer

    @abstractmethod
    def _compute(self, patches: Pixels) -> Answer:
        """The network's answer, in memory that the next call does not touch; the patches may be a view.

        Raises:
            ModelError: The engine fails.
        """


def ports_of(manifest: Manifest) -> Ports:
    """What a bundle's network takes and answers."""
    geometry, features = manifest.layout, manifest.features
    at_once = geometry.patches_per_strip
    described = None if features is None else (at_once, features.length)
    return Ports(geometry.patches_shape, (at_once, len(manifest.classes)), described)


def answer_of(arrays: Sequence[Vectors]) -> Answer:
    """The arrays that an engine computed, in the order of `Ports.answered`, as an answer."""
    return Answer(arrays[0], arrays[1] if len(arrays) > 1 else None)


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


def _check_features(features: Vectors | None, shape: tuple[int, int]) -> None:
    found = None if features is None else features.shape
    if features is None or found != shape:
        raise ModelError("model.bad_scores", f"features are {found}, not {shape}")
    if not np.isfinite(features).all():
        raise ModelError("model.bad_scores", "a feature is not a finite number")
