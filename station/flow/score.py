"""Step 4, score: one strip goes through the network, and its answer is believed only when it is probabilities.

Beside it stands how unlike the network's training each patch is, where the network can tell.
"""

import numpy as np

from station.core.errors import ModelError
from station.core.novelty.known import unlikeness
from station.core.part import Answer, Scores, Strip, Vectors
from station.core.ports.network import PatchClassifier
from station.core.probabilities import problem_of_answer


def score_strip(strip: Strip, classifier: PatchClassifier) -> Scores:
    """The network's probabilities for the patches of a strip, and how unlike its training they are; blocking.

    Raises:
        ModelError: The engine fails, its answer is no set of probabilities, or it does not tell how unlike a patch is.
    """
    answer = classifier.answer(strip.patches)
    if problem := problem_of_answer(answer.probabilities, (len(strip.patches), len(classifier.classes))):
        raise ModelError("model.bad_scores", f"strip {strip.index}: {problem}")
    alone = None if answer.screened is None else answer.screened.patches
    return Scores(strip.index, answer.probabilities, _novelty(strip, answer, classifier), alone)


def _novelty(strip: Strip, answer: Answer, classifier: PatchClassifier) -> Vectors | None:
    scores = unlikeness(strip.patches, answer, classifier.known)
    if scores is not None and not np.isfinite(scores).all():
        # nothing is more than what is no number, so that the worst patch would hide
        raise ModelError("model.bad_scores", f"strip {strip.index}: how unlike the training it is comes to no number")
    return scores
