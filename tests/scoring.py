"""Networks of tests that score patches and tell nothing else, and the probabilities of any network's answer."""

from abc import abstractmethod
from collections.abc import Mapping

from station.core.novelty.known import KnownSurfaces
from station.core.part import Answer, Pixels, Probabilities
from station.core.ports.network import PatchClassifier
from station.core.promise import Promise


class ScoresAlone:
    """What makes a network of something that scores: it does not tell what it was trained on."""

    @property
    def known(self) -> KnownSurfaces | None:
        return None

    @property
    def light_level(self) -> float | None:
        return None

    @property
    def promises(self) -> Mapping[str, Promise]:
        return {}

    @abstractmethod
    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities (patches, classes)."""

    def in_full(self, patches: Pixels) -> Answer:
        return self.answer(patches)

    def answer(self, patches: Pixels) -> Answer:
        return Answer(self.score(patches), None)


def scored(network: PatchClassifier, patches: Pixels) -> Probabilities:
    """The probabilities of a network's answer."""
    return network.answer(patches).probabilities
