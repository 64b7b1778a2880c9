"""A screener passes only what it is sure of; whatever else there is, the network judges as if it were alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.engines import make_engine
from models.engines.classifier import BundleClassifier
from models.engines.processor import instruction_set
from models.engines.screening import Screening
from models.manifest import Bundle
from models.screening.demands import LEAST_PARTS, measured_by, proven_threshold, require_proven_type
from station.core.errors import ModelError
from station.core.novelty.known import KnownSurfaces, Prototypes, Whitened, unlikeness
from station.core.part import Answer, Pixels, Screened
from station.core.settings import ModelSettings
from tests.bundles import GREYS
from tests.screeners import PROVEN, THRESHOLD, make_pair
from tests.unit.housings import S

GOOD, PALE, PIT = GREYS[S.DEFECT_FREE], GREYS[S.DEFECT_FREE] + 18, GREYS[S.PITS]
"""Greys of patches that the screener is sure of, that it is not, and that are a defect."""


def settings(precision: str = "int8", **more: Any) -> ModelSettings:
    return ModelSettings.model_validate({"bundle": "pair-1", "precision": precision, "threads": 1, **more})


def strip(*greys: int) -> Pixels:
    return np.stack([np.full((256, 256), grey, np.uint8) for grey in greys])


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_pair(tmp_path / "pair-1")


@pytest.fixture
def pair(bundle: Bundle) -> BundleClassifier:
    network = make_engine(bundle, settings())
    network.warm_up()
    return network


@pytest.fixture
def full(bundle: Bundle) -> BundleClassifier:
    return make_engine(bundle, settings(screener=False))


@pytest.mark.parametrize(
    ("greys", "alone"),
    [
        ((GOOD, GOOD), (True, True)),
        ((GOOD, PIT), (True, False)),
        ((PIT, GOOD), (False, True)),
        ((PALE, GOOD), (False, True)),
        ((PALE, PIT), (False, False)),
    ],
)
def test_what_the_screener_is_not_sure_of_is_the_networks_own_answer(
    pair: BundleClassifier, full: BundleClassifier, greys: tuple[int, int], alone: tuple[bool, bool]
) -> None:
    found, own = pair.answer(strip(*greys)), full.answer(strip(*greys))
    assert found.screened is not None
    assert tuple(found.screened.patches) == alone
    for row, judged_alone in enumerate(alone):
        if not judged_alone:
            assert found.probabilities[row].tobytes() == own.probabilities[row].tobytes()
        else:
            assert found.probabilities[row, 0] >= THRESHOLD
    assert own.screened is None
    assert pair.in_full(strip(*greys)).probabilities.tobytes() == own.probabilities.tobytes()


def test_the_network_is_not_asked_where_the_screener_is_sure(
    pair: BundleClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object) -> Answer:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(Screening, "judge_alone", never)
    assert pair.answer(strip(GOOD, GOOD)).probabilities[:, 0].min() >= THRESHOLD


def test_a_defect_that_the_screener_takes_for_good_is_what_a_proof_is_for(tmp_path: Path) -> None:
    blind = GREYS | {S.DEFECT_FREE: PIT, S.PITS: 20}
    found = make_engine(make_pair(tmp_path / "pair-1", screens=blind), settings()).answer(strip(PIT, PIT))
    assert found.probabilities.argmax(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize("neighbour", [GOOD, PALE, PIT, 255])
def test_what_becomes_of_a_patch_does_not_depend_on_its_neighbour(pair: BundleClassifier, neighbour: int) -> None:
    for grey in (GOOD, PALE, PIT):
        alone, beside = pair.answer(strip(grey, grey)), pair.answer(strip(grey, neighbour))
        assert alone.probabilities[0].tobytes() == beside.probabilities[0].tobytes()


def test_a_screener_whose_answer_is_no_number_is_an_error(
    pair: BundleClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Answer(np.full((2, 5), np.nan, np.float32), None)
    assert pair.screening is not None
    monkeypatch.setattr(pair.screening.screener, "_compute", lambda _patches: broken)
    with pytest.raises(ModelError) as caught:
        pair.answer(strip(GOOD, GOOD))
    assert caught.value.code == "model.bad_scores"


# ---------------------------------------------------------------------- unknown surfaces


def known_space(values: int) -> Whitened:
    return Whitened(np.zeros(values, np.float32), np.eye(values, dtype=np.float32), 1.0)


def test_where_the_screener_judged_alone_its_own_distance_counts_and_elsewhere_the_networks() -> None:
    values = 24 + 3
    known = KnownSurfaces(known_space(values), Prototypes(np.zeros((1, values)), np.zeros((1, 4, 4), np.uint8), ("",)))
    patches, features = strip(GOOD, PIT), np.array([[np.nan] * 3, [30.0, 0.0, 0.0]], np.float32)
    screened = Screened(np.array([True, False]), np.array([0.25, 9.0], np.float32))
    scores = unlikeness(patches, Answer(np.zeros((2, 5), np.float32), features, screened), known)
    assert scores is not None
    assert scores[0] == np.float32(0.25)
    assert scores[1] == known.scores(patches[1:], features[1:])[0]


def test_what_nobody_tells_is_not_made_up() -> None:
    values = 24 + 3
    known = KnownSurfaces(known_space(values), Prototypes(np.zeros((1, values)), np.zeros((1, 4, 4), np.uint8), ("",)))
    rows = np.zeros((2, 5), np.float32)
    some, unlike = np.array([True, False]), np.zeros(2, np.float32)
    assert unlikeness(strip(GOOD, PIT), Answer(rows, None, Screened(some, unlike)), known) is None
    assert unlikeness(strip(GOOD, PIT), Answer(rows, None, Screened(~some | some, None)), known) is None
    assert unlikeness(strip(GOOD, PIT), Answer(rows, None, Screened(~some | some, unlike)), None) is None
    assert unlikeness(strip(GOOD, PIT), Answer(rows, None), known) is None
    all_sure = unlikeness(strip(GOOD, GOOD), Answer(rows, None, Screened(~some | some, unlike)), known)
    assert all_sure is not None
    assert all_sure.tolist() == [0, 0]


@pytest.mark.parametrize(("unlike", "sure"), [(0.5, 2), (1.0, 2), (1.01, 0), (float("nan"), 0)])
def test_a_surface_farther_than_known_ones_is_never_passed_by_the_screener_alone(
    pair: BundleClassifier, monkeypatch: pytest.MonkeyPatch, unlike: float, sure: int
) -> None:
    distances = np.array([unlike, unlike], np.float32)
    monkeypatch.setattr(Screening, "_unlike", lambda _self, _patches, _answer: distances)
    found = pair.answer(strip(GOOD, GOOD))
    assert found.screened is not None
    assert found.screened.patches.sum() == sure


# ---------------------------------------------------------------------- what a station refuses


TOO_FEW = PROVEN.model_copy(update={"parts": {"tiny": LEAST_PARTS - 1}})
UNPROVEN: list[tuple[str, dict[str, Any], str]] = [
    ("too few parts", {"proven": TOO_FEW}, "2994 parts, at least 2995"),
    ("an escape", {"proven": PROVEN.model_copy(update={"passed_alone": 1})}, "1 passed by the screener alone"),
    ("another engine", {"engine": "onnxruntime"}, "no proof for openvino int8, only for onnxruntime"),
]


@pytest.mark.parametrize(("said", "why"), [row[1:] for row in UNPROVEN], ids=[row[0] for row in UNPROVEN])
def test_what_is_not_proven_is_refused_at_the_start_and_the_network_alone_runs(
    tmp_path: Path, said: dict[str, Any], why: str
) -> None:
    bundle = make_pair(tmp_path / "pair-1", **said)
    with pytest.raises(ModelError, match=why) as caught:
        make_engine(bundle, settings())
    assert caught.value.code == "model.screener_unproven"
    assert make_engine(bundle, settings(screener=False)).answer(strip(GOOD, PIT)).screened is None


def test_a_proof_of_another_precision_is_none(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="no proof for openvino bf16, only for openvino f32, openvino int8"):
        proven_threshold(bundle, settings("bf16"))


@pytest.mark.parametrize("isa", ["x86_64 avx2 avx512f avx512_vnni", "x86_64 avx2 avx_vnni", "aarch64 asimd asimddp"])
def test_int8_that_sums_in_32_bits_is_the_same_on_any_processor(tmp_path: Path, isa: str) -> None:
    bundle = make_pair(tmp_path / "pair-1", isa="x86_64 avx2 avx512f avx512_vnni")
    assert proven_threshold(bundle, settings(), isa) == THRESHOLD


def test_int8_that_saturates_is_not_the_int8_that_was_proven(tmp_path: Path) -> None:
    bundle = make_pair(tmp_path / "pair-1", isa="x86_64 avx2 avx512f avx512_vnni")
    assert proven_threshold(bundle, settings("f32"), "x86_64 avx2") == THRESHOLD
    with pytest.raises(ModelError, match="on a processor with avx512_vnni, this one is x86_64 avx2") as caught:
        proven_threshold(bundle, settings(), "x86_64 avx2")
    assert caught.value.code == "model.screener_unproven"


def test_a_part_type_without_a_part_in_the_proof_is_refused(bundle: Bundle) -> None:
    require_proven_type(bundle, settings(), "tiny")
    require_proven_type(bundle, settings(screener=False), "huge")
    with pytest.raises(ModelError, match="proven on parts of tiny, not of huge") as caught:
        require_proven_type(bundle, settings(), "huge")
    assert caught.value.code == "model.screener_unproven"


def test_what_is_measured_of_the_pair_is_not_of_the_network_alone(bundle: Bundle) -> None:
    assert measured_by(bundle, settings()) == "openvino int8, screened"
    assert measured_by(bundle, settings(screener=False)) == "openvino int8"
    assert instruction_set() == make_engine(bundle, settings()).engine.isa
