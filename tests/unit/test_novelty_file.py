"""What a bundle says of its training comes back as it was written, and what cannot be used is refused by name."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.chapters import with_chapter
from models.engines import make_engine
from models.manifest import Bundle, hash_files, load_bundle, write_manifest
from models.novelty.calibrate import GoodPart, Measured, enough, write_calibrated
from models.novelty.file import read_calibrations, read_known, read_trained, short_hashes
from models.novelty.words import CANNOT, TITLE, UNMEASURED, chapter
from models.release.card import card_text
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.settings import ModelSettings
from tests.bundles import GREYS, make_grey_bundle
from tests.knowing import LENGTH, make_knowing_bundle
from tests.turned import turned

SMALL = Geometry(256, 64, 64, 2)
SHA256S = ["ab" * 32, "01" * 32]


def patches(count: int, grey: int = 140, seed: int = 1) -> Pixels:
    return np.stack([turned(seed + number, 64, grey, lines=64) for number in range(count)])


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    trained = np.concatenate([patches(40, grey) for grey in GREYS.values()])
    return make_knowing_bundle(tmp_path / "grey-1", GREYS, "defect_free", trained, SMALL, SHA256S)


def settings(precision: str = "int8") -> ModelSettings:
    return ModelSettings.model_validate({"bundle": "grey-1", "precision": precision})


@pytest.mark.parametrize("precision", ["int8", "f32"])
def test_an_engine_answers_features_and_knows_what_was_trained_on(bundle: Bundle, precision: str) -> None:
    network = make_engine(bundle, settings(precision))
    network.warm_up()
    shown = np.stack([patches(1, 140, 900)[0], np.full((64, 64), 3, np.uint8)])
    answer = network.answer(shown)
    assert answer.features is not None
    assert answer.features.shape == (2, LENGTH)
    np.testing.assert_allclose(answer.features[:, 0], shown.mean(axis=(1, 2)), rtol=1e-4)
    assert network.known is not None
    usual, odd = network.known.scores(shown, answer.features)
    assert usual < 2 < odd
    assert network.known.calibrations == {}


def test_an_answer_is_not_changed_by_the_next_one(bundle: Bundle) -> None:
    network = make_engine(bundle, settings())
    first = network.answer(patches(2)).features
    assert first is not None
    kept = first.copy()
    network.answer(patches(2, 200))
    assert np.array_equal(first, kept)


def test_it_remembers_which_scans_were_trained_on(bundle: Bundle) -> None:
    trained = read_trained(bundle)
    assert np.isin(short_hashes([SHA256S[1]]), trained).all()
    assert not np.isin(short_hashes(["02" * 32]), trained).any()
    assert trained.dtype == np.uint64


def test_a_bundle_that_does_not_tell_knows_nothing(tmp_path: Path) -> None:
    plain = load_bundle(make_grey_bundle(tmp_path / "grey-1"))
    assert read_known(plain) is None
    assert read_trained(plain).size == 0
    assert read_calibrations(plain) == {}
    network = make_engine(plain, settings())
    assert network.known is None
    assert network.answer(np.zeros((2, 256, 256), np.uint8)).features is None


def resealed(bundle: Bundle, change: Callable[[dict[str, Any]], object]) -> Bundle:
    """The bundle with other arrays in its reference."""
    with np.load(io.BytesIO(bundle.read("novelty.npz"))) as archive:
        arrays: dict[str, Any] = dict(archive)
    change(arrays)
    np.savez(bundle.folder / "novelty.npz", **arrays)
    return sealed_anew(bundle)


def sealed_anew(bundle: Bundle) -> Bundle:
    write_manifest(bundle.folder, bundle.manifest.model_copy(update={"files": hash_files(bundle.folder)}))
    return load_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: arrays.pop("mean"), "there is no mean"),
        (lambda arrays: arrays.pop("pictures"), "there is no pictures"),
        (
            lambda arrays: arrays.update(mean=np.zeros(7, np.float32)),
            "it is of 7 values a patch; looks and features of this network are 22",
        ),
        (lambda arrays: arrays.update(places=np.array([{"a": 1}], object)), "Object arrays cannot be loaded"),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused(
    bundle: Bundle, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        make_engine(resealed(bundle, change), settings())
    assert caught.value.code == "model.bad_manifest"


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut off"])
def test_a_reference_that_is_no_archive_is_refused(bundle: Bundle, content: bytes) -> None:
    (bundle.folder / "novelty.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"novelty\.npz") as caught:
        read_known(sealed_anew(bundle))
    assert caught.value.code == "model.bad_manifest"


def test_a_reference_that_was_changed_after_the_check_is_not_used(bundle: Bundle) -> None:
    (bundle.folder / "novelty.npz").write_bytes(b"another")
    with pytest.raises(ModelError) as caught:
        make_engine(bundle, settings())
    assert caught.value.code == "model.wrong_hash"


def measured(part_type: str, count: int, source: str = "real parts") -> Measured:
    parts = [GoodPart(part_type, f"{number:064x}", float(count - number)) for number in range(count)]
    return Measured(parts, source, "openvino int8")


def test_a_calibration_comes_back_and_that_of_other_types_stays(bundle: Bundle, tmp_path: Path) -> None:
    write_calibrated(bundle, enough(measured("ring", 19, "rendered"))[0], tmp_path / "once")
    once = load_bundle(tmp_path / "once")
    write_calibrated(once, enough(measured("disc", 30))[0], tmp_path / "twice")
    twice = load_bundle(tmp_path / "twice")
    found = read_calibrations(twice)
    assert {name: len(one.scores) for name, one in found.items()} == {"ring": 19, "disc": 30}
    assert found["disc"].scores == tuple(float(score) for score in range(1, 31))
    assert {one.sha256 for one in found.values()} == {twice.manifest.files["calibration.json"]}
    known = make_engine(twice, settings()).known
    assert known is not None
    assert known.calibrations["ring"].least == 1 / 20
    assert once.manifest.files["novelty.npz"] == twice.manifest.files["novelty.npz"]


def test_of_a_type_with_too_few_parts_nothing_is_promised() -> None:
    both = Measured([*measured("ring", 18).parts, *measured("disc", 19).parts], "x", "y")
    types, few = enough(both)
    assert list(types) == ["disc"]
    assert few == ["ring: 18 good parts, at least 19 are needed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["types"]["ring"]["scores"].reverse(), "are to rise"),
        (lambda d: d["types"]["ring"]["scans"].pop(), "19 scores of 18 scans"),
        (lambda d: d.update(types={}), "types"),
        (lambda d: d.update(format=2), "format"),
    ],
)
def test_a_calibration_that_cannot_be_used_is_refused(
    bundle: Bundle, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    write_calibrated(bundle, enough(measured("ring", 19))[0], tmp_path / "once")
    path = tmp_path / "once" / "calibration.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=words) as caught:
        read_calibrations(sealed_anew(load_manifest_only(tmp_path / "once", bundle)))
    assert caught.value.code == "model.bad_manifest"


def load_manifest_only(folder: Path, bundle: Bundle) -> Bundle:
    """The bundle in a folder whose files are no longer those of its manifest."""
    manifest = type(bundle.manifest).model_validate_json((folder / "manifest.json").read_bytes())
    return Bundle(folder, manifest, bundle.identity)


def test_the_card_says_what_can_be_told_and_keeps_all_else(bundle: Bundle, tmp_path: Path) -> None:
    plain = load_bundle(make_grey_bundle(tmp_path / "plain-1"))
    assert CANNOT in chapter(plain.manifest)
    before = card_text(bundle.manifest)
    assert UNMEASURED in before
    (bundle.folder / "card.md").write_text(f"{before}\n## Figures of ours\n\nkept\n")
    manifest = write_calibrated(sealed_anew(bundle), enough(measured("ring", 99))[0], tmp_path / "once")
    card = (tmp_path / "once" / "card.md").read_text()
    assert card.count(TITLE) == 1
    assert "| ring | 99 | real parts | openvino int8 | 1.00% |" in card
    assert UNMEASURED not in card
    assert card.replace(chapter(manifest), chapter(bundle.manifest)) == f"{before}\n## Figures of ours\n\nkept\n"
    assert with_chapter("# Old\n\ntext\n", chapter(manifest)) == f"# Old\n\ntext\n\n{chapter(manifest)}\n"
