"""What `station bench` measures of a line whose part types have several networks."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from config import bundled
from station.bench import housings
from station.bench.one_network import of_one_network
from station.core.settings import Settings, parse_settings
from tests.unit.test_table import CLASSES, PLACES, REVIEW


def settings(changes: dict[str, dict[str, Any]], **tables: Any) -> Settings:
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8")) | tables
    document["records"] = document["records"] | {"archive": []}
    for name, keys in changes.items():
        document["part_types"][name].update(keys)
    return parse_settings(document, "line.toml")


def test_a_line_of_one_network_is_measured_whole() -> None:
    line = settings({})
    measured, left_out = of_one_network(line)
    assert (list(measured.part_types), measured.model.bundle, left_out) == (list(line.part_types), "promoted", ())


def test_types_with_another_network_or_geometry_than_the_first_are_left_out() -> None:
    fine = {"lines_per_turn": 7168, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}
    line = settings({
        "smh_385": {"bundle": "/own"},
        "smh_690": {"bundle": "/own"},
        "smh_935": {"bundle": "/own", "geometry": fine, "surface_speed_mm_s": 100.0},
    })  # fmt: skip
    measured, left_out = of_one_network(line)
    assert list(measured.part_types) == ["smh_385", "smh_690"]
    assert {kind.bundle for kind in measured.part_types.values()} == {""}
    assert (measured.model.bundle, left_out) == ("/own", ("smh_570", "smh_935", "smh_1065", "smh_1575"))


def test_rendered_housings_have_no_label_that_the_table_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housings.cv2, "imencode", lambda *_: (True, type("", (), {"tobytes": lambda _: b""})()))
    monkeypatch.setattr(housings, "_rendered", lambda *_: None)
    other = settings({}, classes=CLASSES, places=PLACES, review=REVIEW)
    for line, labels in (
        (settings({}), {"defect_free", "imprinted", "pits", "roll_marks", "scratches"}),
        (other, {None}),
    ):
        folder = tmp_path / str(len(labels))
        housings.write_recording(line, folder)
        rows = map(json.loads, (folder / "recording.jsonl").read_text(encoding="utf-8").splitlines())
        assert {row["label"] for row in rows} == labels
