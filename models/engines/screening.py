"""The screener at work: which patches of a strip it may pass alone, and how the network judges the others.

Both networks are compiled by one runtime and run one after the other on the same threads: a second runtime whose
threads look for work on the same cores would cost more than the screener saves.

Which patches are sure depends on nothing but their pixels: neither on the neighbour in the strip, nor on how much there
is to do.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.engines.engine import Engine
from station.core.novelty.known import Whitened, described
from station.core.part import Answer, Pixels, Probabilities, Vectors

FARTHEST = 1.0
"""How unlike the training a patch may be, as the screener sees it, that is passed by it alone: as unlike as one known
patch in a hundred. What is farther is the network's to judge, and its own distance counts."""


class Looked(NamedTuple):
    """What a screener says of a strip.

    Attributes:
        probabilities: (patches, classes) float32.
        sure: (patches,): which of them it may pass alone.
        unlike: (patches,) float32: how unlike its training each is; None where the bundle does not tell.
    """

    probabilities: Probabilities
    sure: NDArray[np.bool_]
    unlike: Vectors | None


@dataclass(frozen=True, slots=True)
class Screening:
    """A bundle's screener with what was proven of it.

    Attributes:
        screener: Runs it on the patches of a strip.
        alone: Runs the bundle's own network on one patch; None where the engine takes strips only.
        passing: The column of the class that passes.
        threshold: From which probability of it on a patch is sure.
        space: What patches of the training were like to the screener; None where the bundle does not tell.
    """

    screener: Engine
    alone: Engine | None
    passing: int
    threshold: float
    space: Whitened | None

    def warm_up(self) -> None:
        """Run each network once on zeros.

        Raises:
            ModelError: The engine fails.
        """
        self.look(self.screener.blank)
        if self.alone is not None:
            self.alone.answer(self.alone.blank)

    def look(self, patches: Pixels) -> Looked:
        """What the screener says of a strip.

        Raises:
            ModelError: The engine fails, or its answer is no set of numbers.
        """
        answer = self.screener.answer(patches)
        unlike = self._unlike(patches, answer)
        sure = self._highest(answer, unlike).astype(np.float64) >= self.threshold
        return Looked(answer.probabilities, sure, unlike)

    def thresholds(self, patches: Pixels) -> Vectors:
        """For each patch of a strip the highest threshold at which it would be sure, (patches,); 0 where at none.

        Raises:
            ModelError: As `look`.
        """
        answer = self.screener.answer(patches)
        return self._highest(answer, self._unlike(patches, answer))

    def _highest(self, answer: Answer, unlike: Vectors | None) -> Vectors:
        found = answer.probabilities[:, self.passing]
        if unlike is None:
            return found
        return np.where(unlike <= FARTHEST, found, np.float32(0))  # what is no number is not near either

    def judge_alone(self, patches: Pixels, rows: NDArray[np.intp], whole: Engine) -> Answer:
        """What the bundle's own network says of some patches of a strip, in their order.

        Args:
            patches: Of the strip.
            rows: At least one of them.
            whole: Runs the network on the whole strip.

        Raises:
            ModelError: The engine fails.
        """
        if self.alone is None or len(rows) == len(patches):
            answer = whole.answer(patches)
            return Answer(answer.probabilities[rows], None if answer.features is None else answer.features[rows])
        answers = [self.alone.answer(patches[row : row + 1]) for row in rows]
        features = [one.features for one in answers if one.features is not None]
        joined = np.concatenate(features) if len(features) == len(answers) else None
        return Answer(np.concatenate([one.probabilities for one in answers]), joined)

    def _unlike(self, patches: Pixels, answer: Answer) -> Vectors | None:
        if self.space is None or answer.features is None:
            return None
        return self.space.distances(described(patches, answer.features))
