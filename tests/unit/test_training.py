"""Training: what is drawn, how the rate runs, and that an interrupted run ends like an uninterrupted one."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (pip install inspection-station[train])")
train = pytest.importorskip("models.train")
export = pytest.importorskip("models.export")

from models.data import SLIVER, PatchSet  # noqa: E402
from models.engines import make_engine  # noqa: E402 - after the check for torch
from models.manifest import load_bundle  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402


@pytest.fixture(scope="module")
def patches() -> PatchSet:
    rng = np.random.default_rng(1)
    labels = np.array([0] * 20 + [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3 + [SLIVER] * 4, np.int8)
    pixels = rng.integers(60, 120, (len(labels), 256, 256), np.uint8)
    return PatchSet(pixels, labels, np.arange(len(labels), dtype=np.int32))


def plan(epochs: int = 2) -> object:
    return train.Plan("inception-cnn", epochs, 8, 4, 1e-3, 0.01, 0.5, seed=3)


def test_the_rate_rises_then_falls_to_almost_nothing() -> None:
    long = train.Plan("inception-cnn", 10, 320, 32, 1e-3, 0.01, 0.5, seed=3)
    rates = [long.rate(step) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[0] < rates[5]
    assert rates[-1] < 2e-5
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_a_draw_has_its_share_of_every_class_and_no_sliver(patches: PatchSet) -> None:
    chosen = train.draw(patches, 16, 0.5, np.random.default_rng(1))
    assert np.bincount(patches.labels[chosen], minlength=5).tolist() == [8, 2, 2, 2, 2]
    assert len(set(chosen.tolist())) == 16


def test_a_small_class_is_drawn_repeatedly(patches: PatchSet) -> None:
    chosen = train.draw(patches, 80, 0.5, np.random.default_rng(1))
    assert np.bincount(patches.labels[chosen], minlength=5).tolist() == [40, 10, 10, 10, 10]


def test_rare_classes_weigh_by_the_root_of_their_rarity() -> None:
    weights = train.class_weights(np.array([0] * 16 + [1] * 4, np.int8))
    assert float(weights[1] / weights[0]) == pytest.approx(2)
    assert float(weights[0] * 16 + weights[1] * 4) == pytest.approx(20)
    assert weights[2:].tolist() == [0, 0, 0]


def test_augmentation_keeps_shape_and_range_and_is_repeatable() -> None:
    images = torch.rand((6, 1, 256, 256))
    first, second = (train.augment(images, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == images.shape
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert not torch.equal(first, images)


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path, patches: PatchSet) -> None:
    whole = train.Training(plan(), patches, tmp_path / "whole")
    train.train(whole, patches, 8)
    first = train.Training(plan(), patches, tmp_path / "parts")
    first.run_epoch()
    first.keep(train.validate(first.network, patches, np.arange(4)))
    second = train.Training(plan(), patches, tmp_path / "parts")
    second.resume()
    assert second.epochs_done == 1
    second.run_epoch()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path, patches: PatchSet) -> None:
    first = train.Training(plan(), patches, tmp_path)
    first.keep(train.Validation(1.0, 1, 0, 0, 0))
    with pytest.raises(train.typer.BadParameter, match="other options"):
        train.Training(plan(epochs=3), patches, tmp_path).resume()


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # a deprecation inside of torch.export
def test_an_exported_bundle_answers_as_the_network_did(tmp_path: Path, patches: PatchSet) -> None:
    training = train.Training(plan(), patches, tmp_path / "checkpoints")
    training.run_epoch()
    training.keep(train.validate(training.network, patches, np.arange(4)))
    export.export(tmp_path / "checkpoints" / "best.pt", tmp_path / "tiny-1", "noise", "Apache-2.0", 1)
    bundle = load_bundle(tmp_path / "tiny-1")
    assert (bundle.manifest.data.parts, bundle.manifest.data.epochs) == (36, 1)
    found = make_engine(bundle, ModelSettings(bundle="tiny-1", threads=1)).score(patches.patches[:2])
    training.network.eval()
    with torch.inference_mode():
        logits = training.network(torch.from_numpy(patches.patches[:2]).unsqueeze(1).float() / 255)
    assert np.allclose(found, torch.softmax(logits, 1).numpy(), atol=3e-3)
