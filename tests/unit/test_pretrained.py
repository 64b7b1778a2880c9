"""ImageNet weights with folded normalisations: the network answers as the folded one does, in either mode."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
pytest.importorskip("timm", reason="timm is an extra of training (make test-training)")

from models.errors import TrainingError  # noqa: E402
from models.networks import NETWORKS  # noqa: E402 - after the check for torch
from models.training.pretrained import initial_weights  # noqa: E402

pytestmark = pytest.mark.training


def archive(path: Path, leave_out: str = "") -> Path:
    """Random weights of MobileNetV2 as they come: three colours, biases, no normalisation."""
    rng = np.random.default_rng(1)
    arrays: dict[str, np.ndarray] = {}
    network = NETWORKS["mobilenet-v2"].make(5, 64, 64)
    convolutions = [module for module in network.features.modules() if isinstance(module, torch.nn.Conv2d)]
    for number, convolution in enumerate(convolutions):
        out, channels, *kernel = convolution.weight.shape
        shape = (out, 3 if number == 0 else channels, *kernel)
        arrays[f"c{number:02}_w"] = (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
        arrays[f"c{number:02}_b"] = rng.normal(size=out).astype(np.float32)
    arrays.pop(leave_out, None)
    np.savez(path, **arrays)
    return path


def test_the_network_answers_as_the_folded_one_in_evaluation_and_in_training(tmp_path: Path) -> None:
    path = archive(tmp_path / "weights.npz")
    network, images = NETWORKS["mobilenet-v2"].make(5, 64, 64), torch.rand(16, 1, 64, 64)
    stem = network.features[1].conv_stem
    initial_weights(path, "mobilenet-v2")(network, images)
    with np.load(path) as arrays:
        kernel, bias = torch.from_numpy(arrays["c00_w"]), torch.from_numpy(arrays["c00_b"])
    spread = (images * 2 - 1).repeat(1, 3, 1, 1)
    padded = torch.nn.functional.pad(spread, (0, 1, 0, 1))
    wanted = torch.nn.functional.conv2d(padded, kernel, bias, stride=2).clamp(0, 6)
    with torch.inference_mode():
        network.eval()
        evaluated = network.features(images)
        assert torch.allclose(network.features[1].bn1(stem(images * 2 - 1)), wanted, atol=1e-4)
        trained = network.train().features(images)
    assert torch.allclose(evaluated, trained, atol=1e-3 * float(evaluated.abs().max()))


@pytest.mark.parametrize("leave_out", ["c00_w", "c17_b", "c51_w"])
def test_an_archive_without_all_convolutions_is_refused(tmp_path: Path, leave_out: str) -> None:
    weights = initial_weights(archive(tmp_path / "weights.npz", leave_out), "mobilenet-v2")
    with pytest.raises(TrainingError, match=f"convolution {int(leave_out[1:3])} is missing"):
        weights(NETWORKS["mobilenet-v2"].make(5, 64, 64), torch.rand(2, 1, 64, 64))


def test_an_archive_is_for_its_network_alone(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="weights of mobilenet-v2 or mobilenet-v2-levels, not of resnet50"):
        initial_weights(archive(tmp_path / "weights.npz"), "resnet50")


def test_an_archive_that_holds_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", c00_w=np.array([{"a": 1}], object))
    weights = initial_weights(tmp_path / "weights.npz", "mobilenet-v2")
    with pytest.raises(TrainingError) as refused:
        weights(NETWORKS["mobilenet-v2"].make(5, 64, 64), torch.rand(2, 1, 64, 64))
    assert refused.value.code == "training.bad_weights"
