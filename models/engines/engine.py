"""What all engines share: one strip a batch, raw grey values in, the answer out, and nothing else is believed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from models.engines.network import BundleNetwork
from station.core.errors import BugError, ModelError
from station.core.part import Answer, EngineIdentity, Pixels, Probabilities, Vectors
from station.core.probabilities import problem_of_answer


class Engine(ABC):
    """Runs one network of a bundle; blocking, for one thread.

    Every call computes one strip, whether the part is turning or lies on the disk as a whole image, with the threads
    that are configured. The same patches therefore get the same bits on the same engine, version and instruction set,
    whatever ran before.

    Args:
        network: What it takes and answers.
        identity: What runs it, as it really runs.
    """

    def __init__(self, network: BundleNetwork, identity: EngineIdentity) -> None:
        self._ports = network.ports
        self._identity = identity

    @property
    def identity(self) -> EngineIdentity:
        """What runs the network."""
        return self._identity

    @property
    def blank(self) -> Pixels:
        """Patches of zeros, as many as it takes."""
        return np.zeros(self._ports.taken, np.uint8)

    def answer(self, patches: Pixels) -> Answer:
        """What the network says of so many patches, uint8.

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
