"""The network, as the cell needs it."""

from typing import Protocol

from station.core.geometry import Geometry
from station.core.part import (
    EngineIdentity,
    ModelIdentity,
    Pixels,
    Probabilities,
)


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

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities (patches, classes) float32 of one strip's patches, uint8 in the geometry's `patches_shape`.

        Each row sums to 1.

        Raises:
            ModelError: The engine fails or answers with no probabilities.
        """
