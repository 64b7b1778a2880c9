"""`station dataset`: render, make and show in a row, and what is refused ends with status 2."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.store import Split, read_data
from station.cli.dataset import dataset_app


def station_dataset(*arguments: object) -> Result:
    return CliRunner().invoke(dataset_app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "scans"
    rendered = station_dataset(
        "render", folder, "--parts", 4, "--seed", 3, "--mix", "2/0/2/0/0", "--severity", "1.1x1", "--jobs", 1
    )
    assert rendered.exit_code == 0, rendered.output
    return folder


def test_what_was_rendered_becomes_a_data_set_that_is_shown(scans: Path, tmp_path: Path) -> None:
    truths = [json.loads(line) for line in (scans / "truth.jsonl").read_text().splitlines()]
    assert {defect["severity_size"] for truth in truths for defect in truth["defects"]} == {1.1}
    made = station_dataset("make", tmp_path / "d", "--from", scans, "--split", "50/50/0", "--jobs", 1)
    assert made.exit_code == 0, made.output
    data = read_data(tmp_path / "d")
    assert data.manifest.kind == "patches"
    shown = station_dataset("show", tmp_path / "d", "--verify")
    assert shown.exit_code == 0
    assert data.sha256 in shown.output
    assert "64 images of 256x256" in shown.output


def test_a_recording_for_validation_leaves_the_other_to_training(scans: Path, tmp_path: Path) -> None:
    other = tmp_path / "val"
    assert station_dataset("render", other, "--parts", 2, "--seed", 4, "--mix", "1/0/1/0/0", "--jobs", 1).exit_code == 0
    made = station_dataset(
        "make", tmp_path / "d", "--from", scans, "--validation-from", other, "--kind", "whole", "--jobs", 1
    )
    assert made.exit_code == 0, made.output
    data = read_data(tmp_path / "d")
    assert [int((data.splits == split).sum()) for split in Split] == [4, 2, 0]


def test_class_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.random.default_rng([ord(name), number]).integers(0, 256, (64, 64), np.uint8)
            cv2.imwrite(str(tmp_path / "pictures" / name / f"{number}.png"), pixels)
    made = station_dataset(
        "make", tmp_path / "d", "--from", tmp_path / "pictures", "--kind", "class-folders", "--split", "50/50/0",
        "--size", 32, "--alike",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert read_data(tmp_path / "d").images.shape == (8, 32, 32)


def test_a_ready_made_test_folder_of_classes_is_made_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "b").mkdir(parents=True)
    (tmp_path / "pictures" / "b" / "notes.txt").write_text("no picture")
    cv2.imwrite(str(tmp_path / "pictures" / "b" / "1.png"), np.eye(64, dtype=np.uint8))
    made = station_dataset(
        "make", tmp_path / "d", "--from", tmp_path / "pictures", "--kind", "class-folders", "--split", "0/0/100",
        "--classes", "a,b",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "left out: pictures/b/notes.txt: not .bmp" in made.output
    data = read_data(tmp_path / "d")
    assert data.classes == ("a", "b")
    assert data.labels[data.indices(Split.TEST)].tolist() == [1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "{scans}", "--parts", 1),
        ("render", "{new}", "--mix", "1/2/3"),
        ("render", "{new}", "--severity", "fine"),
        ("make", "{new}", "--from", "{scans}", "--split", "80/30/0"),
        ("make", "{new}", "--from", "{scans}", "--size", 64),
        ("make", "{new}", "--from", "{scans}", "--classes", "a,b"),
        ("make", "{new}", "--from", "{scans}", "--from", "{scans}", "--kind", "class-folders"),
        ("make", "{new}", "--from", "{scans}", "--validation-from", "{scans}"),
        ("make", "{scans}", "--from", "{scans}"),
        ("make", "{new}", "--from", "{new}"),
        ("show", "{scans}"),
        ("compare", "{new}", "--out", "{new}"),
    ],
)
def test_a_refusal_ends_with_status_2_and_leaves_nothing(
    scans: Path, tmp_path: Path, arguments: tuple[object, ...]
) -> None:
    before = sorted(scans.rglob("*"))
    places = {"{scans}": scans, "{new}": tmp_path / "new"}
    refused = station_dataset(*(places.get(str(argument), argument) for argument in arguments))
    assert refused.exit_code == 2, refused.output
    assert sorted(scans.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_folders_of_classes_are_told_from_recordings(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "crack").mkdir(parents=True)
    refused = station_dataset("make", tmp_path / "d", "--from", tmp_path / "pictures", "--kind", "patches")
    assert refused.exit_code == 2
    assert "folders of classes take --kind class-folders" in " ".join(refused.output.split())
    assert "no pictures in crack" in station_dataset("make", tmp_path / "d", "--from", tmp_path / "pictures").output


def test_what_is_shown_is_told_by_class_by_level_and_by_source(scans: Path, tmp_path: Path) -> None:
    assert station_dataset("make", tmp_path / "d", "--from", scans, "--split", "50/50/0", "--jobs", 1).exit_code == 0
    data = read_data(tmp_path / "d")
    rows = {line.split("│")[1].strip(): line.split("│")[2:5] for line in station_dataset("show", tmp_path / "d").output
            .splitlines() if line.startswith("│")}  # fmt: skip
    counts = {name: [int(cell.replace(",", "")) for cell in cells] for name, cells in rows.items()}
    marked = [int(((data.labels >= 0) & (data.splits == split)).sum()) for split in Split]
    assert counts["labelled by marked pixels"] == marked
    assert counts["only their part is labelled"] == [0, 0, 0]
    assert counts["slivers and doubtful, left out"] == [32 - marked[0], 32 - marked[1], 0]
    assert counts["groups, each in one split"] == [2, 2, 0]
    assert "recording scans, for all splits: 4 taken" in " ".join(
        station_dataset("show", tmp_path / "d").output.split()
    )


def test_what_would_keep_a_network_from_a_station_is_told_at_once(tmp_path: Path) -> None:
    for name in ("good", "rolled-in_scale"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.random.default_rng([len(name), number]).integers(0, 256, (32, 32), np.uint8)
            cv2.imwrite(str(tmp_path / "pictures" / name / f"{number}.png"), pixels)
    folders = ("--from", tmp_path / "pictures", "--kind", "class-folders", "--split", "50/50/0")
    silent = station_dataset("make", tmp_path / "a", *folders)
    assert silent.exit_code == 0, silent.output
    assert "for export rename rolled-in_scale" in silent.output
    assert "no class passes" in silent.output
    told = station_dataset("make", tmp_path / "b", *folders, "--passing", "good")
    assert told.exit_code == 0, told.output
    assert "no class passes" not in told.output
    assert read_data(tmp_path / "b").manifest.passing == "good"
    wrong = station_dataset("make", tmp_path / "c", *folders, "--passing", "fine")
    assert wrong.exit_code == 2
    assert "--passing fine" in wrong.output
