"""The network's answer is believed only when it is a set of probabilities."""

from typing import Any

import numpy as np
import pytest

from station.core.errors import ModelError
from station.core.part import Answer, EngineIdentity, ModelIdentity, Pixels, Probabilities, Strip, Vectors
from station.flow.score import score_strip
from tests.housings import CLASSES, GEOMETRY
from tests.scoring import ScoresAlone

GOOD = np.array([[0.9, 0.1, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]], np.float32)
STRIP = Strip(6, np.zeros((2, 256, 256), np.uint8))


class Answering(ScoresAlone):
    """A network that always gives the same answer."""

    model = ModelIdentity("fixed", "0" * 64)
    engine = EngineIdentity("none", "0", "f32", "none")
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self, says: Probabilities) -> None:
        self.says = says
        self.seen: list[Pixels] = []

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """The fixed answer."""
        self.seen.append(patches)
        return self.says


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


class Knowing(Answering):
    """The same, which knows what it was trained on where the test says so, and tells features where it says so."""

    def __init__(self, knowledge: object, features: Vectors | None) -> None:
        super().__init__(GOOD)
        self._knowledge, self._features = knowledge, features

    @property
    def known(self) -> Any:
        return self._knowledge

    def answer(self, patches: Pixels) -> Answer:
        return Answer(self.score(patches), self._features)


class Sums:
    """Takes the sum of a patch's features for how unlike it is."""

    def scores(self, patches: Pixels, features: Vectors) -> Vectors:
        assert patches is STRIP.patches
        return np.asarray(features.sum(axis=1), np.float32)


FEATURES = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def test_beside_them_stands_how_unlike_the_training_each_patch_is() -> None:
    scores = score_strip(STRIP, Knowing(Sums(), FEATURES))
    assert scores.novelty is not None
    assert scores.novelty.tolist() == [6, 15]


@pytest.mark.parametrize(("knowledge", "features"), [(None, FEATURES), (Sums(), None)])
def test_a_network_that_cannot_tell_says_nothing_of_it(knowledge: object, features: Vectors | None) -> None:
    assert score_strip(STRIP, Knowing(knowledge, features)).novelty is None


def test_what_comes_to_no_number_is_no_answer() -> None:
    features = np.array([[1, 2, 3], [4, np.nan, 6]], np.float32)
    with pytest.raises(ModelError) as refused:
        score_strip(STRIP, Knowing(Sums(), features))
    assert refused.value.code == "model.bad_scores"
