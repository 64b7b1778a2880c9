"""Algorithm 1: the class of a whole part from the probabilities of its 16 patches. A pure function.

It looks at the probabilities alone; what else a part needs to pass is `station.flow.decide`'s to say. The running cell
and every measurement of a network use this one function.
Source: Mustafaev et al., Algorithm 1; what happens at ties is this station's: the defect, then the lowest patch number.
"""

from typing import NamedTuple

import numpy as np

from station.core.classes import SurfaceClass, Verdict
from station.core.part import Probabilities


class Outcome(NamedTuple):
    """What Algorithm 1 says of 16 patches.

    Attributes:
        verdict: Never REVIEW.
        confidence: Of a pass the lowest defect-free probability, of a defect the deciding patch's own.
        deciding_patch: 0 to 15; of a pass the least certain one.
        defect_patches: Number of patches whose class is a defect.
    """

    verdict: Verdict
    confidence: float
    deciding_patch: int
    defect_patches: int


def algorithm1(probabilities: Probabilities) -> Outcome:
    """The paper's decision for a whole image, of (16, 5) finite probabilities in the order of `SurfaceClass`.

    A patch in which a defect is as probable as defect-free is a defect; of equally probable defects the lowest class
    is taken, of equally certain patches the lowest number.
    """
    free = probabilities[:, SurfaceClass.DEFECT_FREE]
    classes = probabilities[:, 1:].argmax(axis=1) + 1
    own = probabilities[np.arange(len(probabilities)), classes]
    defective = own >= free
    if not defective.any():
        patch = int(free.argmin())
        return Outcome(Verdict.DEFECT_FREE, float(free[patch]), patch, 0)
    patch = int(np.where(defective, own, -1.0).argmax())
    verdict = Verdict.of(SurfaceClass(int(classes[patch])))
    return Outcome(verdict, float(own[patch]), patch, int(defective.sum()))
