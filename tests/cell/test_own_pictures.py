"""From a plant's own class folders to parts that the simulated cell sorts: every command in its turn.

Runs with the training packages where STATION_DATA names a folder with `neu_cls/CLASS/*.png`: hot-rolled steel of
Song and Yan, "A noise robust method based on completed local binary patterns for hot-rolled steel strip surface
defects", 2013. They have no class of good surface; one of the defects is taken for it.
"""

import json
import os
import shutil
import uuid
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from config import bundled
from station.cli.dataset import dataset_app
from station.cli.model import model_app
from station.core.table import MAX_PLACES
from tests.cell.conftest import Run

pytestmark = [pytest.mark.training, pytest.mark.timeout(1500)]

NAMES = {"crazing": "good", "patches": "patches", "scratches": "scratches"}
PICTURES, PARTS = 60, 2
CELL = """
[part_types.sheet]
code = 7
width_px = 400
width_tolerance_px = 60
edge_wander_px = 60
outer_diameter_mm = 20.0
surface_speed_mm_s = 320.0
exposure_us = 20.0

[part_types.sheet.geometry]
lines_per_turn = 800
lines_per_block = 200
patch_px = 128
patches_per_strip = 2

[[classes]]
code = 11
name = "scratches"
place = "bin_scratches"
severity = 2

[[classes]]
code = 12
name = "good"
place = "next"
severity = 0
pass = true

[[classes]]
code = 13
name = "patches"
place = "bin_patches"
severity = 1

[review]
code = 14
place = "bin_review"
"""
PLACES = ("next", "bin_scratches", "bin_patches", "bin_review")
DESTINATIONS = {"good": "next", "scratches": "bin_scratches", "patches": "bin_patches", "review": "bin_review"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    data = os.environ.get("STATION_DATA")
    source = Path(data or "", "neu_cls")
    if not data or not source.is_dir():
        pytest.skip("STATION_DATA names no folder with neu_cls")
    for name, own in NAMES.items():
        (tmp_path / "pictures" / own).mkdir(parents=True)
        for path in sorted((source / name).iterdir())[:PICTURES]:
            shutil.copy(path, tmp_path / "pictures" / own)
    return tmp_path / "pictures"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A cell that knows nothing but these sheets, on free ports and names of its own."""
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    text = text[: text.index("[part_types.")] + CELL
    text += "".join(f'\n[[places]]\ncode = {code}\nname = "{name}"\n' for code, name in enumerate(PLACES, 1))
    for old, new in (
        ("port = 15020", "port = 0"),
        ("port = 15021", "port = 0"),
        ("{runtime}/jig", str(tmp_path / "jig")),
        ("/inspection-station-scene", f"/station-test-{uuid.uuid4().hex[:12]}"),
        ('"Height"\nvalue = 448', '"Height"\nvalue = 200'),
        ('"AcquisitionFrameCount"\nvalue = 8', '"AcquisitionFrameCount"\nvalue = 4'),
        ("background_max = 40", "background_max = 24"),
        ('archive = ["imprinted", "pits", "roll_marks", "scratches", "review"]', 'archive = ["review"]'),
        ("saturated_max = 0.05", "saturated_max = 1.0"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    assert len(PLACES) <= MAX_PLACES
    (tmp_path / "cell.toml").write_text(text)
    return tmp_path / "cell.toml"


def done(app: object, *arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result


def test_folders_of_pictures_become_a_network_that_sorts_parts(
    pictures: Path, config: Path, tmp_path: Path, station: Run
) -> None:
    data, run, bundle, parts = (tmp_path / name for name in ("set", "run", "sheets-1", "parts"))
    options = ("--kind", "class-folders", "--passing", "good", "--split", "60/20/20", "--size", 128)
    done(dataset_app, "make", data, "--from", pictures, *options)
    done(model_app, "train", "--data", data, "--out", run, "--epochs", 3, "--items-per-epoch", 96, "--batch", 16)
    given = ("--data", data, "--golden", data, "--part-type", "sheet", "--config", config)
    done(model_app, "export", run / "best.pt", bundle, *given, "--calibration", 64)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert (sorted(manifest["classes"]), manifest["passing"]) == (["good", "patches", "scratches"], "good")
    assert {key: manifest["geometry"][key] for key in ("lines_per_turn", "lines_per_block", "patch_px")} == {
        "lines_per_turn": 800, "lines_per_block": 200, "patch_px": 128,
    }  # fmt: skip

    kept = ("--config", config, "--data", tmp_path / "station")
    done(model_app, "promote", bundle, "--without-gate", "no parts yet", *kept)
    done(dataset_app, "compose", pictures, parts, "--config", config, "--count", PARTS, "--unseen-by", data)
    ran = station("--simulate", "--speed", "max", "--recordings", parts, "--json", *kept)
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(ran.stdout)["parts"]
    assert [row["label"] for row in rows] == ["good", "patches", "scratches"] * PARTS
    assert all(row["model"].startswith("sheets-1@") for row in rows)
    assert all(row["scan_valid"] for row in rows), [row["reason"] for row in rows]
    assert {row["reason"] for row in rows} <= {None, "part.low_confidence"}
    assert all(row["confirmed_bin"] == DESTINATIONS[row["verdict"]] for row in rows)
    assert all(row["algorithm1"] in NAMES.values() for row in rows)
