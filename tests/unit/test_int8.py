"""INT8 beside the network that it is made from: in whatever scale that takes grey values, and not where it is off."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
pytest.importorskip("timm", reason="timm is an extra of training (make test-training)")
pytest.importorskip("nncf", reason="nncf is an extra of training (make test-training)")

from models.engines import make_engine  # noqa: E402 - after the check for torch
from models.manifest import load_bundle  # noqa: E402
from models.networks.backbone import Spread  # noqa: E402
from models.networks.layers import Network  # noqa: E402
from models.release import int8  # noqa: E402
from models.release.card import card_text  # noqa: E402
from models.release.golden import GoldenPictures  # noqa: E402
from models.release.graphs import ScoringGraph, to_openvino  # noqa: E402
from models.release.outputs import probabilities_alone  # noqa: E402
from models.release.pictures import Pictures  # noqa: E402
from models.release.quantise import RECIPES, QuantisationRecipe, quantise, recipes_named  # noqa: E402
from models.release.yardstick import Yardstick  # noqa: E402
from station.core.errors import ModelError  # noqa: E402
from station.core.geometry import Geometry  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402
from tests.bundles import make_grey_bundle  # noqa: E402
from tests.unit.housings import GEOMETRY, MEANING  # noqa: E402

pytestmark = pytest.mark.training

SMALL = Geometry(lines_per_turn=64, lines_per_block=32, patch_px=32, patches_per_strip=1)


class OfGreys(Network):
    """Takes the mean grey value for a class, five of them from dark to bright."""

    described, describes = 1, "the mean grey value"

    def __init__(self, *scale: torch.nn.Module) -> None:
        super().__init__()
        convolution = torch.nn.Conv2d(1, 4, 3, padding=1, bias=False)
        torch.nn.init.constant_(convolution.weight, 1 / 9)
        pooled = (torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        self.features = torch.nn.Sequential(*scale or (torch.nn.Identity(),), convolution, *pooled)
        dense = torch.nn.Linear(4, 5)
        centres = torch.linspace(0.1, 0.9, 5) * (2 if scale else 1) - (1 if scale else 0)
        sharp = 200 / (4 if scale else 1)
        with torch.no_grad():  # -sharp (mean - centre)², but for what all classes have in common
            dense.weight.copy_((2 * sharp * centres / 4)[:, None].repeat(1, 4))
            dense.bias.copy_(-sharp * centres**2)
        self.head = torch.nn.Sequential(dense)


@pytest.fixture(scope="module", autouse=True)
def exporter() -> None:
    """Torch's exporter keeps threads for ever, once it was used."""
    to_openvino(OfGreys().eval(), 1.0, SMALL)


def flat(greys: np.ndarray, side: int = 32) -> np.ndarray:
    """Patches (n, side, side) of one grey value each."""
    return np.repeat(greys.astype(np.uint8), side * side).reshape(-1, side, side)


def answers(graph: ov.Model, patches: np.ndarray) -> np.ndarray:
    request = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    return np.concatenate([np.array(request.infer({0: one[None]})[0]) for one in patches])


@pytest.mark.parametrize("scale", [(), (Spread(),)], ids=["0 to 1", "-1 to 1"])
def test_dark_grey_values_are_told_apart_in_int8_in_either_scale(scale: tuple[torch.nn.Module, ...]) -> None:
    network = OfGreys(*scale).eval()
    graph = to_openvino(network, 1.0, SMALL)
    patches = flat(np.arange(0, 256, 5))
    contrasty = patches.copy()
    contrasty[:, :8, :8], contrasty[:, -8:, -8:] = 0, 255
    small = quantise(graph, [one[None] for one in contrasty], RECIPES["wide-head"])
    wanted, found = (answers(one, patches).argmax(axis=1) for one in (graph, small))
    assert set(wanted.tolist()) == {0, 1, 2, 3, 4}
    assert (wanted != found).sum() <= 1


@pytest.fixture
def being_made(tmp_path: Path) -> tuple[Path, Pictures, Yardstick]:
    """A bundle of the grey values' network, what it is calibrated with, and what it must decide."""
    folder = make_grey_bundle(tmp_path / "grey-1", parity=())
    centres = np.linspace(0.1, 0.9, 5)[:, None] * 255
    patches = flat((centres + np.linspace(-12, 12, 8)).ravel(), GEOMETRY.patch_px)
    pictures = Pictures("flat", "ab" * 32, patches, patches[:0], np.zeros(0, np.int16), GEOMETRY)
    labels = np.repeat(np.arange(5), 8)
    golden = GoldenPictures(patches, labels, "flat pictures")
    yardstick = Yardstick.ask(ScoringGraph(OfGreys().eval(), 1.0), golden, MEANING, GEOMETRY, 0.5)
    return folder, pictures, yardstick


def tried(monkeypatch: pytest.MonkeyPatch, sound: str) -> list[str]:
    """From now on INT8 decides as the network by the recipe of this name, and by every other calls all one class."""
    asked: list[str] = []

    def made(graph: ov.Model, _strips: object, recipe: QuantisationRecipe) -> ov.Model:
        asked.append(recipe.name)
        if recipe.name == sound:
            return graph
        blind = OfGreys().eval()
        with torch.no_grad():
            blind.head[0].weight.zero_()
        return probabilities_alone(to_openvino(blind, 1.0, GEOMETRY))

    monkeypatch.setattr(int8, "quantise", made)
    return asked


def test_recipes_are_tried_until_one_decides_as_the_network(
    being_made: tuple[Path, Pictures, Yardstick], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pictures, yardstick = being_made
    asked = tried(monkeypatch, sound="wide-head")
    graph = probabilities_alone(to_openvino(OfGreys().eval(), 1.0, GEOMETRY))
    manifest = load_bundle(folder).manifest
    made = int8.with_int8(folder, manifest, graph, pictures, yardstick, recipes_named("auto"), 1)
    assert asked == ["all", "wide-head"]
    assert made.left_out is None
    assert made.manifest.quantisation is not None
    assert made.manifest.quantisation.recipe == "wide-head"
    assert load_bundle(folder).manifest == made.manifest


def test_a_bundle_has_no_int8_where_that_decides_otherwise_and_says_why(
    being_made: tuple[Path, Pictures, Yardstick], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pictures, yardstick = being_made
    asked = tried(monkeypatch, sound="none")
    graph = probabilities_alone(to_openvino(OfGreys().eval(), 1.0, GEOMETRY))
    manifest = load_bundle(folder).manifest
    made = int8.with_int8(folder, manifest, graph, pictures, yardstick, recipes_named("auto"), 1)
    assert asked == list(RECIPES)
    assert made.left_out is not None
    assert made.left_out.changed_parts == 32
    assert "openvino-int8" not in made.manifest.artefacts
    assert not (folder / "int8.xml").exists()
    assert not (folder / "int8.bin").exists()
    told = made.manifest.model_copy(update={"parity": (made.left_out,)})
    why = "INT8 decided 32 of 40 pictures of flat pictures otherwise than the network"
    assert why in told.without_int8
    assert why in card_text(told)
    bundle = load_bundle(folder)
    refused = type(bundle)(bundle.folder, told, bundle.identity)
    with pytest.raises(ModelError, match=why) as caught:
        make_engine(refused, ModelSettings(bundle="grey-1", engine="openvino", precision="int8"))
    assert caught.value.code == "model.engine_unavailable"
    assert "openvino f32" in caught.value.detail
