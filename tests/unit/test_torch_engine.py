"""The network in torch answers as the manifest says, and its file is data, never code."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra `train`")

from models.engines import make_engine  # noqa: E402 - after the check for torch
from models.manifest import Bundle  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from station.core.errors import ModelError  # noqa: E402
from station.core.part import Pixels  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402
from tests.bundles import sealed  # noqa: E402
from tests.scoring import scored  # noqa: E402

pytestmark = pytest.mark.training

SETTINGS = ModelSettings(bundle="net-1", engine="torch", precision="f32", threads=1)


def bundle_of(folder: Path, content: bytes, network: str = "inception-cnn", temperature: float = 1.0) -> Bundle:
    folder.mkdir()
    (folder / "network.pt").write_bytes(content)
    return sealed(folder, network=network, temperature=temperature)


def saved(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def network() -> Any:
    torch.manual_seed(3)
    return NETWORKS["inception-cnn"].make(5, 256, 256).eval()


def some_patches() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (2, 256, 256), np.uint8)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_grey_values_are_scaled_and_logits_divided_by_the_temperature(tmp_path: Path, temperature: float) -> None:
    untrained = network()
    engine = make_engine(
        bundle_of(tmp_path / "net-1", saved(untrained.state_dict()), temperature=temperature), SETTINGS
    )
    with torch.inference_mode():
        logits = untrained(torch.from_numpy(some_patches()[:, None] / np.float32(255))).numpy().astype(np.float64)
    expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=1, keepdims=True)
    assert np.allclose(scored(engine, some_patches()), expected, atol=1e-5)


def test_weights_stored_in_16_bits_compute_in_32(tmp_path: Path) -> None:
    state = {
        name: value.half() if value.is_floating_point() else value for name, value in network().state_dict().items()
    }
    widened = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    stored = scored(make_engine(bundle_of(tmp_path / "half-1", saved(state)), SETTINGS), some_patches())
    assert np.array_equal(
        stored, scored(make_engine(bundle_of(tmp_path / "full-1", saved(widened)), SETTINGS), some_patches())
    )


class Code:
    """What a pickle can carry: a call."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("executed",)


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", saved({"features.0.weight": torch.zeros(1)}), saved([1, 2]), saved({"features.0.weight": Code()})],
    ids=["empty", "garbage", "another network's", "no state", "code"],
)
def test_a_file_that_is_not_the_networks_weights_is_refused(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        make_engine(bundle_of(tmp_path / "net-1", content), SETTINGS)
    assert caught.value.code == "model.engine_failed"
    assert "executed" not in capsys.readouterr().out


def test_an_unknown_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unknown network perceptron") as caught:
        make_engine(bundle_of(tmp_path / "net-1", b"", "perceptron"), SETTINGS)
    assert caught.value.code == "model.bad_manifest"
