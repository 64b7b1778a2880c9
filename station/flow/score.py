"""Step 4, score: one strip goes through the network, and its answer is believed only when it is probabilities."""

from station.core.errors import ModelError
from station.core.part import Scores, Strip
from station.core.ports.network import PatchClassifier
from station.core.probabilities import problem_of_answer


def score_strip(strip: Strip, classifier: PatchClassifier) -> Scores:
    """The network's probabilities for the patches of a strip; blocking.

    Raises:
        ModelError: The engine fails, or its answer is no set of probabilities.
    """
    probabilities = classifier.score(strip.patches)
    if problem := problem_of_answer(probabilities, (len(strip.patches), len(classifier.classes))):
        raise ModelError("model.bad_scores", f"strip {strip.index}: {problem}")
    return Scores(strip.index, probabilities)
