"""`station camera`: list, features and grab, on our producer and a foreign one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import genicam
import numpy as np
import pytest

from sim.gentl import producer_path

ROOT = Path(__file__).resolve().parents[2]
VIKY = Path(genicam.__file__).with_name("viky.cti")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def camera(tmp_path: Path) -> Run:
    """Runs `station camera`; no producer is installed but those named."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name != "GENICAM_GENTL64_PATH"}
        return subprocess.run(
            [sys.executable, "-c", "from station.cli.app import main; main()", "camera", *map(str, arguments)],
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip

    return run


def test_list_names_the_cameras_of_every_producer_and_what_is_wrong_with_one(camera: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.cti").write_text("no library")
    listed = camera("list", "--cti", producer_path(), "--cti", VIKY, "--cti", "broken.cti", "--json")
    assert listed.returncode == 1
    document = json.loads(listed.stdout)
    rows = [(row["model"], row["serial_number"], row["access"]) for row in document["devices"]]
    assert rows[0][0] == "Simulated Line Scan"
    assert [row[1] for row in rows if row[0] == "Viky"] == ["0", "1", "2"]
    assert {row[2] for row in rows} == {"read and write"}
    assert list(document["problems"]) == ["broken.cti"]
    assert "broken.cti" in camera("list", "--cti", VIKY, "--cti", "broken.cti").stderr


def test_list_looks_where_producers_are_installed(camera: Run, tmp_path: Path) -> None:
    (tmp_path / "viky.cti").symlink_to(VIKY)
    listed = camera("list", GENICAM_GENTL64_PATH=str(tmp_path))
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("Viky") == 3
    nothing = camera("list")
    assert nothing.returncode == 2
    assert "GENICAM_GENTL64_PATH" in nothing.stderr


def test_features_tell_value_range_choices_unit_access_and_selectors(camera: Run) -> None:
    listed = camera("features", "--cti", producer_path(), "--json")
    assert listed.returncode == 0, listed.stderr
    tree = {row["name"]: row for row in json.loads(listed.stdout)}
    assert (tree["Width"]["kind"], tree["Width"]["value"], tree["Width"]["access"]) == ("integer", 5472, "RW")
    assert (tree["AcquisitionLineRate"]["unit"], tree["AcquisitionLineRate"]["lowest"]) == ("Hz", 1.0)
    assert {"Mono8", "Mono12", "Mono16"} <= set(tree["PixelFormat"]["entries"])
    assert tree["TriggerMode"]["selectors"] == ["TriggerSelector"]
    assert (tree["DeviceModelName"]["access"], tree["AcquisitionStart"]["access"]) == ("RO", "WO")
    assert tree["AcquisitionStart"]["value"] is None
    words = camera("features", "trigger", "--cti", producer_path())
    assert "TriggerSource" in words.stdout
    assert "ExposureTime" not in words.stdout


def test_a_producer_that_cannot_be_used_is_named_and_hides_no_camera(camera: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.cti").write_text("no library")
    (tmp_path / "good.cti").symlink_to(producer_path())
    grabbed = camera("grab", "turn.png", "--set", "Width=640", GENICAM_GENTL64_PATH=str(tmp_path))
    assert grabbed.returncode == 0, grabbed.stderr
    assert "broken.cti cannot be loaded" in grabbed.stderr


def test_features_of_one_camera_among_several_need_its_serial_number(camera: Run) -> None:
    unsaid = camera("features", "--cti", VIKY)
    assert unsaid.returncode == 2
    assert "found 0, 1, 2" in unsaid.stderr
    assert camera("features", "Width", "--cti", VIKY, "--serial", "2").returncode == 0


@pytest.mark.parametrize("pixel_format", ["Mono8", "Mono12"])
def test_grab_writes_a_turn_and_accounts_for_its_lines(camera: Run, tmp_path: Path, pixel_format: str) -> None:
    wishes = ("--set", "Width=640", "--set", f"PixelFormat={pixel_format}", "--set", "AcquisitionLineRate=50000",
              "--set", "ExposureTime=15")  # fmt: skip
    grabbed = camera("grab", "turn.png", "--cti", producer_path(), *wishes, "--json")
    assert grabbed.returncode == 0, grabbed.stderr
    account = json.loads(grabbed.stdout)
    assert (account["complete"], account["delivered_lines"], account["missing_blocks"]) == (True, 3584, [])
    assert [row["frame_id"] for row in account["blocks"]] == list(range(8))
    image = cv2.imread(str(tmp_path / "turn.png"), cv2.IMREAD_UNCHANGED)
    assert (image.shape, image.dtype) == ((3584, 640), np.uint8)
    assert image.std() > 10


@pytest.mark.parametrize("blocks", [2, 30])
def test_grab_of_any_number_of_blocks_from_a_foreign_camera(camera: Run, tmp_path: Path, blocks: int) -> None:
    grabbed = camera(
        "grab", "some.png", "--cti", VIKY, "--serial", "1", "--set", "PixelFormat=Mono8", "--blocks", str(blocks)
    )
    assert grabbed.returncode == 0, grabbed.stdout + grabbed.stderr
    assert f"complete: {448 * blocks} of {448 * blocks} lines in {blocks} of {blocks} blocks" in grabbed.stdout
    assert cv2.imread(str(tmp_path / "some.png"), cv2.IMREAD_UNCHANGED).shape[0] == 448 * blocks


def test_grab_tells_what_is_missing_and_keeps_what_came(camera: Run, tmp_path: Path) -> None:
    fault = ("--set", "Width=640", "--set", "SimFaultBlock=3", "--set", "SimFault=DropFrame")
    grabbed = camera("grab", "turn.png", "--cti", producer_path(), *fault, "--json")
    assert grabbed.returncode == 1, grabbed.stderr
    account = json.loads(grabbed.stdout)
    assert (account["complete"], account["missing_blocks"], account["delivered_lines"]) == (False, [2], 7 * 448)
    assert (tmp_path / "turn.png").exists()


def test_grab_without_an_index_pulse_says_so(camera: Run, tmp_path: Path) -> None:
    trigger = (
        "--set",
        "TriggerSelector=AcquisitionStart",
        "--set",
        "TriggerSource=Software",
        "--set",
        "TriggerMode=On",
    )
    grabbed = camera("grab", "turn.png", "--cti", producer_path(), *trigger, "--timeout", "0.3")
    assert grabbed.returncode == 1
    assert "camera.timeout" in grabbed.stderr
    assert not (tmp_path / "turn.png").exists()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("Gamut=1", "no such feature"),
        ("Width", "write NAME=VALUE"),
        ("Width=wide", "Width is of kind integer"),
        ("ChunkModeActive=maybe", "ChunkModeActive is of kind boolean"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_words(camera: Run, wish: str, words: str) -> None:
    refused = camera("grab", "turn.png", "--cti", producer_path(), "--set", wish)
    assert refused.returncode == 2
    assert words in refused.stderr


def test_an_unwritable_file_and_an_unknown_part_type_are_refused(camera: Run) -> None:
    refused = camera("grab", "/nowhere/turn.png", "--cti", producer_path(), "--set", "Width=640")
    assert refused.returncode == 2
    assert "/nowhere/turn.png cannot be written" in refused.stderr
    config = ROOT / "config" / "simulate.toml"
    refused = camera("grab", "turn.png", "--config", config, "--type", "cube")
    assert refused.returncode == 2
    assert "configured are smh_385" in refused.stderr
