"""The networks are the papers': their sizes are pinned; the table needs no torch."""

import subprocess
import sys
from typing import Any

import pytest

from models.networks import NETWORKS, SETS, NetworkSpec

TABLE_10_M = {
    "efficientnet-v2-s": 20.70, "inception-v3": 22.37, "mobilenet-v2": 2.63, "resnet50": 24.15, "sca-cnn": 0.52,
    "baseline-cnn": 5.12, "inception-cnn": 3.58,
}  # fmt: skip


def test_the_table_needs_no_torch() -> None:
    code = "import models.networks, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_papers_counts_stand_beside_ours_and_agree() -> None:
    assert {name: spec.paper_parameters_m for name, spec in NETWORKS.items() if spec.paper_parameters_m} == TABLE_10_M
    for name, millions in TABLE_10_M.items():
        assert NETWORKS[name].trainable_parameters / 1e6 == pytest.approx(millions, rel=0.02), name


def test_the_counts_of_layers_are_those_of_table_10() -> None:
    table = {
        "efficientnet-v2-s": 520, "inception-v3": 318, "mobilenet-v2": 161, "resnet50": 182, "sca-cnn": 30,
        "baseline-cnn": 24, "inception-cnn": 48,
    }  # fmt: skip
    assert {name: spec.layers for name, spec in NETWORKS.items() if spec.layers} == table


def keras_layers(network: Any) -> int:
    """Input, convolutions, normalisations with a layer of their own behind them, halvings, joins, dense, dropouts."""
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    modules = list(network.modules())
    nn, count = torch.nn, lambda *kinds: sum(isinstance(module, kinds) for module in modules)
    inceptions = sum(type(module).__name__ == "Inception" for module in modules)
    halved = count(nn.MaxPool2d) - inceptions + sum(type(module).__name__ == "HalvedRelu" for module in modules)
    normalised = 2 * count(nn.BatchNorm2d)  # each has a ReLU layer of its own
    of_inceptions = 3 * inceptions  # two pools of which we share one, and the join
    return 1 + count(nn.Conv2d) + normalised + halved + of_inceptions + 1 + count(nn.Linear) + count(nn.Dropout)


@pytest.mark.training
@pytest.mark.parametrize("name", ["inception-cnn", "baseline-cnn"])
def test_layers_are_counted_as_keras_does(name: str) -> None:
    assert keras_layers(NETWORKS[name].make(5, 256, 256)) == NETWORKS[name].layers


def test_an_ablation_begins_with_the_whole_network_and_leaves_out_one_thing_each() -> None:
    assert SETS["ablation"][0] == "industnet"
    assert SETS["ablation-atto"][0] == "industnet-atto"
    assert len(SETS["ablation"]) == len(SETS["ablation-atto"]) == 4


def test_deformable_convolutions_have_no_int8() -> None:
    refused = {name for name, spec in NETWORKS.items() if "openvino-int8" in dict(spec.unserved)}
    assert refused == {name for name in NETWORKS if "industnet" in name and "without-deformable" not in name}


def test_the_stations_own_network_has_the_papers_parameters() -> None:
    assert NETWORKS["inception-cnn"].trainable_parameters == 3_576_389


@pytest.mark.training
@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS)
def test_a_network_has_its_pinned_parameters_and_answers_logits(spec: NetworkSpec) -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    pytest.importorskip("timm", reason="timm is an extra (make test-training)")
    network = spec.make(5, 256, 256).eval()
    assert network.settled == (not spec.name.startswith("condensenet"))
    assert sum(value.numel() for value in network.parameters() if value.requires_grad) == spec.trainable_parameters
    with torch.inference_mode():
        logits = network(torch.zeros(1, 1, 256, 256))
    assert logits.shape == (1, 5)
    assert torch.isfinite(logits).all()


@pytest.mark.training
@pytest.mark.parametrize(
    "name", ["inception-cnn", "inception-cnn-normalised", "baseline-cnn", "sca-cnn", "cbam-cnn", "industnet-atto"]
)
def test_whole_images_and_other_classes_fit(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    network = NETWORKS[name].make(6, 512, 256).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 512, 256)).shape == (1, 6)


@pytest.mark.training
def test_training_mode_computes_the_same_halving() -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    layers = pytest.importorskip("models.networks.layers")
    halved, values = layers.HalvedRelu(), torch.randn(2, 3, 9, 8)
    assert torch.equal(halved.train()(values), halved.eval()(values))


@pytest.mark.training
@pytest.mark.parametrize("name", ["inception-cnn", "inception-cnn-normalised", "baseline-cnn-normalised", "cbam-cnn"])
def test_an_untrained_network_tells_images_apart_and_so_can_begin_to_learn(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    torch.manual_seed(0)
    images = 0.5 + 0.1 * torch.randn(8, 1, 256, 256).clamp(-3, 3)
    images[:, :, 60:100, 60:100] *= torch.linspace(0.3, 1.7, 8)[:, None, None, None]
    with torch.inference_mode():
        features = NETWORKS[name].make(5, 256, 256).train().features(images)
    assert (features - features.mean(0)).norm() > 0.12 * features.norm()


@pytest.mark.training
@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS)
def test_every_network_tells_what_it_saw_beside_the_same_logits(spec: NetworkSpec) -> None:
    torch = pytest.importorskip("torch", reason="torch is an extra (make test-training)")
    pytest.importorskip("timm", reason="timm is an extra (make test-training)")
    network, images = spec.make(5, 128, 128).eval(), torch.rand(3, 1, 128, 128)
    with torch.inference_mode():
        logits, features = network.answer(images)
        assert torch.equal(network(images), logits)
    assert features.shape[0] == 3
    assert features.ndim == 2
    assert torch.isfinite(features).all()
