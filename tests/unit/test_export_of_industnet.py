"""A bundle of a network with deformable convolutions: f32 and bf16, no INT8, and it says so wherever it is asked."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "nncf", "onnxscript"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.engines import make_engine  # noqa: E402 - after the check for torch
from models.manifest import Bundle, load_bundle  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.release.export import Choices, Fallback, export_bundle, read_trained  # noqa: E402
from models.release.golden import GoldenPictures  # noqa: E402
from models.release.pictures import Pictures  # noqa: E402
from models.release.quantise import recipes_named  # noqa: E402
from models.training.checkpoint import describe, write_checkpoint  # noqa: E402
from models.training.data import DataOrigin  # noqa: E402
from models.training.plan import make_plan  # noqa: E402
from station.core.errors import ModelError  # noqa: E402
from station.core.geometry import Geometry  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402
from tests.unit.housings import CLASSES, TABLE  # noqa: E402

pytestmark = pytest.mark.training

SMALL = Geometry(256, 64, 64, 2)
WEIGHTS = "cd" * 32


def checkpoint(path: Path, name: str, *, settled: bool = True) -> Path:
    torch.manual_seed(1)
    network = NETWORKS[name].make(5, 64, 64)
    if settled:
        network.advance(1.0)
    origin = DataOrigin("a" * 64, "noise", CLASSES, CLASSES[0], SMALL, 64, 64, 2, 32)
    plan = make_plan(network=name, phases=[{"epochs": 1}], init=WEIGHTS)
    write_checkpoint(path, describe(plan, origin) | {"state": network.state_dict(), "epochs_done": 1, "history": []})
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("industnet")
    patches = np.random.default_rng(1).integers(0, 256, (40, 64, 64), np.uint8)
    trained = read_trained(checkpoint(folder / "best.pt", "industnet-atto"), None, Fallback(None, TABLE, SMALL))
    pictures = Pictures("noise", "ab" * 32, patches, patches[:0], np.zeros(0, np.int16), SMALL)
    golden = GoldenPictures(patches[:8], np.arange(8) % 5, "noise")
    export_bundle(
        trained, pictures, golden, Choices(1, "Apache-2.0", recipes_named("auto"), 0.5, 1, ()), folder / "net-1"
    )
    return load_bundle(folder / "net-1")


def test_it_has_an_artefact_for_every_engine_but_int8(bundle: Bundle) -> None:
    assert set(bundle.manifest.artefacts) == {"openvino", "onnx", "torch"}
    assert bundle.manifest.quantisation is None
    assert {(one.engine, one.precision) for one in bundle.manifest.parity} >= {
        ("openvino", "f32"),
        ("onnxruntime", "f32"),
    }
    assert all(one.changed_parts == 0 for one in bundle.manifest.parity if one.precision == "f32")
    assert bundle.manifest.data.begun_with == WEIGHTS


def test_every_engine_that_serves_it_answers_as_torch(bundle: Bundle) -> None:
    patches = np.random.default_rng(2).integers(0, 256, (2, 64, 64), np.uint8)
    answers = {}
    for engine in ("openvino", "onnxruntime", "torch"):
        settings = ModelSettings(bundle="net-1", engine=engine, precision="f32", threads=1)  # type: ignore[arg-type]
        answers[engine] = make_engine(bundle, settings).answer(patches).probabilities
    for engine in ("openvino", "onnxruntime"):
        assert np.abs(answers[engine] - answers["torch"]).max() < 1e-4, engine


def test_int8_is_refused_with_what_serves_it(bundle: Bundle) -> None:
    with pytest.raises(ModelError) as refused:
        make_engine(bundle, ModelSettings(bundle="net-1", engine="openvino", precision="int8"))
    assert refused.value.code == "model.engine_unavailable"
    assert "openvino f32" in refused.value.detail
    card = (bundle.folder / "card.md").read_text()
    assert "There is no openvino-int8: its deformable convolutions" in card
    assert f"weights of SHA-256 {WEIGHTS}" in card


def test_a_network_whose_structure_is_not_learnt_to_the_end_is_not_exported(tmp_path: Path) -> None:
    half = checkpoint(tmp_path / "half.pt", "condensenet-v2-a", settled=False)
    with pytest.raises(ModelError, match="ended before its structure was settled") as refused:
        read_trained(half, None, Fallback(None, TABLE, SMALL))
    assert refused.value.code == "model.export_failed"
    assert read_trained(checkpoint(tmp_path / "whole.pt", "condensenet-v2-a"), None, Fallback(None, TABLE, SMALL))
