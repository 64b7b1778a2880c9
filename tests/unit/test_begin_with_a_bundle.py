"""A bundle's weights begin a training: the network answers as the bundle does, in evaluation and in training."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "onnx"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.errors import TrainingError  # noqa: E402 - after the check for torch
from models.networks import NETWORKS  # noqa: E402
from models.release.graphs import rounded, to_state  # noqa: E402
from models.training.pretrained import initial_weights  # noqa: E402
from tests.bundles import sealed  # noqa: E402

pytestmark = pytest.mark.training

NAME = "inception-cnn-normalised"


def untrained(classes: int = 5, seed: int = 1) -> Any:
    torch.manual_seed(seed)
    return NETWORKS[NAME].make(classes, 128, 128).eval()


def images() -> Any:
    return torch.rand(16, 1, 128, 128, generator=torch.Generator().manual_seed(2))


def trained() -> Any:
    """A network whose normalisations say something, as after a training."""
    network = untrained()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
        network.train().features(images())  # the running statistics take a step
    return network.eval()


def filled(folder: Path) -> Path:
    """A bundle of the trained network."""
    folder.mkdir()
    (folder / "network.pt").write_bytes(to_state(rounded(trained())))
    sealed(folder, network=NAME)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("made") / "net-1")


def test_the_network_answers_as_the_bundles_in_evaluation_and_in_training(bundle: Path) -> None:
    network, wanted = untrained(seed=3), rounded(trained())
    initial_weights(bundle, NAME)(network, images())
    with torch.inference_mode():
        scale = float(wanted.features(images()).abs().max())
        assert torch.allclose(network.eval()(images()), wanted(images()), atol=1e-3)
        trains = network.train().features(images())
    assert torch.allclose(trains, wanted.features(images()), atol=1e-2 * scale)


def test_folded_normalisations_would_answer_otherwise_in_training(bundle: Path) -> None:
    network, wanted = untrained(), rounded(trained())
    network.load_state_dict(torch.load(bundle / "network.pt", weights_only=True))
    with torch.inference_mode():
        scale = float(wanted.features(images()).abs().max())
        trains = network.train().features(images())
    assert not torch.allclose(trains, wanted.features(images()), atol=0.1 * scale)


def test_a_head_for_other_classes_stays_as_it_is(bundle: Path) -> None:
    network, fresh = untrained(classes=3), untrained(classes=3)
    initial_weights(bundle, NAME)(network, images())
    assert torch.equal(network.head[-1].weight, fresh.head[-1].weight)
    assert torch.equal(network.head[0].weight, rounded(trained()).head[0].weight)


def test_a_shipped_bundle_is_found_by_its_name() -> None:
    weights = initial_weights(Path("inception-cnn-3"), "inception-cnn")
    assert weights.path.is_dir()
    assert len(weights.sha256) == 64


def test_weights_that_were_exchanged_are_refused_and_have_another_hash(tmp_path: Path) -> None:
    folder = filled(tmp_path / "net-2")
    before = initial_weights(folder, NAME).sha256
    (folder / "network.pt").write_bytes(to_state(rounded(untrained(seed=9))))
    with pytest.raises(TrainingError, match="SHA-256"):
        initial_weights(folder, NAME)
    sealed(folder, network=NAME)
    assert initial_weights(folder, NAME).sha256 != before


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: sealed(folder, network="resnet50"), "weights of resnet50, not of"),
        (lambda folder: (folder / "manifest.json").unlink(), "no bundle to begin with"),
        (lambda folder: (folder / "network.pt").rename(folder / "model.onnx") and sealed(folder, network=NAME),
         "no artefact torch"),
    ],
    ids=["of another network", "no manifest", "not for torch"],
)  # fmt: skip
def test_what_is_no_bundle_of_this_network_is_refused(tmp_path: Path, spoil: Any, named: str) -> None:
    folder = filled(tmp_path / "net-2")
    spoil(folder)
    with pytest.raises(TrainingError, match=named) as refused:
        initial_weights(folder, NAME)
    assert refused.value.code == "training.bad_weights"


def test_weights_that_are_damaged_are_refused_before_training(tmp_path: Path) -> None:
    folder = tmp_path / "net-3"
    folder.mkdir()
    (folder / "network.pt").write_bytes(b"no weights")
    sealed(folder, network=NAME)
    with pytest.raises(TrainingError, match="damaged"):
        initial_weights(folder, NAME)(untrained(), images())
