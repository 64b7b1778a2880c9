"""Patches laid out for people: what a network would see, sorted by what is said, and taken in again as labels."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from station.cli.app import app
from station.core.settings import load_settings
from station.offline.cropping import cut_scan


def station(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words: object) -> str:
    result = station(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "scans"
    done("dataset", "render", folder, "--parts", 2, "--seed", 3, "--mix", "1/0/1/0/0", "--jobs", 1)
    return folder


def test_patches_are_sorted_by_hand_and_come_back_as_labels(scans: Path, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    told = done("dataset", "cut", tmp_path / "cut", "--from", scans, *data)
    assert "32 patches of 2 scans" in told
    unlabelled = tmp_path / "cut" / "unlabelled"
    assert len(names(unlabelled)) == 32
    moved = [unlabelled / name for name in names(unlabelled)[:3]]
    for path in moved:
        shutil.move(path, tmp_path / "cut" / "pits")
    told = done("label", "import", tmp_path / "cut", "--format", "patch-folders", "--by", "anna", *data)
    assert "3 labels, 3 of them new" in told
    assert "29 patches that are not sorted yet" in told
    said = json.loads(done("label", "list", "--json", *data))
    assert [(label["class"], label["patch"], label["who"]) for label in said] == [("pits", n, "anna") for n in range(3)]

    told = done("dataset", "cut", tmp_path / "again", "--from", scans, *data)
    assert "3 in folders of their classes" in told
    assert names(tmp_path / "again" / "pits") == [path.name for path in moved]


def test_a_patch_is_what_the_network_would_see(scans: Path, tmp_path: Path) -> None:
    scan = scans / "SMH-3-00000.png"
    done("dataset", "cut", tmp_path / "cut", "--from", scan, "--data", tmp_path / "data")
    settings = load_settings(Path(__file__).parents[2] / "config" / "simulate.toml")
    image = cv2.imread(str(scan), cv2.IMREAD_UNCHANGED)
    (kind, *_) = settings.known_types
    expected = cut_scan(np.asarray(image, np.uint8), kind, settings.crop, settings.turn)
    files = sorted((tmp_path / "cut" / "unlabelled").iterdir())
    assert np.array_equal([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files], expected)


def test_two_who_differ_leave_a_patch_unlabelled(scans: Path, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    for who, name in (("anna", "pits"), ("bert", "scratches")):
        done("label", "set", "--scan", scans / "SMH-3-00000.png", "--patch", 4, "--class", name, "--by", who,
             *data)  # fmt: skip
    assert "0 in folders of their classes" in done("dataset", "cut", tmp_path / "cut", "--from", scans, *data)


def test_scans_that_cannot_be_cut_are_told_and_nothing_is_overwritten(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    shutil.copyfile(scans / "SMH-3-00000.png", tmp_path / "scans" / "a.png")
    shutil.copyfile(scans / "SMH-3-00000.png", tmp_path / "scans" / "b.png")
    cv2.imwrite(str(tmp_path / "scans" / "c.png"), np.zeros((3584, 400), np.uint8))
    data = ("--data", tmp_path / "data")
    told = done("dataset", "cut", tmp_path / "cut", "--from", tmp_path / "scans", *data)
    assert "16 patches of 1 scans" in told
    assert "b.png" in told
    assert "the same scan is there under another name" in told
    assert "c.png" in told
    assert station("dataset", "cut", tmp_path / "cut", "--from", tmp_path / "scans", *data).exit_code == 2
    assert station("dataset", "cut", tmp_path / "no", "--from", tmp_path / "scans" / "c.png", *data).exit_code == 2
    assert not (tmp_path / "no").exists()
