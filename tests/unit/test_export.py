"""Every artefact of a bundle answers as the torch network does; needs the training packages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train`")
pytest.importorskip("nncf", reason="nncf is in the extra `train`")
pytest.importorskip("onnxscript", reason="onnxscript is in the extra `train`")

from models.dataset.patches import cut  # noqa: E402
from models.dataset.store import read_data  # noqa: E402
from models.engines import make_engine  # noqa: E402
from models.errors import TrainingError  # noqa: E402
from models.manifest import GRAPH, load_bundle  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.novelty.file import read_trained as read_trained_hashes  # noqa: E402
from models.novelty.learnt import draw_training  # noqa: E402
from models.release.card import card_text  # noqa: E402
from models.release.export import (  # noqa: E402
    Choices,
    Fallback,
    Trained,
    export_bundle,
    fitted_temperature,
    judge_golden,
    read_trained,
)
from models.release.gate import Terms, judge_candidate  # noqa: E402
from models.release.golden import read_golden  # noqa: E402
from models.release.graphs import ScoringGraph, rounded, to_openvino  # noqa: E402
from models.release.outputs import probabilities_alone  # noqa: E402
from models.release.pictures import Draw, Pictures, read_pictures  # noqa: E402
from models.release.quantise import RECIPES, calibration_strips, quantise, recipes_named  # noqa: E402
from models.release.runners import open_variants  # noqa: E402
from models.release.without_masks import WithoutMasks  # noqa: E402
from models.release.yardstick import Yardstick  # noqa: E402
from models.training.checkpoint import describe, write_checkpoint  # noqa: E402
from models.training.data import DataOrigin  # noqa: E402
from models.training.plan import make_plan  # noqa: E402
from station.core.errors import ConfigError, ModelError  # noqa: E402
from station.core.geometry import Geometry  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402
from tests.bundles import make_grey_bundle  # noqa: E402
from tests.plants import made, record  # noqa: E402
from tests.unit.grey_recordings import as_they_are, forget_masks, make_recording, truth_in_any_light  # noqa: E402
from tests.unit.housings import CLASSES, GEOMETRY, MEANING, TABLE, S  # noqa: E402

pytestmark = pytest.mark.training

ORIGIN = DataOrigin("a" * 64, "rendered", CLASSES, CLASSES[0], GEOMETRY, 256, 256, 2, 32)
FALLBACK = Fallback(None, TABLE, GEOMETRY)


def network() -> Any:
    """An untrained Inception-CNN with statistics as after a training."""
    torch.manual_seed(1)
    made = NETWORKS["inception-cnn"].make(5, 256, 256).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return made


def checkpoint(path: Path, origin: DataOrigin = ORIGIN, **changes: Any) -> Path:
    plan = make_plan(network="inception-cnn", phases=[{"epochs": 3}], items_per_epoch=16, seed=7)
    document = describe(plan, origin) | {"state": network().state_dict(), "epochs_done": 2, "history": []}
    write_checkpoint(path, document | changes)
    return path


def choices(recipe: str = "all") -> Choices:
    return Choices(3, "Apache-2.0", recipes_named(recipe), 0.5, 1, ())


def pictures_of(parts: Path) -> Pictures:
    return read_pictures(parts, Draw(72, 80, 1), MEANING, GEOMETRY)


def strips(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (count, 256, 256), np.uint8)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    parts = make_recording(folder / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    golden = read_golden(
        [make_recording(folder / "golden", as_they_are(S.DEFECT_FREE, S.PITS))], "two parts", MEANING, GEOMETRY
    )
    trained = read_trained(checkpoint(folder / "best.pt"), None, FALLBACK)
    export_bundle(trained, pictures_of(parts), golden, choices(), folder / "bundle-3")
    return folder / "bundle-3"


def test_weights_are_rounded_once_and_the_network_stays_the_same() -> None:
    before, after = network(), rounded(network())
    for value in after.state_dict().values():
        if value.is_floating_point():
            assert torch.equal(value, value.half().float())
    pixels = torch.from_numpy(strips(2)).unsqueeze(1) / 255
    with torch.inference_mode():
        assert torch.allclose(before(pixels), after(pixels), atol=0.02, rtol=0.02)


def test_every_artefact_answers_as_the_torch_network(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    reference = NETWORKS["inception-cnn"].make(5, 256, 256).eval()
    reference.load_state_dict(torch.load(bundle / "network.pt", weights_only=True))
    patches = strips(8)
    with torch.inference_mode():
        wanted = ScoringGraph(reference.float(), loaded.manifest.temperature)(torch.from_numpy(patches))[0].numpy()
    assert {("openvino", "f32"), ("openvino", "int8"), ("onnxruntime", "f32")} <= set(open_variants(loaded))
    limits = {"f32": 1e-5, "bf16": 0.05, "int8": 0.05}
    for (_engine, precision), scorer in open_variants(loaded).items():
        assert np.abs(scorer.score(patches) - wanted).max() < limits[precision]


def test_the_int8_artefact_is_quantised(bundle: Path) -> None:
    assert (bundle / "int8.xml").read_text().count('type="FakeQuantize"') > 20
    assert (bundle / "int8.bin").stat().st_size < 0.6 * (bundle / "model.bin").stat().st_size


def test_bright_grey_values_are_told_apart_in_int8_though_most_patches_are_dark(bundle: Path) -> None:
    flat = np.stack([np.full((256, 256), grey, np.uint8) for grey in (200, 215, 230, 245)])
    scored = open_variants(load_bundle(bundle))["openvino", "int8"].score(flat)
    assert len(np.unique(scored, axis=0)) == len(flat)


def test_the_manifest_says_where_the_network_comes_from(bundle: Path) -> None:
    manifest = load_bundle(bundle).manifest
    assert (manifest.name, manifest.version, manifest.network) == ("bundle-3", 3, "inception-cnn")
    assert (manifest.data.sha256, manifest.data.epochs, manifest.data.patches_per_epoch) == ("a" * 64, 2, 16)
    assert manifest.quantisation is not None
    assert manifest.quantisation.over_exposed == manifest.quantisation.under_exposed == round(38 * 0.1)
    assert {one.source for one in manifest.parity} == {"two parts"}
    assert manifest.figures is not None
    assert manifest.figures.parts == 2
    assert set(manifest.files) == {path.name for path in bundle.iterdir()} - {"manifest.json"}
    assert manifest.tools.keys() >= {"torch", "openvino", "nncf"}


def test_a_bundle_that_is_there_is_not_touched(bundle: Path, tmp_path: Path) -> None:
    before = (bundle / "manifest.json").read_bytes()
    golden = read_golden([make_recording(tmp_path / "golden", as_they_are(S.PITS))], None, MEANING, GEOMETRY)
    trained = Trained(network(), "inception-cnn", MEANING, GEOMETRY, load_bundle(bundle).manifest.data)
    parts = make_recording(tmp_path / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    with pytest.raises(ModelError) as caught:
        export_bundle(trained, pictures_of(parts), golden, choices(), bundle)
    assert caught.value.code == "model.exists"
    assert (bundle / "manifest.json").read_bytes() == before


def test_weights_that_16_bits_cannot_hold_leave_no_bundle(bundle: Path, tmp_path: Path) -> None:
    broken = network()
    with torch.no_grad():
        broken.head[0].weight[0, 0] = 1e6
    golden = read_golden([make_recording(tmp_path / "golden", as_they_are(S.PITS))], None, MEANING, GEOMETRY)
    parts = make_recording(tmp_path / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    trained = Trained(broken, "inception-cnn", MEANING, GEOMETRY, load_bundle(bundle).manifest.data)
    with pytest.raises(ModelError, match=r"head\.0\.weight") as caught:
        export_bundle(trained, pictures_of(parts), golden, choices(), tmp_path / "new-1")
    assert caught.value.code == "model.export_failed"
    assert not list(tmp_path.glob("*new-1*"))


def test_a_checkpoint_of_images_that_are_no_patches_is_refused(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "whole.pt", replace(ORIGIN, geometry=None, width=128),
                       state=NETWORKS["inception-cnn"].make(5, 256, 128).state_dict())  # fmt: skip
    with pytest.raises(ModelError, match="trained on images of 256x128, and a patch is 256 px"):
        read_trained(whole, None, FALLBACK)


def test_the_class_that_passes_is_said_by_the_data_set_the_person_or_the_table(tmp_path: Path) -> None:
    told = checkpoint(tmp_path / "told.pt", replace(ORIGIN, classes=CLASSES[::-1]))
    trained = read_trained(told, None, FALLBACK)
    assert (trained.meaning.outputs.names, trained.meaning.passing) == (CLASSES[::-1], 4)
    assert trained.meaning.table == TABLE
    strangers = ("crack", "dent", "good", "hole", "rust")
    silent = checkpoint(tmp_path / "silent.pt", replace(ORIGIN, classes=strangers, passing=None, geometry=None))
    with pytest.raises(ModelError, match="nobody says which of them passes"):
        read_trained(silent, None, FALLBACK)
    with pytest.raises(ModelError, match="fine is none of them"):
        read_trained(silent, None, replace(FALLBACK, passing="fine"))
    named = read_trained(silent, None, replace(FALLBACK, passing="good", geometry=Geometry(1024, 256, 256, 2)))
    assert (named.meaning.passing, named.meaning.table.names) == (2, strangers)
    assert named.geometry == Geometry(1024, 256, 256, 2)
    odd = checkpoint(tmp_path / "odd.pt", replace(ORIGIN, classes=("a", "b", "c", "d", "rolled-in_scale"), passing="a"))
    with pytest.raises(ModelError, match=r"rolled-in_scale: .*small letters"):
        read_trained(odd, None, FALLBACK)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    other = NETWORKS["baseline-cnn"].make(5, 256, 256).state_dict()
    with pytest.raises(TrainingError) as caught:
        read_trained(checkpoint(tmp_path / "other.pt", state=other), None, FALLBACK)
    assert caught.value.code == "training.bad_checkpoint"


def test_a_fifth_of_the_calibration_is_exposed_wrongly() -> None:
    grey = np.full((101, 256, 256), 100, np.uint8)
    made, over, under = calibration_strips(grey, 1, 2)
    means = np.concatenate(made).mean(axis=(1, 2))
    assert len(means) == 100
    assert (over, under) == (10, 10)
    assert ((means > 110).sum(), (means < 90).sum(), (means == 100).sum()) == (10, 10, 80)


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="auto, all, wide-head, wide-ends"):
        recipes_named("magic")
    assert [recipe.name for recipe in recipes_named("auto")] == list(RECIPES)


def test_the_gate_takes_an_exported_bundle(bundle: Path, tmp_path: Path) -> None:
    golden = make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE, S.PITS))
    terms = Terms("openvino", "int8", TABLE, 0.2, 1.0, truth_in_any_light)
    report = judge_candidate(bundle, load_bundle(bundle), [golden], [], terms)
    assert {refusal.check for refusal in report.refusals} <= {"golden", "parity"}
    assert report.measured is not None


def test_parts_without_masks_give_parity_and_figures_of_parts_and_none_of_patches(tmp_path: Path) -> None:
    folder = forget_masks(make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE, S.PITS)))
    ways = WithoutMasks(
        cutter_of=lambda geometry: lambda image, _scan: np.ascontiguousarray(cut(image, 0, 64, geometry), np.uint8)
    )
    loaded = load_bundle(make_grey_bundle(tmp_path / "grey-1"))
    reference = ScoringGraph(rounded(network()), 1.0)
    golden = read_golden([folder], "two real parts", MEANING, GEOMETRY, ways)
    yardstick = Yardstick.ask(reference, golden, MEANING, GEOMETRY, 0.5)
    parity, figures = judge_golden(loaded, yardstick)
    assert {(one.parts, one.source) for one in parity} == {(2, "two real parts")}
    assert (figures.parts, figures.defective_parts, figures.patches) == (2, 1, 0)
    text = card_text(loaded.manifest.model_copy(update={"figures": figures}))
    assert "Not measured, no masks: patches judged rightly." in text


def test_without_a_patch_of_a_known_defect_no_temperature_is_fitted(tmp_path: Path) -> None:
    parts = make_recording(tmp_path / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    drawn = pictures_of(parts)
    none = replace(drawn, validation=drawn.validation[:0], labels=drawn.labels[:0])
    graph = ov.Core().read_model(make_grey_bundle(tmp_path / "grey-1") / GRAPH)
    assert fitted_temperature(graph, none, 0) == 1.0


def features_of_every_artefact(bundle: Path, patches: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    loaded, found = load_bundle(bundle), {}
    for engine, precision in {*open_variants(loaded), ("torch", "f32")}:
        network = make_engine(loaded, ModelSettings(bundle="bundle-3", engine=engine, precision=precision))
        answers = [network.answer(patches[at : at + 2]).features for at in range(0, len(patches), 2)]
        found[engine, precision] = np.concatenate([answer for answer in answers if answer is not None])
    return found


def test_every_artefact_tells_the_same_features(bundle: Path) -> None:
    manifest = load_bundle(bundle).manifest
    assert manifest.features is not None
    greys = np.linspace(60, 220, 8).astype(np.uint8)  # as the patches that INT8 was calibrated with
    found = features_of_every_artefact(bundle, np.repeat(greys, 256 * 256).reshape(8, 256, 256))
    assert {("openvino", "f32"), ("openvino", "int8"), ("onnxruntime", "f32"), ("torch", "f32")} <= set(found)
    wanted = found["torch", "f32"]
    assert wanted.shape == (8, manifest.features.length)
    off = {choice: np.abs(features - wanted).mean() / np.abs(wanted).mean() for choice, features in found.items()}
    limits = {"f32": 1e-4, "bf16": 0.05, "int8": 0.5}  # untrained: of the shipped network INT8 is 0.03 off
    assert {choice: share for choice, share in off.items() if share > limits[choice[1]]} == {}


def answers_of(graph: Any, patches: np.ndarray) -> list[np.ndarray]:
    request = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    return [np.array(request.infer({0: patches[at : at + 2]})[0]) for at in range(0, len(patches), 2)]


@pytest.mark.usefixtures("bundle")  # torch's exporter keeps threads for ever, once it was used
def test_probabilities_are_bit_for_bit_the_same_with_features_and_without() -> None:
    both = to_openvino(rounded(network()), 1.5, GEOMETRY)
    alone = probabilities_alone(both)
    patches = strips(12)
    calibration, _over, _under = calibration_strips(strips(40, 2), 1, 2)
    assert (len(both.outputs), len(alone.outputs)) == (2, 1)
    np.testing.assert_array_equal(answers_of(both, patches), answers_of(alone, patches))
    small = [quantise(graph, calibration, RECIPES["all"]) for graph in (both, alone)]
    assert [len(graph.outputs) for graph in small] == [2, 1]
    np.testing.assert_array_equal(answers_of(small[0], patches), answers_of(small[1], patches))


@pytest.mark.usefixtures("bundle")  # torch's exporter keeps threads for ever, once it was used
def test_a_bundle_of_a_data_set_tells_what_was_trained_on(tmp_path: Path) -> None:
    turned = {f"G{number}": "defect_free" for number in range(14)} | {f"P{number}": "pits" for number in range(8)}
    made(tmp_path / "data", "--from", record(tmp_path / "turned", turned), "--split", "80/20/0")
    parts = make_recording(tmp_path / "parts", as_they_are(S.DEFECT_FREE, S.PITS))
    training = draw_training(tmp_path / "data", 200, 1)
    assert training is not None
    assert draw_training(parts, 200, 1) is None
    golden = read_golden([parts], "parts", MEANING, GEOMETRY)
    trained = read_trained(checkpoint(tmp_path / "best.pt"), None, FALLBACK)
    pictures = read_pictures(tmp_path / "data", Draw(100, 32, 1), MEANING, GEOMETRY)
    manifest = export_bundle(trained, pictures, golden, choices(), tmp_path / "bundle-3", training)
    assert manifest.novelty is not None
    assert (manifest.novelty.source, manifest.novelty.patches) == ("data", len(training.patches))
    loaded = load_bundle(tmp_path / "bundle-3")
    hashes = {file.sha256 for file in read_data(tmp_path / "data").manifest.files if file.split == "train"}
    assert read_trained_hashes(loaded).tolist() == sorted(int(sha256[:16], 16) for sha256 in hashes)
    known = make_engine(loaded, ModelSettings(bundle="bundle-3", precision="int8")).known
    assert known is not None
    assert set(known.prototypes.classes) <= {"", *CLASSES}
    assert "It cannot tell them" not in (tmp_path / "bundle-3" / "card.md").read_text()
