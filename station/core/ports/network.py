"""The network, as the cell needs it."""

from collections.abc import Mapping
from typing import Protocol

from station.core.geometry import Geometry
from station.core.novelty.known import KnownSurfaces
from station.core.part import (
    Answer,
    EngineIdentity,
    ModelIdentity,
    Pixels,
)
from station.core.promise import Promise


class PatchClassifier(Protocol):
    """The network. Blocking; called from one thread."""

    @property
    def model(self) -> ModelIdentity:
        """Which network this is."""

    @property
    def engine(self) -> EngineIdentity:
        """What runs it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of its answers."""

    @property
    def geometry(self) -> Geometry:
        """What it takes, and from what scan that is cut."""

    @property
    def known(self) -> KnownSurfaces | None:
        """What it was trained on; None where its bundle does not tell, so that unknown parts cannot be told either."""

    @property
    def light_level(self) -> float | None:
        """The median grey value of the good surface that it was trained on; None where its bundle does not tell."""

    @property
    def promises(self) -> Mapping[str, Promise]:
        """What is promised of the parts that it passes, by part type; empty where nobody has proven anything."""

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """

    def in_full(self, patches: Pixels) -> Answer:
        """What the network itself says of one strip's patches, whatever a screener before it would: for evidence.

        Raises:
            ModelError: As `answer`.
        """

    def answer(self, patches: Pixels) -> Answer:
        """What it says of one strip's patches, uint8 in the geometry's `patches_shape`.

        Raises:
            ModelError: The engine fails or answers with no probabilities, or with features that are no numbers.
        """
