"""A bundle is used only when every file is the one that its manifest names, and what it says of itself holds."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.manifest import ARTEFACT_FILES, load_bundle, write_manifest
from models.weights import SHIPPED, bundle_folder
from station.core.errors import ModelError
from station.core.geometry import Geometry
from tests.bundles import sealed
from tests.screeners import make_pair


def make_bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.xml").write_bytes(b"<net/>")
    (folder / "model.bin").write_bytes(bytes(range(64)))
    return sealed(folder).folder


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    change(document)
    (folder / "manifest.json").write_text(json.dumps(document))


def test_a_sound_bundle_is_loaded_and_named_by_its_manifests_hash(tmp_path: Path) -> None:
    bundle = load_bundle(make_bundle(tmp_path / "tiny-1"))
    assert bundle.manifest.classes == ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
    assert bundle.identity.name == "tiny-1"
    assert bundle.read("model.bin") == bytes(range(64))
    before = bundle.identity.sha256
    edit_manifest(bundle.folder, lambda document: document.update(licence="MIT"))
    assert load_bundle(bundle.folder).identity.sha256 != before


def test_a_missing_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere") as caught:
        load_bundle(tmp_path / "nowhere")
    assert caught.value.code == "model.missing"


@pytest.mark.parametrize("name", ["manifest.json", "model.xml", "model.bin"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.missing"


@pytest.mark.parametrize("name", ["model.xml", "model.bin"])
def test_one_changed_byte_is_another_hash(tmp_path: Path, name: str) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    content = bytearray((folder / name).read_bytes())
    content[3] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=name) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.wrong_hash"


def test_a_file_that_changes_after_the_check_is_not_used(tmp_path: Path) -> None:
    bundle = load_bundle(make_bundle(tmp_path / "tiny-1"))
    (bundle.folder / "model.bin").write_bytes(b"another")
    with pytest.raises(ModelError, match=r"model\.bin") as caught:
        bundle.read("model.bin")
    assert caught.value.code == "model.wrong_hash"


REFERENCE = {"source": "none", "patches": 300, "seed": 1}
CALIBRATED = {"types": {"tiny": {"parts": 19, "source": "none", "measured_by": "openvino f32"}}}
BAD_MANIFESTS: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("one class", lambda d: d.update(classes=["defect_free"]), "classes"),
    ("a class twice", lambda d: d["classes"].append("pits"), "pits is named twice"),
    ("a class that is no identifier", lambda d: d["classes"].__setitem__(2, "rolled-in scale"), "classes.2"),
    ("no passing class", lambda d: d.pop("passing"), "passing"),
    ("passing is none of them", lambda d: d.update(passing="good"), "good is none of the classes defect_free"),
    ("no geometry", lambda d: d.pop("geometry"), "geometry"),
    ("no whole blocks", lambda d: d["geometry"].update(lines_per_block=450), "no whole number of blocks"),
    ("spread lines", lambda d: d["geometry"].update(lines_per_block=224), "no whole rows of a patch of 256 px"),
    ("unknown key", lambda d: d.update(colour="red"), "colour"),
    ("missing key", lambda d: d.pop("licence"), "licence"),
    ("other format", lambda d: d.update(format=1), "format"),
    ("other interpolation", lambda d: d["geometry"].update(interpolation="INTER_LINEAR"), "geometry.interpolation"),
    ("input of format 2", lambda d: d.update(input={"dtype": "uint8"}), "input"),
    ("no hash", lambda d: d["files"].update({"model.bin": "abc"}), "files.model.bin"),
    ("no network file", lambda d: d["files"].pop("model.xml"), "names no model.xml"),
    ("other file", lambda d: d["artefacts"].update(openvino=["model.bin", "model.xml"]), "openvino is model.bin"),
    ("unknown artefact", lambda d: d["artefacts"].update(tensorrt=["model.plan"]), "artefacts.tensorrt"),
    ("no artefact", lambda d: d.update(artefacts={}), "artefacts"),
    ("idle file", lambda d: d["files"].update(notes="0" * 64), "no artefact has notes"),
    ("file elsewhere", lambda d: d["files"].update({"../x": "0" * 64}), "outside the bundle"),
    ("file in a folder", lambda d: d["files"].update({"a/x": "0" * 64}), "outside the bundle"),
    ("zero temperature", lambda d: d.update(temperature=0), "temperature"),
    ("novelty without features", lambda d: d.update(novelty=REFERENCE), "novelty without features"),
    (
        "calibration without novelty",
        lambda d: d.update(features={"name": "all", "length": 8}, calibration=CALIBRATED),
        "calibration without novelty",
    ),
    (
        "novelty without its file",
        lambda d: d.update(features={"name": "all", "length": 8}, novelty=REFERENCE),
        "names no novelty.npz",
    ),
]


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in BAD_MANIFESTS], ids=[row[0] for row in BAD_MANIFESTS])
def test_a_manifest_that_is_not_ours_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    edit_manifest(folder, change)
    with pytest.raises(ModelError, match=said) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_manifest_that_is_no_json_object_is_refused(tmp_path: Path, text: bytes) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"


def test_a_shipped_bundle_is_found_by_name_and_any_other_by_path(tmp_path: Path) -> None:
    assert (bundle_folder(SHIPPED) / "manifest.json").is_file()
    assert bundle_folder(str(tmp_path)) == tmp_path
    assert bundle_folder("no-such-bundle") == Path("no-such-bundle")


def test_the_shipped_bundle_is_sound_small_and_measured() -> None:
    bundle = load_bundle(bundle_folder(SHIPPED))
    assert bundle.manifest.name == SHIPPED
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) < 30_000_000
    assert {path.name for path in bundle.folder.iterdir()} == {"manifest.json", *bundle.manifest.files}
    assert bundle.manifest.artefacts.keys() == ARTEFACT_FILES.keys()
    assert {(one.engine, one.precision) for one in bundle.manifest.parity} == {
        ("openvino", "f32"), ("openvino", "bf16"), ("openvino", "int8"), ("onnxruntime", "f32")
    }  # fmt: skip
    assert not any(one.changed_parts for one in bundle.manifest.parity)
    figures = bundle.manifest.figures
    assert figures is not None
    assert figures.parts >= 100


def test_an_artefact_is_read_in_the_order_of_its_engine_and_only_if_there_is_one(tmp_path: Path) -> None:
    bundle = load_bundle(make_bundle(tmp_path / "tiny-1"))
    assert bundle.read_artefact("openvino") == (b"<net/>", bytes(range(64)))
    with pytest.raises(ModelError, match="no artefact onnx, only openvino") as caught:
        bundle.read_artefact("onnx")
    assert caught.value.code == "model.missing"


def as_format_4(document: dict[str, Any]) -> None:
    del document["screener"]
    document["format"] = 4


def as_format_3(document: dict[str, Any]) -> None:
    as_format_4(document)
    for name in ("features", "novelty", "calibration", "promise"):
        del document[name]
    document["format"] = 3


def test_a_manifest_of_format_4_is_read_as_that_of_a_network_that_judges_every_patch(tmp_path: Path) -> None:
    now = load_bundle(make_bundle(tmp_path / "tiny-1"))
    edit_manifest(now.folder, as_format_4)
    found = load_bundle(now.folder)
    assert found.manifest == now.manifest
    assert found.manifest.screener is None


@pytest.mark.parametrize("as_before", [as_format_3, as_format_4], ids=["3", "4"])
def test_no_earlier_format_knows_of_a_screener(tmp_path: Path, as_before: Callable[[dict[str, Any]], object]) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    edit_manifest(folder, lambda document: (as_before(document), document.update(screener=None)))
    with pytest.raises(ModelError, match=r"screener: format . does not have it") as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"


def as_format_2(document: dict[str, Any]) -> None:
    as_format_3(document)
    del document["passing"]
    shape = {"dtype": "uint8", "batch": 2, "height": 256, "width": 256, "channels": 1}
    lines = {"blocks": 8, "lines_per_block": 448, "strip_height": 256, "strip_width": 512}
    document.update(format=2, input=shape, geometry=lines | {"interpolation": "INTER_AREA"})


def test_a_manifest_of_format_3_is_read_as_that_of_a_network_that_cannot_tell_unknown_parts(tmp_path: Path) -> None:
    now = load_bundle(make_bundle(tmp_path / "tiny-1"))
    edit_manifest(now.folder, as_format_3)
    found = load_bundle(now.folder)
    assert found.manifest == now.manifest
    assert (found.manifest.features, found.manifest.novelty, found.manifest.calibration) == (None, None, None)


@pytest.mark.parametrize("name", ["features", "novelty", "calibration", "promise"])
def test_format_3_knows_nothing_of_what_came_with_format_4(tmp_path: Path, name: str) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    edit_manifest(folder, lambda document: (as_format_3(document), document.update({name: None})))
    with pytest.raises(ModelError, match=f"{name}: format 3 does not have it") as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"


def test_a_manifest_of_format_2_is_read_as_the_network_of_housings_that_it_was(tmp_path: Path) -> None:
    now = load_bundle(make_bundle(tmp_path / "tiny-1"))
    edit_manifest(now.folder, as_format_2)
    before = (now.folder / "manifest.json").read_bytes()
    found = load_bundle(now.folder)
    assert found.manifest == now.manifest
    assert found.manifest.passing == "defect_free"
    assert found.manifest.layout == Geometry(3584, 448, 256, 2)
    assert found.identity.sha256 == hashlib.sha256(before).hexdigest()
    assert (now.folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["classes"].reverse(), "classes are scratches, roll_marks"),
        (lambda d: d["classes"].__setitem__(2, "rust"), "in format 2 they are defect_free"),
        (lambda d: d["classes"].pop(), "classes are"),
        (lambda d: d["geometry"].update(blocks=4), "geometry is"),
        (lambda d: d["input"].update(dtype="float32"), "input is"),
        (lambda d: d.update(input="uint8"), "input is uint8"),
    ],
)
def test_format_2_knows_no_other_classes_and_no_other_geometry(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    edit_manifest(folder, lambda document: (as_format_2(document), change(document)))
    with pytest.raises(ModelError, match=said) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"


def test_the_shipped_manifest_is_of_format_2_and_is_left_so() -> None:
    text = (bundle_folder(SHIPPED) / "manifest.json").read_bytes()
    assert json.loads(text)["format"] == 2
    assert load_bundle(bundle_folder(SHIPPED)).identity.sha256 == hashlib.sha256(text).hexdigest()


def test_classes_and_geometry_of_any_kind_come_back_as_they_were_written(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "tiny-1")
    other = {"lines_per_turn": 1024, "lines_per_block": 256, "patch_px": 128, "patches_per_strip": 3}
    edit_manifest(folder, lambda d: d.update(classes=["crack", "good", "dent"], passing="good", geometry=other))
    found = load_bundle(folder).manifest
    assert (found.classes, found.passing, found.layout) == (
        ("crack", "good", "dent"), "good", Geometry(1024, 256, 128, 3)
    )  # fmt: skip
    write_manifest(folder, found)
    assert load_bundle(folder).manifest == found


BAD_SCREENERS: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("other classes", lambda d: d["screener"].update(classes=["defect_free", "pits"]), "screener.classes is"),
    ("other order", lambda d: d["screener"]["classes"].reverse(), "screener.classes is"),
    ("other geometry", lambda d: d["screener"]["geometry"].update(patches_per_strip=4), "screener.geometry is"),
    ("other preprocessing", lambda d: d["screener"].update(normalisation="pixel/127.5"), "screener.normalisation is"),
    ("other file", lambda d: d["screener"]["artefacts"].update(openvino=["model.xml", "model.bin"]), "openvino is"),
    ("no file", lambda d: d["files"].pop("screener.bin"), "names no screener.bin"),
    ("proof of another screener", lambda d: d["screener"]["proofs"][0]["files"].update({"screener.bin": "0" * 64}),
     "openvino f32 was proven with another screener.bin"),
    ("proof of another network", lambda d: d["screener"]["proofs"][1]["files"].update({"int8.bin": "0" * 64}),
     "openvino int8 was proven with another int8.bin"),
    ("a proof twice", lambda d: d["screener"]["proofs"].append(d["screener"]["proofs"][0]), "two proofs"),
    ("passes from a half on", lambda d: d["screener"]["proofs"][0].update(threshold=0.5), "threshold"),
    ("novelty of one alone",
     lambda d: (d["screener"].update(features={"name": "all", "length": 8}, novelty="screener-novelty.npz"),
                d["files"].update({"screener-novelty.npz": "0" * 64})), "by both networks or by none"),
    ("novelty without features", lambda d: d["screener"].update(novelty="screener-novelty.npz"), "without features"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in BAD_SCREENERS], ids=[row[0] for row in BAD_SCREENERS])
def test_a_screener_that_does_not_fit_its_network_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    folder = make_pair(tmp_path / "pair-1").folder
    edit_manifest(folder, change)
    with pytest.raises(ModelError, match=said) as caught:
        load_bundle(folder)
    assert caught.value.code == "model.bad_manifest"
