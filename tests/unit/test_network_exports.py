"""Every network trains, and what is exported of it answers as torch on every engine that it is made for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "tensorboard", "matplotlib", "nncf", "onnxscript"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

import onnxruntime as ort  # noqa: E402 - after the check for torch
import openvino as ov  # noqa: E402

from models.engines import ARTEFACT_OF  # noqa: E402
from models.networks import NETWORKS, NetworkSpec  # noqa: E402
from models.release.export import refuse_unserved  # noqa: E402
from models.release.graphs import OPSET, ScoringGraph, rounded, to_onnx, to_openvino  # noqa: E402
from models.training.checkpoint import BEST, load_network  # noqa: E402
from models.training.data import DataOrigin, TrainingData  # noqa: E402
from models.training.plan import make_plan  # noqa: E402
from models.training.start import begin  # noqa: E402
from models.training.trainer import Training  # noqa: E402
from station.core.errors import ModelError  # noqa: E402
from station.core.geometry import Geometry  # noqa: E402
from tests.unit.test_training_runs import Silence  # noqa: E402

pytestmark = pytest.mark.training

OURS = ("sca-cnn", "industnet-atto", "industnet-atto-without-fusion", "condensenet-v2-a", "condensenet-v2-b")
"""Exported in every run; the others are timm's or larger, and slow."""
CLASSES = ("free", "dark", "light")


@pytest.fixture(scope="module", autouse=True)
def exporter() -> None:
    """Torch's exporter keeps threads for ever, once it was used."""
    to_openvino(NETWORKS["sca-cnn"].make(3, 64, 64).eval(), 1.0, Geometry(64, 64, 64, 1))


def side_of(spec: NetworkSpec) -> int:
    side = max(64, spec.smallest_px)
    return -(-side // 32) * 32


def trained(name: str, folder: Path) -> Training:
    """An epoch of two steps on grey pictures of three lights."""
    torch.set_num_threads(1)
    folder.mkdir()
    side = side_of(NETWORKS[name])
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1], np.int16)
    noise = np.random.default_rng(1).integers(0, 60, (8, side, side)) + 60 * labels[:, None, None]
    origin = DataOrigin("ab" * 32, "noise", CLASSES, "free", None, side, side, 8, 8)
    data = TrainingData(noise.astype(np.uint8), labels, np.arange(8), np.arange(3), origin)
    plan = make_plan(network=name, phases=[{"epochs": 1}], batch=4, draw="whole", dropout=0.2)
    training = begin(plan, data, folder, torch.device("cpu"))
    training.run(Silence())
    return training


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_trains_and_goes_on_to_the_same_weights(tmp_path: Path, name: str) -> None:
    training = trained(name, tmp_path / "run")
    assert training.finished
    assert training.network.settled
    assert all(np.isfinite(row.loss) for row in training.history)
    again = begin(training.plan, training.data, tmp_path / "run", torch.device("cpu"))
    for layer, value in training.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[layer]), layer


def answers(network: Any, side: int, patches: np.ndarray) -> dict[str, np.ndarray]:
    """What torch, OpenVINO and ONNX Runtime make of two patches."""
    geometry = Geometry(side, side, side, 2)
    with torch.inference_mode():
        wanted = ScoringGraph(network, 1.5).eval()(torch.from_numpy(patches))[0].numpy()
    graph = to_openvino(network, 1.5, geometry)
    nodes = graph.get_ordered_ops()
    picked = [node for node in nodes if node.get_type_name() == "Gather" and len(node.output(0).get_shape()) == 4]
    assert not picked, "channels are picked out by their index, which OpenVINO takes long for"
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    session = ort.InferenceSession(to_onnx(network, 1.5, geometry), providers=["CPUExecutionProvider"])
    return {
        "torch": wanted,
        "openvino": np.array(compiled.create_infer_request().infer({0: patches})[0]),
        "onnxruntime": session.run(None, {"patches": patches})[0],
    }


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in OURS else pytest.mark.slow) for name in NETWORKS]
)
@pytest.mark.timeout(600)
def test_a_trained_network_answers_alike_in_torch_openvino_and_onnx_runtime(tmp_path: Path, name: str) -> None:
    trained(name, tmp_path / "run")
    network = rounded(load_network(tmp_path / "run" / BEST)[0])
    side = side_of(NETWORKS[name])
    patches = np.random.default_rng(2).integers(0, 256, (2, side, side), np.uint8)
    found = answers(network, side, patches)
    for engine in ("openvino", "onnxruntime"):
        assert np.abs(found[engine] - found["torch"]).max() < 2e-4, engine


def test_deformed_places_are_looked_at_and_not_those_of_a_plain_convolution(tmp_path: Path) -> None:
    from models.networks.industnet import Deformable  # noqa: PLC0415 - needs torch

    torch.manual_seed(1)
    layer, features = Deformable(4), torch.rand(1, 4, 9, 9)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    with torch.inference_mode():
        assert torch.allclose(layer(features), torch.nn.functional.conv2d(features, weight, bias, padding=1), atol=1e-5)
        layer.places.bias.copy_(torch.tensor([1.0, 0.0]).repeat(9))  # one pixel further down, everywhere
        moved = torch.nn.functional.pad(features, (0, 0, 0, 1))[:, :, 1:]
        wanted = torch.nn.functional.conv2d(moved, weight, bias, padding=1)
        assert torch.allclose(layer(features)[:, :, 1:-2], wanted[:, :, 1:-2], atol=1e-5)


def test_the_opset_is_the_oldest_that_has_every_operator() -> None:
    assert OPSET == 20


@pytest.mark.parametrize(
    ("name", "engine", "precision", "refused"),
    [
        ("industnet", "openvino", "int8", True),
        ("industnet", "openvino", "f32", False),
        ("industnet", "onnxruntime", "f32", False),
        ("industnet-atto-without-deformable", "openvino", "int8", False),
        ("condensenet-v2-b", "openvino", "int8", False),
    ],
)
def test_what_an_engine_cannot_run_is_refused_with_the_engine_and_those_that_can(
    name: str, engine: Any, precision: Any, *, refused: bool
) -> None:
    assert (engine, precision) in ARTEFACT_OF
    if not refused:
        return refuse_unserved(name, engine, precision)
    with pytest.raises(ModelError) as caught:
        refuse_unserved(name, engine, precision)
    assert caught.value.code == "model.export_failed"
    assert caught.value.detail.startswith(f"{engine} in {precision}, which is chosen, cannot run {name}: ")
    assert "Choose one of openvino bf16, openvino f32, onnxruntime f32, torch f32 with --engine" in caught.value.detail
    return None
