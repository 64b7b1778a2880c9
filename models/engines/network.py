"""One network of a bundle, its own or its screener, as an engine runs it: its files, and what it takes and answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.manifest import Artefact, Bundle
from models.novelty.sections import Features
from station.core.errors import ModelError


class Ports(NamedTuple):
    """The shapes of what a network takes and answers.

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


@dataclass(frozen=True, slots=True)
class BundleNetwork:
    """One network of a bundle.

    Attributes:
        name: Of the bundle, and which of its networks it is, for people and for the cache of compiled ones.
        architecture: A key of `models.networks.NETWORKS`.
        temperature: Divides its logits before the softmax.
        ports: What it takes and answers.
        read: The contents of an artefact's files, in their order, each checked; raises ModelError.
        is_by_one: Whether it takes one patch at a time, where its artefacts were made for a strip.
    """

    name: str
    architecture: str
    temperature: float
    ports: Ports
    read: Callable[[Artefact], tuple[bytes, ...]]
    is_by_one: bool = False

    def by_one(self) -> "BundleNetwork":
        """The same for one patch at a time; for engines that compile a graph for any number."""
        ports = self.ports
        described = None if ports.features is None else (1, ports.features[1])
        alone = Ports((1, *ports.taken[1:]), (1, ports.probabilities[1]), described)
        return replace(self, name=f"{self.name}-by-one", ports=alone, is_by_one=True)


def own_network(bundle: Bundle) -> BundleNetwork:
    """The network of a bundle itself."""
    manifest = bundle.manifest
    ports = _ports(bundle, manifest.features)
    name = f"{bundle.identity.name}-{bundle.identity.sha256[:16]}"
    return BundleNetwork(name, manifest.network, manifest.temperature, ports, bundle.read_artefact)


def screener_network(bundle: Bundle) -> BundleNetwork:
    """The screener of a bundle.

    Raises:
        ModelError: `model.missing`: it has none.
    """
    screener = bundle.screener

    def read(artefact: Artefact) -> tuple[bytes, ...]:
        names = screener.artefacts.get(artefact)
        if names is None:
            has = ", ".join(screener.artefacts)
            raise ModelError("model.missing", f"the screener of {bundle.folder} has no artefact {artefact}, only {has}")
        return tuple(bundle.read(name) for name in names)

    name = f"{bundle.identity.name}-{bundle.identity.sha256[:16]}-screener"
    return BundleNetwork(name, screener.network, screener.temperature, _ports(bundle, screener.features), read)


def _ports(bundle: Bundle, features: Features | None) -> Ports:
    geometry, classes = bundle.manifest.layout, len(bundle.manifest.classes)
    at_once = geometry.patches_per_strip
    described = None if features is None else (at_once, features.length)
    return Ports(geometry.patches_shape, (at_once, classes), described)
