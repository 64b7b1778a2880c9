"""`station dataset compose`: scans of whole parts from pictures by class, as the station takes them; and refusals."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from config import bundled
from models.dataset.patches import cut
from models.dataset.pictures import read_picture
from models.dataset.scans import read_mask, read_scans
from models.dataset.store import Split, read_data
from station.cli.dataset import dataset_app
from station.core.part import Pixels
from station.core.recording import read_recording, read_scan
from station.core.settings import Settings, TurnSettings, load_settings
from station.flow.crop import find_part
from station.flow.patch import blocks_of
from station.offline.cropping import cut_scan, proofs_of

SIDE, PATCH, BLOCKS, ACROSS = 64, 32, 4, 2
PATCHES = BLOCKS * ACROSS
GREYS = {"good": 100, "dent": 150, "rust": 200}
CELL = """
[part_types.ring]
code = 1
width_px = 128
width_tolerance_px = 2
edge_wander_px = 4
outer_diameter_mm = 20.0
surface_speed_mm_s = 320.0
exposure_us = 20.0

[geometry]
lines_per_turn = 256
lines_per_block = 64
patch_px = 32
patches_per_strip = 2

[[classes]]
code = 1
name = "rust"
place = "bin"
severity = 2

[[classes]]
code = 2
name = "good"
place = "next"
severity = 0
pass = true

[[classes]]
code = 3
name = "dent"
place = "bin"
severity = 1

[review]
code = 4
place = "bin"

[[places]]
code = 1
name = "next"

[[places]]
code = 2
name = "bin"
"""


def station_dataset(*arguments: object) -> Result:
    return CliRunner().invoke(dataset_app, [str(argument) for argument in arguments])


def picture(name: str, number: int, grey: int | None = None, side: int = SIDE) -> Pixels:
    """Two lines of it, and two pictures, are never alike."""
    noise = np.random.default_rng([len(name), GREYS.get(name, 50), number]).integers(-20, 21, (side, side))
    return np.asarray((GREYS.get(name, 50) if grey is None else grey) + noise, np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for name in GREYS:
        (folder / name).mkdir(parents=True)
        for number in range(PATCHES + 2):
            cv2.imwrite(str(folder / name / f"{number:02}.png"), picture(name, number))
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shipped = bundled("simulate.toml").read_text(encoding="utf-8")
    document = shipped[: shipped.index("[part_types.")] + CELL
    framed = document.replace('"Height"\nvalue = 448', '"Height"\nvalue = 64')
    framed = framed.replace('"AcquisitionFrameCount"\nvalue = 8', '"AcquisitionFrameCount"\nvalue = 4')
    framed = re.sub("(?m)^archive = .*$", "archive = []", framed)
    assert tomllib.loads(framed)["part_types"].keys() == {"ring"}
    (tmp_path / "cell.toml").write_text(framed)
    return tmp_path / "cell.toml"


@pytest.fixture
def compose(tmp_path: Path, pictures: Path, config: Path) -> Callable[..., tuple[Path, Result]]:
    def composed(name: str, *options: object) -> tuple[Path, Result]:
        folder = tmp_path / name
        return folder, station_dataset("compose", pictures, folder, "--config", config, *options)

    return composed


@pytest.fixture
def settings(config: Path) -> Settings:
    return load_settings(config)


Compose = Callable[..., tuple[Path, Result]]


def lines_of(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def shown_in(truth: dict[str, object]) -> list[str]:
    pictures = truth["pictures"]
    assert isinstance(pictures, list)
    return pictures


def test_the_parts_of_every_class_stand_in_the_recording_as_the_simulated_cell_reads_it(
    compose: Compose, settings: Settings
) -> None:
    folder, result = compose("parts", "--count", 2)
    assert result.exit_code == 0, result.output
    recording = read_recording(folder, settings.part_types, settings.table.names)
    assert not recording.problems
    assert [scan.label for scan in recording.scans] == ["dent", "good", "rust"] * 2
    assert [scan.part_id for scan in recording.scans] == [f"c1-{number:05}" for number in range(1, 7)]
    assert {(scan.part_type, scan.closed, scan.composed) for scan in recording.scans} == {("ring", False, True)}


def test_the_station_finds_the_part_in_its_columns_and_no_scan_is_doubted(compose: Compose, settings: Settings) -> None:
    folder, result = compose("parts", "--count", 2)
    assert "review" not in result.output
    (kind,) = settings.known_types
    for scan in read_recording(folder, None).scans:
        image = read_scan(scan.file, {256})
        assert len(cut_scan(image, kind, settings.crop, proofs_of(scan, settings.turn))) == PATCHES
        for block in blocks_of(image, kind.geometry):
            roi = find_part(block.pixels, settings.crop)
            assert (roi.left, roi.right) == (64, 192)


def test_every_patch_is_the_image_that_a_data_set_makes_of_its_picture(
    compose: Compose, pictures: Path, settings: Settings, tmp_path: Path
) -> None:
    folder, _result = compose("parts", "--count", 1)
    for truth in lines_of(folder, "truth.jsonl"):
        shown = shown_in(truth)
        assert len(set(shown)) == PATCHES, "a picture is shown once"
        patches = cut(read_scan(folder / str(truth["file"]), {256}), 64, 192, settings.geometry.value())
        for name, patch in zip(shown, patches, strict=True):
            made = cv2.resize(read_picture(pictures / name), (PATCH, PATCH), interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(patch, made)


def test_a_defect_among_good_pictures_is_the_class_of_the_part_and_is_what_its_mask_marks(
    compose: Compose, settings: Settings
) -> None:
    folder, result = compose("parts", "--label", "dent", "--defective-patches", 3, "--count", 2)
    assert result.exit_code == 0, result.output
    scans = read_scans(folder, settings.table, 256)
    for truth, scan in zip(lines_of(folder, "truth.jsonl"), scans, strict=True):
        labels = [name.split("/")[0] for name in shown_in(truth)]
        assert sorted(labels) == ["dent"] * 3 + ["good"] * 5
        assert scan.surface.name == "dent"
        marked = cut((read_mask(scan) == scan.number).astype(np.float32), 64, 192, settings.geometry.value())
        assert [bool(patch.all()) for patch in marked] == [label == "dent" for label in labels]
        assert [bool(patch.any()) for patch in marked] == [label == "dent" for label in labels]


def test_the_same_seed_gives_the_same_files_and_another_one_others(compose: Compose) -> None:
    (one, _), (same, _), (other, _) = (
        compose(name, "--seed", seed, "--defective-patches", 2) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    contents = {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
    assert {path.relative_to(same): path.read_bytes() for path in same.rglob("*") if path.is_file()} == contents
    pairs = zip(lines_of(one, "truth.jsonl"), lines_of(other, "truth.jsonl"), strict=True)
    assert all(a["pictures"] != b["pictures"] for a, b in pairs)


def test_pictures_that_a_data_set_trains_on_are_not_shown(compose: Compose, pictures: Path, tmp_path: Path) -> None:
    options = ("--kind", "class-folders", "--passing", "good", "--split", "40/20/40", "--size", PATCH)
    assert station_dataset("make", tmp_path / "data", "--from", pictures, *options).exit_code == 0
    files = read_data(tmp_path / "data").manifest.files
    tested = {file.path for file in files if file.split == Split.TEST.name.lower()}
    assert len(tested) == 12
    unseen = ("--unseen-by", tmp_path / "data")
    folder, result = compose("few", *unseen)
    assert result.exit_code == 2
    assert "good 4 of 8" in result.output
    assert not folder.exists()
    more = pictures / "good"
    for number in range(50, 54):
        cv2.imwrite(str(more / f"{number}.png"), picture("good", number))
    folder, result = compose("parts", *unseen, "--label", "dent", "--defective-patches", 4, "--count", 3)
    assert result.exit_code == 0, result.output
    names = {name for truth in lines_of(folder, "truth.jsonl") for name in shown_in(truth)}
    assert names <= tested | {f"good/{number}.png" for number in range(50, 54)}


def test_the_same_pixels_in_two_files_are_one_picture(compose: Compose, pictures: Path) -> None:
    for number in range(3, PATCHES + 2):
        (pictures / "rust" / f"{number:02}.png").write_bytes((pictures / "rust" / "00.png").read_bytes())
    _folder, result = compose("parts", "--label", "rust")
    assert result.exit_code == 2
    assert "rust 3 of 8" in result.output


def test_of_ready_made_splits_only_the_pictures_for_testing_are_shown(compose: Compose, pictures: Path) -> None:
    for split in ("train", "test"):
        (pictures / split).mkdir()
    for name in GREYS:
        (pictures / name).rename(pictures / "test" / name)
        (pictures / "train" / name).mkdir()
        cv2.imwrite(str(pictures / "train" / name / "a.png"), picture(name, 90))
    folder, result = compose("parts", "--count", 3)
    assert result.exit_code == 0, result.output
    names = {name for truth in lines_of(folder, "truth.jsonl") for name in shown_in(truth)}
    assert {name.split("/")[0] for name in names} == {"test"}


def test_what_the_station_would_refuse_is_told_with_the_reason(compose: Compose, pictures: Path) -> None:
    for path in (pictures / "dent").iterdir():
        cv2.imwrite(str(path), picture("dent", int(path.stem), grey=21) // 2)
    folder, result = compose("parts", "--count", 2)
    assert result.exit_code == 0
    assert "2 would go to review, part.jig_empty: c1-00001, c1-00004; the first: nothing of 64 columns" in result.output
    assert len(lines_of(folder, "recording.jsonl")) == 6


def colour(pictures: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    cv2.imwrite(str(pictures / "rust" / "00.png"), pixels)


def cut_off(pictures: Path) -> None:
    path = pictures / "dent" / "01.png"
    path.write_bytes(path.read_bytes()[:-40])


def emptied(pictures: Path) -> None:
    for path in (pictures / "dent").iterdir():
        path.unlink()


def unconfigured(pictures: Path) -> None:
    (pictures / "rust").rename(pictures / "crack")


def untouched(_pictures: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        (colour, (), "rust/00.png: it is a colour picture"),
        (cut_off, (), "dent/01.png"),
        (emptied, (), "dent 0 of 8"),
        (unconfigured, (), "no class of parts is crack; [[classes]] has rust, good, dent"),
        (untouched, ("--label", "scratch"), "has no folder scratch; there are dent, good, rust"),
        (untouched, ("--defective-patches", 9), "a ring has 1 to 8"),
        (untouched, ("--part-type", "bolt"), "--part-type bolt: configured are ring"),
        (untouched, ("--unseen-by", "nowhere"), "dataset.unreadable"),
    ],
)
def test_a_refusal_says_what_is_wrong_ends_with_status_2_and_writes_nothing(
    compose: Compose, pictures: Path, change: Callable[[Path], None], options: tuple[object, ...], told: str
) -> None:
    change(pictures)
    folder, result = compose("parts", *options)
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert not folder.exists()


def test_a_recording_that_is_there_is_not_touched(compose: Compose) -> None:
    folder, _result = compose("parts")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    _folder, again = compose("parts", "--seed", 2)
    assert again.exit_code == 2
    assert "recording.exists" in again.output
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_no_configuration_can_take_a_scan_for_composed() -> None:
    assert TurnSettings(proofs=[]).one_surface
    assert TurnSettings().of_open_turns().one_surface
    assert not TurnSettings().of_composed_scans().one_surface
    with pytest.raises(ValueError, match="one_surface"):
        TurnSettings.model_validate({"one_surface": False})
