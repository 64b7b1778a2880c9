"""Algorithm 1: the class of a whole part from the probabilities of its patches. Pure functions.

It looks at the probabilities alone; what else a part needs to pass is `station.flow.decide`'s to say. The running cell
and every measurement of a network use this one function and its guard; the class of one patch is
`station.core.probabilities`'.
Source: Mustafaev et al., Algorithm 1; what happens at ties is this station's: the defect, then the lowest patch number.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.core.part import Probabilities
from station.core.probabilities import columns_of
from station.core.verdicts import Outputs, Verdict


class Outcome(NamedTuple):
    """What a rule says of a part's patches.

    Attributes:
        verdict: Never REVIEW.
        confidence: Of a pass the lowest probability of the passing class, of a defect the deciding patch's own.
        deciding_patch: From 0; of a pass the least certain one.
        defect_patches: Number of patches whose class is a defect.
    """

    verdict: Verdict
    confidence: float
    deciding_patch: int
    defect_patches: int

    def is_sure(self, min_confidence: float) -> bool:
        """Whether the verdict counts; a part that is less certain goes to REVIEW."""
        return self.confidence >= min_confidence


def algorithm1(probabilities: Probabilities, outputs: Outputs) -> Outcome:
    """The paper's decision for a whole image: of the defective patches the surest gives the class.

    Args:
        probabilities: (patches, classes) finite, at least one patch.
        outputs: What the columns mean.
    """
    columns, own = _of_patches(probabilities, outputs)
    defective = columns != outputs.passing
    if not defective.any():
        return _passed(probabilities, outputs)
    return _decided_by(int(np.where(defective, own, -1.0).argmax()), columns, own, outputs)


def most_severe(probabilities: Probabilities, outputs: Outputs) -> Outcome:
    """The severest class of the defective patches, and of its patches the surest; a pass as in Algorithm 1.

    Args:
        probabilities: As for `algorithm1`.
        outputs: As for `algorithm1`; of classes that are equally severe the surest patch decides.
    """
    columns, own = _of_patches(probabilities, outputs)
    if not (columns != outputs.passing).any():
        return _passed(probabilities, outputs)
    severity = np.array([surface.severity for surface in outputs.surfaces])[columns]
    return _decided_by(int(np.where(severity == severity.max(), own, -1.0).argmax()), columns, own, outputs)


def surfaces_of(probabilities: Probabilities, outputs: Outputs) -> tuple[Verdict, ...]:
    """The class of each patch (rows of `probabilities`)."""
    return tuple(outputs.surfaces[column] for column in columns_of(probabilities, outputs.passing))


def _of_patches(probabilities: Probabilities, outputs: Outputs) -> tuple[NDArray[np.intp], Probabilities]:
    """The column of each patch's class, and its probability."""
    columns = columns_of(probabilities, outputs.passing)
    return columns, probabilities[np.arange(len(columns)), columns]


def _passed(probabilities: Probabilities, outputs: Outputs) -> Outcome:
    free = probabilities[:, outputs.passing]
    patch = int(free.argmin())
    return Outcome(outputs.surfaces[outputs.passing], float(free[patch]), patch, 0)


def _decided_by(patch: int, columns: NDArray[np.intp], own: Probabilities, outputs: Outputs) -> Outcome:
    defects = int((columns != outputs.passing).sum())
    return Outcome(outputs.surfaces[int(columns[patch])], float(own[patch]), patch, defects)


RuleName = Literal["algorithm1", "most_severe", "cost"]
RULES: dict[RuleName, Callable[[Probabilities, Outputs], Outcome]] = {
    "algorithm1": algorithm1,
    "most_severe": most_severe,
}
"""What several defective patches come to, by the name in the configuration; `cost` is `station.core.cost`'s."""
