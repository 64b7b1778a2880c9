"""Step 4, score: one strip goes through the network, and its answer is believed only when it is probabilities."""

import numpy as np

from station.core.errors import ModelError
from station.core.part import Probabilities, Scores, Strip
from station.core.ports.network import PatchClassifier

SUM_TOLERANCE = 1e-3


def score_strip(strip: Strip, classifier: PatchClassifier) -> Scores:
    """The network's probabilities for the patches of a strip; blocking.

    Raises:
        ModelError: The engine fails, or its answer is no set of probabilities.
    """
    probabilities = classifier.score(strip.patches)
    if problem := _problem(probabilities, (len(strip.patches), len(classifier.classes))):
        raise ModelError("model.bad_scores", f"strip {strip.index}: {problem}")
    return Scores(strip.index, probabilities)


def _problem(answer: Probabilities, shape: tuple[int, int]) -> str | None:
    if answer.shape != shape or answer.dtype != np.float32:
        return f"answer is {answer.shape} {answer.dtype}, not {shape} float32"
    if not np.isfinite(answer).all():
        return "an answer is not a finite number"
    if answer.min() < 0 or answer.max() > 1 + SUM_TOLERANCE:
        return f"answers from {answer.min():g} to {answer.max():g}, not within 0 to 1"
    sums = answer.sum(axis=1)
    if np.abs(sums - 1).max() > SUM_TOLERANCE:
        return f"sums {', '.join(f'{value:g}' for value in sums)} of the patches are not 1"
    return None
