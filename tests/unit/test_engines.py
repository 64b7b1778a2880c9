"""The choice of an engine: what cannot run is refused in words, nothing is imported that was not chosen."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models.engines.openvino as openvino_engine
from models.engines import choices, make_engine
from models.engines.processor import instruction_set, usable_cores
from models.manifest import Bundle, ScanGeometry, load_bundle
from models.weights import SHIPPED, bundle_folder
from station.core.errors import BugError, ModelError
from station.core.geometry import Geometry
from station.core.settings import ModelSettings
from tests.bundles import Weights, sealed, write_onnx, write_openvino
from tests.scoring import scored

ROOT = Path(__file__).parents[2]
EVEN = np.full(5, 0.2, np.float32)
Write = Callable[[Path, Weights, tuple[int, ...]], None]

MAKES: dict[str, Write] = {"openvino": write_openvino, "onnxruntime": write_onnx}


def settings(engine: str = "openvino", precision: str = "f32", **more: Any) -> ModelSettings:
    return ModelSettings.model_validate({"bundle": "small", "engine": engine, "precision": precision, **more})


def small(folder: Path, engine: str, answer: Weights = EVEN, shape: tuple[int, ...] = (2, 256, 256)) -> Bundle:
    MAKES[engine](folder, answer, shape)
    return sealed(folder)


@pytest.mark.parametrize("engine", MAKES)
def test_the_network_of_a_bundle_answers(tmp_path: Path, engine: str) -> None:
    answer = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625], np.float32)
    network = make_engine(small(tmp_path / "small-1", engine, answer), settings(engine))
    scores = scored(network, np.full((2, 256, 256), 7, np.uint8))
    assert np.array_equal(scores, np.stack([answer, answer]))


@pytest.mark.parametrize("engine", MAKES)
@pytest.mark.parametrize(
    ("classes", "geometry"),
    [
        (("crack", "good", "dent"), Geometry(1024, 256, 128, 3)),
        (tuple(f"kind_{number}" for number in range(9)), Geometry(1792, 448, 256, 1)),
        (("bad", "ok"), Geometry(64, 16, 16, 4)),
    ],
    ids=["3 classes", "9 classes", "2 classes"],
)
def test_a_network_of_any_classes_takes_and_answers_what_its_bundle_says(
    tmp_path: Path, engine: str, classes: tuple[str, ...], geometry: Geometry
) -> None:
    last = len(classes) - 1
    answer = np.array([0.5 ** min(column + 1, last) for column in range(len(classes))], np.float32)
    MAKES[engine](tmp_path / "small-1", answer, geometry.patches_shape)
    bundle = sealed(tmp_path / "small-1", classes=classes, geometry=ScanGeometry.of(geometry))
    classifier = make_engine(bundle, settings(engine))
    classifier.warm_up()
    scores = scored(classifier, np.full(geometry.patches_shape, 7, np.uint8))
    assert scores.shape == (geometry.patches_per_strip, len(classes))
    assert np.array_equal(scores, np.tile(answer, (geometry.patches_per_strip, 1)))
    assert (classifier.classes, classifier.geometry) == (classes, geometry)
    with pytest.raises(BugError, match=r"not uint8 \(" + str(geometry.patches_per_strip)):
        scored(classifier, np.zeros((geometry.patches_per_strip + 1, 16, 16), np.uint8))


@pytest.mark.parametrize("engine", MAKES)
def test_a_graph_that_answers_another_number_of_classes_is_refused(tmp_path: Path, engine: str) -> None:
    MAKES[engine](tmp_path / "small-1", EVEN, (2, 256, 256))
    with pytest.raises(ModelError, match="ports") as caught:
        make_engine(sealed(tmp_path / "small-1", classes=("bad", "ok")), settings(engine))
    assert caught.value.code == "model.bad_manifest"


@pytest.mark.parametrize("engine", MAKES)
@pytest.mark.parametrize("answer", [EVEN * np.float32(np.nan), EVEN * 3], ids=["not a number", "sums to more"])
def test_a_network_that_answers_nonsense_is_an_error(tmp_path: Path, engine: str, answer: Weights) -> None:
    classifier = make_engine(small(tmp_path / "small-1", engine, answer), settings(engine))
    with pytest.raises(ModelError) as caught:
        classifier.warm_up()
    assert caught.value.code == "model.bad_scores"


@pytest.mark.parametrize("engine", MAKES)
def test_a_graph_of_other_shapes_is_refused(tmp_path: Path, engine: str) -> None:
    bundle = small(tmp_path / "small-1", engine, EVEN, (4, 256, 256))
    with pytest.raises(ModelError, match="ports") as caught:
        make_engine(bundle, settings(engine))
    assert caught.value.code == "model.bad_manifest"


@pytest.mark.parametrize(("engine", "file"), [("openvino", "model.xml"), ("onnxruntime", "model.onnx")])
def test_a_file_that_is_no_graph_is_an_engine_failure(tmp_path: Path, engine: str, file: str) -> None:
    folder = small(tmp_path / "small-1", engine).folder
    (folder / file).write_text("no graph")
    with pytest.raises(ModelError) as caught:
        make_engine(sealed(folder), settings(engine))
    assert caught.value.code == "model.engine_failed"


@pytest.mark.parametrize(("engine", "file"), [("openvino", "model.bin"), ("onnxruntime", "model.onnx")])
def test_a_file_that_changes_after_the_check_is_not_loaded(tmp_path: Path, engine: str, file: str) -> None:
    bundle = small(tmp_path / "small-1", engine)
    (bundle.folder / file).write_bytes(b"other weights")
    with pytest.raises(ModelError) as caught:
        make_engine(bundle, settings(engine))
    assert caught.value.code == "model.wrong_hash"


@pytest.mark.parametrize(
    ("engine", "precision", "says"),
    [
        ("openvino", "int8", "set model.engine and model.precision to one of: openvino bf16, openvino f32"),
        ("onnxruntime", "f32", r"nothing for onnxruntime in f32 \(artefact onnx\)"),
        ("torch", "f32", r"nothing for torch in f32 \(artefact torch\)"),
        ("onnxruntime", "int8", "does not compute in int8; set model.precision to one of: f32"),
        ("onnxruntime", "bf16", "does not compute in bf16"),
        ("torch", "bf16", "does not compute in bf16"),
    ],
)
def test_what_the_bundle_or_the_engine_does_not_offer_is_refused(
    tmp_path: Path, engine: str, precision: str, says: str
) -> None:
    bundle = small(tmp_path / "small-1", "openvino")
    with pytest.raises(ModelError, match=says) as caught:
        make_engine(bundle, settings(engine, precision))
    assert caught.value.code == "model.engine_unavailable"


def test_the_choices_are_what_the_bundle_has_artefacts_for(tmp_path: Path) -> None:
    folder = tmp_path / "small-1"
    write_openvino(folder, EVEN)
    assert choices(sealed(folder)) == (("openvino", "bf16"), ("openvino", "f32"))
    write_onnx(folder, EVEN)
    assert choices(sealed(folder))[-1] == ("onnxruntime", "f32")


@pytest.mark.parametrize(
    ("engine", "remedy"),
    [
        ("onnxruntime", r"pip install --no-deps --require-hashes -r requirements/run\.txt; or"),
        ("torch", r"-r requirements/run\.txt -r requirements/train\.txt; or"),
    ],
)
def test_an_engine_that_is_not_installed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, remedy: str
) -> None:
    folder = tmp_path / "small-1"
    write_onnx(folder, EVEN)
    (folder / "network.pt").write_bytes(b"weights")
    absent(monkeypatch, engine)
    with pytest.raises(ModelError, match=remedy) as caught:
        make_engine(sealed(folder), settings(engine))
    assert caught.value.code == "model.engine_unavailable"


def absent(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return real(name, *rest)

    for module in [name for name in sys.modules if name.startswith(("models.engines.onnx", "models.engines.torch"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)


def test_a_processor_that_would_compute_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "executed_precision", lambda _compiled: "f32")
    with pytest.raises(ModelError, match="would compute in f32, not in bf16") as caught:
        make_engine(small(tmp_path / "small-1", "openvino"), settings(precision="bf16"))
    assert caught.value.code == "model.engine_unavailable"


LOADS = """
import sys
from station.host.bundles import make_classifier
from station.core.settings import load_settings
from config import bundled

settings = load_settings(bundled("simulate.toml"))
chosen = settings.model.model_copy(update={"bundle": sys.argv[1], "engine": sys.argv[2], "precision": "f32"})
make_classifier(settings.model_copy(update={"model": chosen})).warm_up()
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize(
    ("engine", "foreign"), [("openvino", {"onnxruntime", "torch"}), ("onnxruntime", {"openvino", "torch"})]
)
def test_only_the_chosen_engine_is_imported(tmp_path: Path, engine: str, foreign: set[str]) -> None:
    bundle = small(tmp_path / "small-1", engine)
    ended = subprocess.run(
        [sys.executable, "-c", LOADS, str(bundle.folder), engine],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    imported = set(ended.stdout.split())
    assert engine in imported
    assert not imported & (foreign | {"torchvision", "timm", "nncf", "onnx", "matplotlib", "scipy", "tensorboard"})


def test_a_cache_whose_weights_changed_on_the_disk_is_compiled_anew(tmp_path: Path) -> None:
    bundle = load_bundle(bundle_folder(SHIPPED))
    patches = np.random.default_rng(5).integers(0, 256, (2, 256, 256), np.uint8)
    chosen = settings(threads=1)
    plain = scored(make_engine(bundle, chosen, tmp_path), patches)
    (blob,) = tmp_path.glob("*/*.blob")
    whole = bytearray(blob.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 4096] = bytes(value ^ 0x55 for value in whole[middle : middle + 4096])
    blob.chmod(0o600)
    blob.write_bytes(whole)
    assert np.array_equal(scored(make_engine(bundle, chosen, tmp_path), patches), plain)
    (again,) = tmp_path.glob("*/*.blob")
    assert again.read_bytes() != bytes(whole)


@pytest.mark.parametrize(
    ("text", "isa"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\nflags\t\t: fpu\n", " avx2 avx512f avx512_vnni"),
        ("Features\t: fp asimd asimddp\n", " asimd asimddp"),
        ("", ""),
    ],
)
def test_the_instruction_set_is_what_the_kernel_lists(tmp_path: Path, text: str, isa: str) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(text)
    assert instruction_set(cpu_info) == instruction_set(tmp_path / "none") + isa


def test_there_is_a_core_to_run_on() -> None:
    assert usable_cores() >= 1
