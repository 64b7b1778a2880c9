"""What every `PatchClassifier` must do: the fake of the tests, and each engine in each precision of the shipped bundle.

What cannot run here (torch is an extra, not every processor has bf16) is skipped, with the reason that is reported.
"""

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.engines import check_probabilities
from station.core.errors import BugError, ModelError
from station.core.geometry import Geometry
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from station.core.ports.network import PatchClassifier
from tests.contract.engine_choices import EACH_CHOICE, start
from tests.scoring import ScoresAlone, scored


class FakeClassifier(ScoresAlone):
    """Answers by mean grey value: the brighter the patch, the surer a pass."""

    model = ModelIdentity("fake", hashlib.sha256(b"fake").hexdigest())
    engine = EngineIdentity("fake", "1", "f32", "none")
    classes = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
    geometry = Geometry(3584, 448, 256, 2)

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities by brightness."""
        if patches.shape != (2, 256, 256) or patches.dtype != np.uint8:
            raise BugError("station.bug", "wrong patches")
        passed = patches.mean(axis=(1, 2)) / 255
        rest = (1 - passed) / 4
        return check_probabilities(np.stack([passed, rest, rest, rest, rest], axis=1).astype(np.float32), (2, 5))


@pytest.fixture(scope="module", params=[pytest.param(("fake", ""), id="fake"), *EACH_CHOICE])
def classifier(request: pytest.FixtureRequest) -> PatchClassifier:
    engine, precision = request.param
    return FakeClassifier() if engine == "fake" else start(engine, precision)


@pytest.fixture(params=EACH_CHOICE)
def choice(request: pytest.FixtureRequest) -> tuple[str, str]:
    engine, precision = request.param
    return engine, precision


def some_patches(seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (2, 256, 256), np.uint8)


def test_it_names_its_model_and_what_runs_it(classifier: PatchClassifier) -> None:
    assert classifier.model.name
    assert len(classifier.model.sha256) == 64
    assert all((classifier.engine.name, classifier.engine.version, classifier.engine.precision, classifier.engine.isa))


def test_each_row_is_a_set_of_probabilities(classifier: PatchClassifier) -> None:
    classifier.warm_up()
    answer = scored(classifier, some_patches())
    assert answer.shape == (2, 5)
    assert answer.dtype == np.float32
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-4)
    assert (answer >= 0).all()


def test_the_same_patches_get_the_same_bits_whatever_ran_before(classifier: PatchClassifier) -> None:
    first = scored(classifier, some_patches()).tobytes()
    for other in (some_patches(2), np.zeros((2, 256, 256), np.uint8), np.full((2, 256, 256), 255, np.uint8)):
        scored(classifier, other)
        assert scored(classifier, some_patches()).tobytes() == first


def test_a_thread_gets_the_same_bits(classifier: PatchClassifier) -> None:
    answers: list[Probabilities] = []
    thread = threading.Thread(target=lambda: answers.append(scored(classifier, some_patches())))
    thread.start()
    thread.join()
    assert np.array_equal(answers[0], scored(classifier, some_patches()))


def test_an_answer_is_not_changed_by_the_next_one(classifier: PatchClassifier) -> None:
    answer = scored(classifier, some_patches())
    kept = answer.copy()
    scored(classifier, np.full((2, 256, 256), 90, np.uint8))
    assert np.array_equal(answer, kept)


def test_the_patches_are_left_as_they_were(classifier: PatchClassifier) -> None:
    patches = some_patches()
    patches.flags.writeable = False
    scored(classifier, patches)
    assert np.array_equal(patches, some_patches())


def test_each_patch_is_judged_on_its_own(classifier: PatchClassifier) -> None:
    first, second = some_patches()[0], np.full((256, 256), 90, np.uint8)
    forward = scored(classifier, np.stack([first, second]))
    backward = scored(classifier, np.stack([second, first]))
    assert np.allclose(forward, backward[::-1], atol=1e-5)


def test_patches_need_not_be_contiguous(classifier: PatchClassifier) -> None:
    strip = np.random.default_rng(3).integers(0, 256, (256, 512), np.uint8)
    view = strip.reshape(256, 2, 256).swapaxes(0, 1)
    assert np.array_equal(scored(classifier, view), scored(classifier, np.ascontiguousarray(view)))


@pytest.mark.parametrize(
    "patches",
    [
        np.zeros((1, 256, 256), np.uint8),
        np.zeros((16, 256, 256), np.uint8),
        np.zeros((2, 1, 256, 256), np.uint8),
        np.zeros((2, 256, 255), np.uint8),
        np.zeros((2, 256, 256), np.float32),
        np.zeros((2, 256, 256), np.uint16),
    ],
    ids=lambda patches: f"{patches.dtype}-{patches.shape}",
)
def test_other_shapes_and_types_are_refused(classifier: PatchClassifier, patches: NDArray[Any]) -> None:
    with pytest.raises(BugError):
        scored(classifier, patches)


GOOD = [0.2, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    "rows",
    [
        [[np.nan, 0.25, 0.25, 0.25, 0.25], GOOD],
        [GOOD, [np.inf, 0, 0, 0, 0]],
        [GOOD, [0.3, 0.2, 0.2, 0.2, 0.2]],
        [[0, 0, 0, 0, 0], GOOD],
        [GOOD, [-0.5, 1.5, 0, 0, 0]],
        [GOOD],
        [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]],
    ],
)
def test_an_answer_that_is_no_set_of_probabilities_is_an_error(rows: list[list[float]]) -> None:
    with pytest.raises(ModelError) as caught:
        check_probabilities(np.array(rows, np.float32), (2, 5))
    assert caught.value.code == "model.bad_scores"


def test_it_runs_what_was_chosen(choice: tuple[str, str]) -> None:
    engine = start(*choice).engine
    assert (engine.name, engine.precision) == choice


def test_another_engine_of_the_same_choice_gives_the_same_bits(choice: tuple[str, str]) -> None:
    once, again = start(*choice), start(*choice)
    again.warm_up()
    assert np.array_equal(scored(once, some_patches()), scored(again, some_patches()))


def test_pinned_or_not_the_bits_are_the_same(choice: tuple[str, str]) -> None:
    pinned, free = (start(*choice, threads=2, pinning=pinning) for pinning in (True, False))
    for seed in range(4):
        assert np.array_equal(scored(pinned, some_patches(seed)), scored(free, some_patches(seed)))


def test_a_cache_folder_changes_nothing_in_the_answer(choice: tuple[str, str], tmp_path: Path) -> None:
    plain = scored(start(*choice), some_patches())
    for _ in range(2):
        cached = start(*choice, cache_dir=tmp_path / "cache")
        assert np.array_equal(scored(cached, some_patches()), plain)
    assert (choice[0] == "openvino") == any(tmp_path.glob("cache/*/*.blob"))
