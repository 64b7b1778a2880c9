"""Whole cells for products that are no housings: other classes, places, codes, turns and networks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.engines import openvino
from models.engines.network import BundleNetwork
from station.core.errors import StationError
from tests.cell.fault_bench import Truth
from tests.cell.plc_words import DefectWords
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import (
    BIN,
    CRACK,
    DISC,
    GOOD,
    GOOD_PARTS,
    NINE_CLASSES,
    REVIEW,
    RING,
    RINGS,
    RINGS_AND_SLEEVES,
    SLEEVE,
    STAIN,
)
from tests.cell.products import Shown, make_recording, product

MakeConfig = Callable[..., Path]


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, environment[name])


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the part types whose networks are compiled from now on, each time that one is."""
    compiled: list[str] = []
    compile_model = openvino._compile

    def told(artefact: tuple[bytes, ...], network: BundleNetwork, *arguments: Any) -> Any:
        compiled.append(network.name.partition("-1")[0])
        return compile_model(artefact, network, *arguments)

    monkeypatch.setattr(openvino, "_compile", told)
    return compiled


async def test_three_classes_and_one_bin_for_both_defects_and_review_on_a_turn_of_1792_lines(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    parts = (
        Shown("GOOD", RING, "good", 150),
        Shown("CRACKED", RING, "crack", 190),
        Shown("STAINED", RING, "stain", 150, {5: 100}),
        Shown("DOUBTED", RING, None, 169),
    )
    recording = make_recording(tmp_path / "recording", parts)
    config = make_config(*product(RINGS, (RING,), tmp_path))
    async with product_cell(config, recording, tmp_path) as cell:
        await cell.take_all(len(parts))
    codes = {"GOOD": (GOOD, GOOD_PARTS), "CRACKED": (CRACK, BIN), "STAINED": (STAIN, BIN), "DOUBTED": (REVIEW, BIN)}
    for part_id, (decision, place) in codes.items():
        on_its_way, laid = cell.words.results_of(part_id)
        assert (on_its_way.decision, on_its_way.complement) == (decision, 0xFFFF - decision)
        assert (on_its_way.destination, on_its_way.confirmed) == (place, 0)
        assert (laid.decision, laid.complement, laid.destination, laid.confirmed) == (
            decision, 0xFFFF - decision, place, place,
        )  # fmt: skip
        assert cell.sorted[part_id].decision.probabilities.shape == (8, 3)
    assert cell.places == {"GOOD": "good_parts", "CRACKED": "bin", "STAINED": "bin", "DOUBTED": "bin"}
    records = cell.records()
    assert {part_id: (row["verdict"], row["reason"]) for part_id, row in records.items()} == {
        "GOOD": ("good", None),
        "CRACKED": ("crack", None),
        "STAINED": ("stain", None),
        "DOUBTED": ("review", "part.low_confidence"),
    }
    assert records["DOUBTED"]["algorithm1"] == "good"
    for row in records.values():
        assert (row["lines"]["expected"], row["lines"]["delivered"]) == (1792, 1792)
        assert (row["lines"]["frame_ids"], row["features"]["AcquisitionFrameCount"]) == ([0, 1, 2, 3], 4)
    assert [one.rows for one in cell.words.lists] == [
        (),
        tuple((CRACK, patch) for patch in (1, 2, 3, 4, 5, 6, 7, 8)),
        ((STAIN, 6),),
        (),
    ]
    assert cell.words.lists[2] == DefectWords(records["STAINED"]["number"], 1, ((STAIN, 6),))


class LeftOut(Truth):
    """What truly happens, and which scans the simulated cell cannot use."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: list[tuple[str, str]] = []

    def scan_left_out(self, file: str, error: StationError) -> None:
        self.left_out.append((file, error.detail))


async def test_a_scan_of_another_turn_than_its_type_has_is_left_out_and_told(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    truth, parts = LeftOut(), (Shown("LONG", replace(RING, geometry=SLEEVE.geometry), "good", 150),
                               Shown("GOOD", RING, "good", 150))  # fmt: skip
    recording = make_recording(tmp_path / "recording", parts)
    config = make_config(*product(RINGS, (RING,), tmp_path))
    async with product_cell(config, recording, tmp_path, truth=truth) as cell:
        await cell.take_all(1)
    assert truth.left_out == [("LONG.png", "LONG.png: it has 2048 lines, allowed are 1792")]
    assert cell.places == {"GOOD": "good_parts"}


async def test_nine_classes_are_sorted_into_nine_places_and_what_is_doubtful_into_the_tenth(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    parts = (
        *(Shown(f"OF-{name}", DISC, name, grey) for name, grey in DISC.greys.items()),
        Shown("DOUBTED", DISC, "c1", DISC.greys["c1"] + 10),
    )
    recording = make_recording(tmp_path / "recording", parts)
    config = make_config(*product(NINE_CLASSES, (DISC,), tmp_path))
    async with product_cell(config, recording, tmp_path) as cell:
        await cell.take_all(len(parts))
    assert cell.places == {**{f"OF-c{number}": f"p{number}" for number in range(1, 10)}, "DOUBTED": "p10"}
    told = {result.part_id: (result.decision, result.destination, result.confirmed) for result in cell.words.results}
    assert told == {
        **{f"OF-c{number}": (100 * number, 17 - number, 17 - number) for number in range(1, 10)},
        "DOUBTED": (65534, 7, 7),
    }
    assert all(result.decision + result.complement == 0xFFFF for result in cell.words.results)
    assert {row["verdict"] for row in cell.records().values()} == {*DISC.greys, "review"}


async def test_types_mixed_part_by_part_are_each_judged_by_their_own_network_and_rule(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = counted(monkeypatch)
    parts = (
        Shown("R1", RING, "good", 150),
        Shown("S1", SLEEVE, "good", 90),
        Shown("R2", RING, "crack", 190),
        Shown("S2", SLEEVE, "good", 90, {3: 210, 9: 198}),
        Shown("R3", RING, "stain", 100),
        Shown("S3", SLEEVE, "dent", 90, {15: 210}),
        Shown("R4", RING, "good", 150),
    )
    recording = make_recording(tmp_path / "recording", parts)
    config = make_config(*product(RINGS_AND_SLEEVES, (RING, SLEEVE), tmp_path))
    async with product_cell(config, recording, tmp_path) as cell:
        models = {recipe.part_type.name: recipe.classifier.model for recipe in cell.station.recipes.rows}
        hashes = {recipe.part_type.name: recipe.sha256 for recipe in cell.station.recipes.rows}
        assert sorted(compiled) == ["ring", "sleeve"]
        await cell.take_all(len(parts))
    assert len(compiled) == 2, "a change of the type compiles nothing"
    records = cell.records()
    assert {part_id: row["verdict"] for part_id, row in records.items()} == {
        "R1": "good", "S1": "good", "R2": "crack", "S2": "rust", "R3": "stain", "S3": "dent", "R4": "good",
    }  # fmt: skip
    assert len(set(hashes.values())) == len({model.sha256 for model in models.values()}) == 2
    for part_id, row in records.items():
        kind = RING if part_id.startswith("R") else SLEEVE
        assert (row["recipe"], row["recipe_sha256"]) == (kind.name, hashes[kind.name])
        assert (row["model"], row["model_sha256"]) == (f"{kind.name}-1", models[kind.name].sha256)
        assert row["classes"] == list(kind.greys)
        assert len(row["probabilities"]) == kind.geometry.patches_per_part
        assert row["lines"]["expected"] == kind.geometry.lines_per_turn
    severest = records["S2"]
    assert (severest["rule"], severest["verdict"], severest["algorithm1"]) == ("most_severe", "rust", "dent")
    assert [(one["class"], one["patch"]) for one in severest["defects"]] == [("rust", 9), ("dent", 3)]
    assert severest["confidence"] < severest["defects"][1]["confidence"]
    assert {row["rule"] for part_id, row in records.items() if part_id.startswith("R")} == {"algorithm1"}
    assert cell.words.lists[3].rows == ((41, 10), (51, 4))
    assert cell.places["S2"] == "bin"
