"""The network's answer is believed only when it is a set of probabilities."""

import numpy as np
import pytest

from station.core.errors import ModelError
from station.core.part import ModelIdentity, Pixels, Probabilities, Strip
from station.flow.score import score_strip
from tests.housings import CLASSES, GEOMETRY

GOOD = np.array([[0.9, 0.1, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]], np.float32)
STRIP = Strip(6, np.zeros((2, 256, 256), np.uint8))


class Answering:
    """A network that always gives the same answer."""

    model = ModelIdentity("fixed", "0" * 64)
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self, answer: Probabilities) -> None:
        self.answer = answer
        self.seen: list[Pixels] = []

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """The fixed answer."""
        self.seen.append(patches)
        return self.answer


def with_value(value: float) -> Probabilities:
    answer = GOOD.copy()
    answer[1, 3] = value
    return answer


def test_probabilities_pass_unchanged_with_the_strips_number() -> None:
    network = Answering(GOOD)
    scores = score_strip(STRIP, network)
    assert scores.index == 6
    np.testing.assert_array_equal(scores.probabilities, GOOD)
    assert network.seen[0] is STRIP.patches


def test_the_rounding_of_a_network_is_tolerated() -> None:
    score_strip(STRIP, Answering(GOOD * np.float32(1.0009)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GOOD[:1], r"answer is \(1, 5\) float32"),
        (np.zeros((2, 4), np.float32), r"answer is \(2, 4\)"),
        (GOOD.astype(np.float64), "float64"),
        (with_value(float("nan")), "not a finite number"),
        (with_value(float("inf")), "not a finite number"),
        (with_value(-0.2), "not within 0 to 1"),
        (with_value(1.2), "not within 0 to 1"),
        (with_value(0.21), "are not 1"),
        (np.zeros((2, 5), np.float32), "sums 0, 0"),
    ],
    ids=["one patch", "four classes", "double", "nan", "infinite", "negative", "over one", "sum too high", "zeros"],
)
def test_anything_else_is_a_fault_of_the_model(answer: Probabilities, words: str) -> None:
    with pytest.raises(ModelError, match=words) as refused:
        score_strip(STRIP, Answering(answer))
    assert refused.value.code == "model.bad_scores"
    assert refused.value.detail.startswith("strip 6: ")
