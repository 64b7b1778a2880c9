"""Who says what light parts are judged in: the type before the table, the table before the network's bundle."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.core.errors import ConfigError
from station.core.exposure import ExposureLimits
from station.core.settings import Settings, parse_settings
from station.host.recipes import lighting_of, lightless, make_recipes
from tests.bundles import make_grey_bundle
from tests.unit.test_settings import document

TYPE, OTHER = "smh_385", "smh_570"


def settings(table: dict[str, Any] | None = None, **of_type: Any) -> Settings:
    """The simulated cell's configuration with keys of `[light]` and of one part type."""
    changed = document()
    changed["light"].update(table or {})
    changed["part_types"][TYPE].update(of_type)
    return parse_settings(changed, "test")


def test_the_type_says_it_before_the_table_and_the_table_before_the_bundle() -> None:
    both = settings({"reference": 120.0}, light_reference=80.0)
    assert lighting_of(both, TYPE, 95.0).reference == 80.0
    assert lighting_of(both, OTHER, 95.0).reference == 120.0
    assert lighting_of(settings(), TYPE, 95.0).reference == 95.0
    assert lighting_of(settings(), TYPE, None).reference is None


def test_the_limits_are_those_of_the_table() -> None:
    lighting = lighting_of(settings({"tolerance": 0.1, "min_gain": 0.8, "max_gain": 2.0}), TYPE, 95.0)
    assert (lighting.tolerance, lighting.min_gain, lighting.max_gain) == (0.1, 0.8, 2.0)


def test_the_shipped_bundle_says_what_light_it_knows_and_its_recipes_have_it() -> None:
    level = load_bundle(bundle_folder(SHIPPED)).light_level
    assert level is not None
    recipes = make_recipes(settings({}, light_reference=80.0))
    references = {recipe.part_type.name: recipe.lighting.reference for recipe in recipes.rows}
    assert references.pop(TYPE) == 80.0
    assert set(references.values()) == {level}


def test_the_manifest_of_a_bundle_says_it_for_a_new_one(tmp_path: Path) -> None:
    folder = make_grey_bundle(tmp_path / "grey-1")
    assert load_bundle(folder).light_level is None
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"light_level": 107.5}))
    assert load_bundle(folder).light_level == 107.5


def test_it_is_told_where_nobody_says_it(tmp_path: Path) -> None:
    bundles = {"promoted": load_bundle(make_grey_bundle(tmp_path / "grey-1"))}
    assert lightless(settings({"reference": 95.0}), bundles) is None
    told = lightless(settings(light_reference=95.0), bundles)
    assert told is not None
    assert OTHER in told
    assert TYPE not in told
    assert "light.reference" in told


def test_another_light_is_another_recipe() -> None:
    hashes = [
        {recipe.part_type.name: recipe.sha256 for recipe in make_recipes(one).rows}
        for one in (settings(), settings({"max_gain": 2.0}), settings(light_reference=80.0))
    ]
    assert hashes[0][OTHER] != hashes[1][OTHER]
    assert hashes[0][TYPE] != hashes[2][TYPE]
    assert hashes[0][OTHER] == hashes[2][OTHER]


def test_the_exposures_limits_are_the_types_own_or_the_tables() -> None:
    both = settings({"exposure_min_us": 10.0, "exposure_max_us": 40.0}, exposure_max_us=30.0)
    assert both.effective_type(TYPE).exposure == ExposureLimits(10.0, 30.0)
    assert both.effective_type(OTHER).exposure == ExposureLimits(10.0, 40.0)
    assert settings().effective_type(TYPE).exposure is None


@pytest.mark.parametrize(
    ("table", "of_type", "words"),
    [
        ({"exposure_min_us": 10.0}, {}, ["light", "exposure_max_us", "given together"]),
        ({}, {"exposure_max_us": 30.0}, [f"part_types.{TYPE}", "given together"]),
        ({"exposure_min_us": 25.0, "exposure_max_us": 40.0}, {}, [f"part_types.{TYPE}", "exposure_us 20", "25"]),
        ({"exposure_min_us": 10.0, "exposure_max_us": 60.0}, {}, [f"part_types.{TYPE}", "longer than a line"]),
        ({"reference": 5.0}, {}, ["light.reference", "16"]),
        ({"max_gain": 0.5}, {}, ["light.max_gain", "1"]),
        ({}, {"light_reference": 300.0}, ["light_reference", "240"]),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_key(
    table: dict[str, Any], of_type: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(table, **of_type)
    for word in words:
        assert word in str(refused.value)
