"""The configuration: what ships is valid, and what is wrong is refused with file, key and what is allowed."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from config import bundled
from station.core.errors import ConfigError
from station.core.settings import data_dir, describe_settings, load_settings, parse_settings

SHIPPED = ("station.toml", "simulate.toml")


def document(name: str = "simulate.toml") -> dict[str, Any]:
    return tomllib.loads(bundled(name).read_text(encoding="utf-8"))


def changed(path: str, value: object) -> dict[str, Any]:
    result = document()
    *tables, key = path.split(".")
    table = result
    for name in tables:
        table = table[name]
    table[key] = value
    return result


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_configurations_are_valid(name: str) -> None:
    settings = parse_settings(document(name), name)
    assert set(settings.part_types) == {"smh_385", "smh_570", "smh_690", "smh_935", "smh_1065", "smh_1575"}
    assert len(settings.sha256) == 64


def test_the_two_shipped_configurations_differ_only_in_addresses_and_the_simulation() -> None:
    real, simulated = (parse_settings(document(name), name) for name in SHIPPED)
    assert real.part_types == simulated.part_types
    assert (real.simulation is None, simulated.simulation is None) == (True, False)


def test_line_rate_and_speed_follow_from_diameter_and_surface_speed() -> None:
    part_type = parse_settings(document(), "x").part_type_of(1)
    assert part_type is not None
    assert part_type.turn_s == pytest.approx(3.14159265 * 18 / 320)
    assert part_type.line_rate_hz * part_type.turn_s == pytest.approx(3584)
    assert part_type.speed_rpm * part_type.turn_s == pytest.approx(60)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("robot.link.host_name", "x", ["robot.link.host_name", "unknown key"]),
        ("robot.link.port", 70000, ["robot.link.port", "65535"]),
        ("jig.link.parity", "X", ["jig.link.parity", "'N', 'E' or 'O'"]),
        ("plc.role", "master", ["plc.role", "'client' or 'server'"]),
        ("decision.min_confidence", 2.0, ["decision.min_confidence", "less than 1"]),
        ("model.bundle", "", ["model.bundle"]),
        ("part_types.smh_385.surface_speed_mm_s", 400.0, ["part_types.smh_385", "lines/s", "surface_speed_mm_s"]),
        ("part_types.smh_385.exposure_us", 60.0, ["part_types.smh_385", "longer than a line"]),
        ("part_types.smh_385.code", 2, ["code 2 is used twice"]),
        ("part_types.smh_385.width_px", 5470, ["part_types.smh_385", "wider than camera.width_px"]),
        ("part_types.smh_385.outer_diameter_mm", -1.0, ["outer_diameter_mm", "greater than 0"]),
        ("part_types.smh_385.outer_diameter_mm", 5.0, ["needs"]),
        ("records.keep_days", {"good": 3}, ["good"]),
        ("camera.buffers", 8, ["camera.buffers", "9"]),
        ("crop.margin_px", "wide", ["crop.margin_px"]),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(path: str, value: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_settings(changed(path, value), "line.toml")
    assert refused.value.code == "config.invalid"
    for word in ["line.toml", *words]:
        assert word in str(refused.value)


def test_a_missing_key_is_named() -> None:
    broken = document()
    del broken["jig"]["max_speed_rpm"]
    with pytest.raises(ConfigError, match=r"jig\.max_speed_rpm: must be given"):
        parse_settings(broken, "line.toml")


@pytest.mark.parametrize("content", [b"[station\n", b"\xff\xfe", None])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "line.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    assert refused.value.code == "config.unreadable"
    assert str(path) in str(refused.value)


def test_every_key_is_explained() -> None:
    rows = describe_settings()
    assert [key for key, _default, meaning in rows if not meaning] == []
    assert len({key for key, _default, _meaning in rows}) == len(rows)


def test_the_data_folder_is_the_command_lines_then_the_configurations_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    real, simulated = (parse_settings(document(name), name) for name in SHIPPED)
    assert data_dir(real, tmp_path / "mine") == tmp_path / "mine"
    assert data_dir(real) == Path("/var/lib/inspection-station")
    assert data_dir(simulated) == tmp_path / "inspection-station" / "simulated-cell"
