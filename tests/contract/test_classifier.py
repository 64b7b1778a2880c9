"""What every `PatchClassifier` must do, run on the fake of the tests and on OpenVINO with the shipped bundle."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as op

from models.classifier import OpenVinoClassifier, check_probabilities
from models.manifest import (
    CLASSES,
    Bundle,
    Data,
    Manifest,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from models.weights import bundle_folder
from station.core.errors import BugError, ModelError
from station.core.part import ModelIdentity, Pixels, Probabilities
from station.core.ports import PatchClassifier
from station.core.settings import ModelSettings

ONE_THREAD = ModelSettings(bundle="inception-cnn-1", threads=1)


class FakeClassifier:
    """Answers by mean grey value: the brighter the patch, the surer a pass."""

    model = ModelIdentity("fake", hashlib.sha256(b"fake").hexdigest())

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities by brightness."""
        if patches.shape != (2, 256, 256) or patches.dtype != np.uint8:
            raise BugError("station.bug", "wrong patches")
        passed = patches.mean(axis=(1, 2)) / 255
        rest = (1 - passed) / 4
        return check_probabilities(np.stack([passed, rest, rest, rest, rest], axis=1).astype(np.float32))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(bundle_folder("inception-cnn-1"))


@pytest.fixture(scope="module", params=["fake", "openvino"])
def classifier(request: pytest.FixtureRequest, bundle: Bundle) -> PatchClassifier:
    return FakeClassifier() if request.param == "fake" else OpenVinoClassifier(bundle, ONE_THREAD)


def some_patches(seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (2, 256, 256), np.uint8)


def test_it_names_its_model(classifier: PatchClassifier) -> None:
    assert classifier.model.name
    assert len(classifier.model.sha256) == 64


def test_each_row_is_a_set_of_probabilities(classifier: PatchClassifier) -> None:
    classifier.warm_up()
    answer = classifier.score(some_patches())
    assert answer.shape == (2, 5)
    assert answer.dtype == np.float32
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-4)
    assert (answer >= 0).all()


def test_the_same_patches_get_the_same_bits(classifier: PatchClassifier) -> None:
    first = classifier.score(some_patches()).tobytes()
    classifier.score(some_patches(2))
    assert classifier.score(some_patches()).tobytes() == first


def test_an_answer_is_not_changed_by_the_next_one(classifier: PatchClassifier) -> None:
    answer = classifier.score(some_patches())
    kept = answer.copy()
    classifier.score(np.full((2, 256, 256), 90, np.uint8))
    assert np.array_equal(answer, kept)


def test_each_patch_is_judged_on_its_own(classifier: PatchClassifier) -> None:
    first, second = some_patches()[0], np.full((256, 256), 90, np.uint8)
    forward = classifier.score(np.stack([first, second]))
    backward = classifier.score(np.stack([second, first]))
    assert np.allclose(forward, backward[::-1], atol=1e-5)


def test_patches_need_not_be_contiguous(classifier: PatchClassifier) -> None:
    strip = np.random.default_rng(3).integers(0, 256, (256, 512), np.uint8)
    view = strip.reshape(256, 2, 256).swapaxes(0, 1)
    assert np.array_equal(classifier.score(view), classifier.score(np.ascontiguousarray(view)))


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
        classifier.score(patches)


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
        check_probabilities(np.array(rows, np.float32))
    assert caught.value.code == "model.bad_scores"


def broken_bundle(folder: Path, answer: Callable[[ov.Node], ov.Node], shape: tuple[int, ...] = (2, 256, 256)) -> Bundle:
    folder.mkdir()
    patches = op.parameter(shape, ov.Type.u8, "patches")
    mean = op.reduce_mean(op.convert(patches, "f32"), np.array([1, 2], np.int64), keep_dims=False)
    ov.save_model(ov.Model([answer(mean)], [patches], "broken"), folder / "model.xml")
    data = Data(source="none", parts=1, patches=16, epochs=1, patches_per_epoch=16, seed=0)
    manifest = Manifest(
        name="broken-1",
        network="broken",
        version=1,
        created=utc_now(),
        code_version="0.1.0",
        licence="Apache-2.0",
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=CLASSES,
        data=data,
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)


def five(mean: ov.Node) -> ov.Node:
    return op.multiply(op.unsqueeze(mean, op.constant(np.array([1]))), op.constant(np.ones((1, 5), np.float32)))


@pytest.mark.parametrize(
    "answer",
    [lambda mean: op.log(op.negative(five(mean))), lambda mean: op.add(five(mean), op.constant(np.float32(3)))],
    ids=["not a number", "sums to more"],
)
def test_a_network_that_answers_nonsense_is_an_error(tmp_path: Path, answer: Callable[[ov.Node], ov.Node]) -> None:
    classifier = OpenVinoClassifier(broken_bundle(tmp_path / "broken-1", answer), ONE_THREAD)
    with pytest.raises(ModelError) as caught:
        classifier.score(some_patches())
    assert caught.value.code == "model.bad_scores"


def test_a_graph_of_other_shapes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="ports") as caught:
        OpenVinoClassifier(broken_bundle(tmp_path / "broken-1", five, (4, 256, 256)), ONE_THREAD)
    assert caught.value.code == "model.bad_manifest"


def test_a_file_that_is_no_graph_is_an_engine_failure(tmp_path: Path) -> None:
    bundle = broken_bundle(tmp_path / "broken-1", five)
    (bundle.folder / "model.xml").write_text("no graph")
    manifest = bundle.manifest.model_copy(update={"files": hash_files(bundle.folder)})
    write_manifest(bundle.folder, manifest)
    with pytest.raises(ModelError) as caught:
        OpenVinoClassifier(load_bundle(bundle.folder), ONE_THREAD)
    assert caught.value.code == "model.engine_failed"


def test_a_cache_folder_changes_nothing_in_the_answer(tmp_path: Path, bundle: Bundle) -> None:
    plain = OpenVinoClassifier(bundle, ONE_THREAD).score(some_patches())
    for _ in range(2):
        cached = OpenVinoClassifier(bundle, ONE_THREAD, cache_dir=tmp_path / "cache")
        assert np.array_equal(cached.score(some_patches()), plain)
    assert any((tmp_path / "cache").iterdir())
