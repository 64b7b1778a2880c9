"""A bundle as the `PatchClassifier` that the station judges with: its network, and its screener where there is one."""

from collections.abc import Mapping

import numpy as np

from models.engines.engine import Engine
from models.engines.screening import Screening
from models.manifest import Bundle
from models.novelty.file import read_known
from station.core.geometry import Geometry
from station.core.novelty.known import KnownSurfaces
from station.core.part import Answer, EngineIdentity, ModelIdentity, Pixels, Screened
from station.core.promise import Promise


class BundleClassifier:
    """A bundle's networks; blocking, for one thread.

    Args:
        bundle: The networks with their manifest, already checked.
        engine: Runs the bundle's own network on the patches of a strip.
        screening: What is asked first; None to have the network judge every patch.

    Raises:
        ModelError: What the bundle says of the network's training cannot be used.
    """

    def __init__(self, bundle: Bundle, engine: Engine, screening: Screening | None = None) -> None:
        self._model = bundle.identity
        self._manifest = bundle.manifest
        self._light_level = bundle.light_level
        self._known = read_known(bundle)
        self._engine = engine
        self._screening = screening

    @property
    def model(self) -> ModelIdentity:
        """Which bundle this is."""
        return self._model

    @property
    def engine(self) -> EngineIdentity:
        """What runs it."""
        return self._engine.identity

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the answers."""
        return self._manifest.classes

    @property
    def geometry(self) -> Geometry:
        """What it takes, and from what scan that is cut."""
        return self._manifest.layout

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
        return self._manifest.promises

    @property
    def screening(self) -> Screening | None:
        """What is asked first; None where the network judges every patch."""
        return self._screening

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """
        blank = self._engine.blank
        answer = self._engine.answer(blank)
        if self._known is not None and answer.features is not None:
            self._known.scores(blank, answer.features)
        if self._screening is not None:
            self._screening.warm_up()

    def in_full(self, patches: Pixels) -> Answer:
        """What the bundle's own network says of one strip's patches, whatever its screener would.

        Raises:
            ModelError: As `answer`.
        """
        return self._engine.answer(patches)

    def answer(self, patches: Pixels) -> Answer:
        """What is said of one strip's patches, uint8 of `geometry.patches_shape`.

        The rows of patches that the screener passed alone are the screener's, all others the network's own.

        Raises:
            ModelError: The engine fails or answers with no probabilities, or with features that are no numbers.
            BugError: The patches are of another shape or type.
        """
        if self._screening is None:
            return self._engine.answer(patches)
        found = self._screening.look(patches)
        unsure = np.flatnonzero(~found.sure)
        screened = Screened(found.sure, found.unlike)
        if not len(unsure):
            return Answer(found.probabilities, None, screened)
        own = self._screening.judge_alone(patches, unsure, self._engine)
        probabilities = found.probabilities.copy()
        probabilities[unsure] = own.probabilities
        return Answer(probabilities, _spread(own.features, unsure, len(patches)), screened)


def _spread(features: np.ndarray | None, rows: np.ndarray, count: int) -> np.ndarray | None:
    """Features of some patches at their places among all; no number where the screener judged alone."""
    if features is None:
        return None
    spread = np.full((count, features.shape[1]), np.nan, np.float32)
    spread[rows] = features
    return spread
