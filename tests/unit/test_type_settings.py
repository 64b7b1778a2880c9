"""Part types of their own geometry and features: what follows from them, what is refused, and the network they need."""

import json
import tomllib
from dataclasses import asdict
from typing import Any

import pytest

from config import bundled
from station.core.errors import ConfigError, ModelError
from station.core.geometry import Geometry
from station.core.part import ModelIdentity, PartType
from station.core.settings import Settings, parse_settings
from station.host.fit import require_geometry
from tests.turned import GEOMETRY

FINE = {"lines_per_turn": 7168, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}
SHORT = {"lines_per_turn": 1792, "lines_per_block": 224, "patch_px": 128, "patches_per_strip": 4}


def document() -> dict[str, Any]:
    return tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))


def settings(changed: dict[str, Any]) -> Settings:
    return parse_settings(changed, "cell.toml")


def setup_of(changed: dict[str, Any], feature: str) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in changed["camera"]["setup"] if row["feature"] == feature)
    return row


def refusal(changed: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        settings(changed)
    assert refused.value.code == "config.invalid"
    return refused.value.detail


def test_every_length_along_the_turn_follows_from_the_types_own_geometry() -> None:
    changed = document()
    changed["part_types"]["smh_570"]["geometry"] = SHORT
    kinds = {kind.name: kind for kind in settings(changed).known_types}
    usual, short = kinds["smh_385"], kinds["smh_570"]
    assert (usual.geometry, short.geometry) == (GEOMETRY, Geometry(1792, 224, 128, 4))
    assert usual.mm_per_line == pytest.approx(3.14159265 * 18 / 3584)
    assert short.mm_per_line == pytest.approx(3.14159265 * 20 / 1792)
    assert short.line_rate_hz * short.turn_s == pytest.approx(1792)
    assert short.block_s == pytest.approx(short.turn_s / 8)
    recipe = short.recipe
    assert (recipe.line_rate_hz, recipe.lines_per_block, recipe.blocks) == (short.line_rate_hz, 224, 8)


def test_a_type_has_the_stations_geometry_where_it_has_none_of_its_own() -> None:
    changed = document()
    changed["geometry"] = SHORT
    setup_of(changed, "Height")["value"] = 224
    assert {kind.geometry for kind in settings(changed).known_types} == {Geometry(1792, 224, 128, 4)}


def test_a_finer_turn_that_the_camera_cannot_take_so_fast_is_refused_with_its_own_rate() -> None:
    changed = document()
    changed["part_types"]["smh_570"]["geometry"] = FINE
    words = refusal(changed)
    assert "part_types.smh_570: one turn in 0.1963 s needs 36506 lines/s" in words
    assert "lower surface_speed_mm_s" in words


@pytest.mark.parametrize("table", ["geometry", "part_types.smh_570.geometry"])
def test_a_geometry_that_cannot_be_is_refused_where_it_stands(table: str) -> None:
    changed = document()
    where = changed["part_types"]["smh_570"] if "." in table else changed
    where["geometry"] = {**SHORT, "lines_per_block": 225}
    assert f"{table}: 1792 lines a turn are no whole number of blocks of 225 lines" in refusal(changed)


def test_a_set_up_for_other_blocks_than_the_types_have_is_refused() -> None:
    changed = document()
    changed["geometry"] = SHORT
    assert "camera.setup says Height 448, part type smh_385 has blocks of 224 lines" in refusal(changed)
    changed["geometry"] = {**SHORT, "lines_per_turn": 1792, "lines_per_block": 448, "patch_px": 256}
    assert "camera.setup says AcquisitionFrameCount 8, part type smh_385 has turns of 4 blocks" in refusal(changed)


def test_a_camera_that_calls_its_blocks_otherwise_is_checked_by_its_own_names() -> None:
    changed = document()
    changed["camera"]["names"] |= {"lines_per_block": "LinesPerFrame", "blocks_per_turn": "FramesPerTrigger"}
    changed["camera"]["setup"] += [
        {"feature": "LinesPerFrame", "value": 500},
        {"feature": "FramesPerTrigger", "value": 9},
    ]
    words = refusal(changed)
    assert "camera.setup says LinesPerFrame 500" in words
    assert "camera.setup says FramesPerTrigger 9" in words


def test_where_types_differ_the_set_up_says_what_one_of_them_has() -> None:
    changed = document()
    changed["part_types"]["smh_570"]["geometry"] = SHORT
    assert settings(changed).type_named("smh_570").recipe.lines_per_block == 224
    setup_of(changed, "Height")["value"] = 300
    assert "camera.setup says Height 300, part type smh_385 has blocks of 448 lines" in refusal(changed)


def test_features_of_a_type_go_into_its_recipe_in_their_order() -> None:
    changed = document()
    changed["camera"]["setup"].append({"feature": "Gain", "value": 1.0})
    changed["part_types"]["smh_570"]["features"] = [
        {"feature": "Gain", "value": 2.0},
        {"feature": "Gain", "value": 3.0},
    ]
    read = settings(changed)
    assert read.type_named("smh_570").recipe.features == (("Gain", 2.0), ("Gain", 3.0))
    assert read.type_named("smh_385").recipe.features == ()


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("Gain", "Gain is not in camera.setup"),
        ("Height", "Height is what the station itself sets"),
        ("AcquisitionFrameCount", "AcquisitionFrameCount is what the station itself sets"),
        ("ExposureTime", "ExposureTime is what the station itself sets"),
        ("Width", "Width is what the station itself sets"),
    ],
)
def test_a_feature_that_could_not_be_put_back_or_is_the_stations_is_refused(feature: str, words: str) -> None:
    changed = document()
    changed["part_types"]["smh_570"]["features"] = [{"feature": feature, "value": 2}]
    assert f"part_types.smh_570.features: {words}" in refusal(changed)


def test_a_type_is_read_back_from_its_record_as_it_was() -> None:
    kind = PartType("t", 1, 570, 8, 6, 20.0, 320.0, 20.0, Geometry(1792, 224, 128, 4), (("Gain", 2.0), ("On", True)))
    assert PartType.of(json.loads(json.dumps(asdict(kind))), GEOMETRY) == kind


def test_a_record_from_before_geometries_has_the_one_there_was() -> None:
    old = {
        "name": "t", "code": 1, "width_px": 570, "width_tolerance_px": 8, "edge_wander_px": 6,
        "outer_diameter_mm": 20.0, "surface_speed_mm_s": 320.0, "exposure_us": 20.0,
    }  # fmt: skip
    assert PartType.of(old, GEOMETRY) == PartType("t", 1, 570, 8, 6, 20.0, 320.0, 20.0, GEOMETRY)


class MadeFor:
    """A network that was made for a geometry."""

    model = ModelIdentity("made-for", "0" * 64)

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry


def test_a_network_must_be_made_for_every_types_geometry() -> None:
    changed = document()
    require_geometry(settings(changed).type_named("smh_570").geometry, GEOMETRY, "made-for")
    changed["part_types"]["smh_570"]["geometry"] = SHORT
    with pytest.raises(ModelError) as refused:
        require_geometry(settings(changed).type_named("smh_570").geometry, GEOMETRY, "made-for")
    assert refused.value.code == "model.wrong_geometry"
    assert refused.value.detail == (
        "it has 1792 lines a turn, the network 3584, 224 lines a block, the network 448, "
        "128 px a patch, the network 256, 4 patches a strip, the network 2 "
        "(bundle made-for: 3584 lines a turn, 448 a block, 2 patches of 256 px a strip)"
    )
