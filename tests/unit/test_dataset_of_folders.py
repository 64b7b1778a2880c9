"""Data sets of what else a plant has: a class a part, sorted patches, several of these; and what contradicts itself."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.dataset.manifest import Level, Split
from models.dataset.scans import LabelledScan, marks_of
from models.dataset.store import DataSet, file_sha256, read_data
from station.cli.app import app
from station.core.geometry import Geometry
from station.labels.formats.patch_folders import patch_name
from station.labels.label import Patch
from station.offline.gathering.sources import learnable
from station.offline.gathering.terms import LeftOut
from tests.plants import LEFT, RIGHT, Plant, made, record, refused
from tests.turned import GEOMETRY
from tests.unit.housings import TABLE, S, Surface

PITS, SCRATCHES = Surface.PITS.number, Surface.SCRATCHES.number
FOUR = {"A": "defect_free", "B": "pits", "C": "defect_free", "D": "pits", "UNSAID": None}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "parts", FOUR)


def lay_patch(folder: Path, name: str, sha256: str, index: int, geometry: Geometry = GEOMETRY) -> Path:
    """A patch, as people have sorted it."""
    place = folder / name / patch_name(sha256, Patch(index, geometry))
    place.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([int(sha256[:6], 16), index]).integers(0, 256, (256, 256), np.uint8)
    assert cv2.imwrite(str(place), pixels)
    return place


def splits_of(data: DataSet) -> dict[str, str]:
    """The split of every scan, by its name."""
    return {Path(file.path).name: file.split for file in data.manifest.files}


# ---------------------------------------------------------------------- a class a part


def test_of_a_class_a_part_good_patches_are_known_and_defective_ones_are_not(parts: Path, tmp_path: Path) -> None:
    told = made(tmp_path / "d", "--from", parts, "--split", "50/50/0", "--jitter-px", 0)
    assert "left out: parts/UNSAID.png: nobody said what it is" in told
    data = read_data(tmp_path / "d")
    good = data.part_labels == 0
    assert good.sum() == (~good).sum() == 32
    assert set(data.labels[good].tolist()) == {0}
    assert set(data.levels[good].tolist()) == {Level.PATCH}
    assert set(data.labels[~good].tolist()) == {-1}
    assert set(data.levels[~good].tolist()) == {Level.PART}
    assert set(data.part_labels[~good].tolist()) == {PITS}
    assert sorted(splits_of(data).values()) == ["train", "train", "validation", "validation"]
    assert [(source.kind, source.taken) for source in data.manifest.sources] == [("part_labels", 4)]


def test_the_part_is_found_as_the_station_finds_it(parts: Path, tmp_path: Path) -> None:
    made(tmp_path / "d", "--from", parts, "--split", "100/0/0", "--jitter-px", 0)
    data = read_data(tmp_path / "d")
    scan = cv2.imread(str(parts / "A.png"), cv2.IMREAD_UNCHANGED)
    strip = cv2.resize(scan[:448, LEFT:RIGHT], (512, 256), interpolation=cv2.INTER_AREA)
    assert np.array_equal(data.images[0], strip[:, :256])


def test_a_scan_that_is_cut_thrice_is_three_parts_of_one_group(parts: Path, tmp_path: Path) -> None:
    made(tmp_path / "d", "--from", parts, "--split", "100/0/0", "--cuts", 3)
    data = read_data(tmp_path / "d")
    assert data.parts.tolist() == np.repeat(np.arange(12), 16).tolist()
    assert data.groups.tolist() == np.repeat(np.arange(4), 48).tolist()


def test_a_scan_that_the_station_would_refuse_is_left_out(parts: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(parts, tmp_path / "parts")
    cv2.imwrite(str(folder / "A.png"), np.zeros((3584, 800), np.uint8))
    cv2.imwrite(str(folder / "B.png"), np.zeros((100, 800), np.uint8))
    told = made(tmp_path / "d", "--from", folder, "--split", "100/0/0")
    assert "parts/A.png: the station would not judge it: part.jig_empty" in told
    assert "parts/B.png: it is no scan that can be used: B.png: it has 100 lines" in told
    assert sorted(splits_of(read_data(tmp_path / "d"))) == ["C.png", "D.png"]


def test_recordings_in_folders_of_splits_keep_these(parts: Path, tmp_path: Path) -> None:
    shutil.copytree(parts, tmp_path / "all" / "train")
    record(tmp_path / "all" / "valid", {"V": "defect_free", "W": "pits"}, 200)
    record(tmp_path / "all" / "test", {"T": "defect_free", "U": "pits"}, 300)
    made(tmp_path / "d", "--from", tmp_path / "all")
    wanted = dict.fromkeys("ABCD", "train") | dict.fromkeys("VW", "validation") | dict.fromkeys("TU", "test")
    assert splits_of(read_data(tmp_path / "d")) == {f"{name}.png": split for name, split in wanted.items()}
    told = refused(tmp_path / "e", "--from", parts, "--test-from", tmp_path / "all")
    assert "train, valid there, and the folder is given for test" in told


def test_a_set_that_only_judges(parts: Path, tmp_path: Path) -> None:
    made(tmp_path / "d", "--from", parts, "--split", "0/0/100")
    assert set(read_data(tmp_path / "d").splits.tolist()) == {Split.TEST}


def test_a_class_of_one_part_cannot_be_in_two_splits(tmp_path: Path) -> None:
    folder = record(tmp_path / "parts", {"A": "defect_free", "B": "pits", "C": "defect_free"})
    told = refused(tmp_path / "d", "--from", folder, "--split", "50/50/0")
    assert "class pits has 1 groups of pictures, and 2 splits need one each" in told


def test_an_unknown_class_in_the_list_is_refused(tmp_path: Path) -> None:
    folder = record(tmp_path / "parts", {"A": "defect_free", "B": "rust"})
    assert "unknown label 'rust', allowed are defect_free" in refused(tmp_path / "d", "--from", folder)


def test_a_part_of_none_of_the_classes_is_left_out(tmp_path: Path) -> None:
    good = LabelledScan("A", S.PITS.verdict, tmp_path / "a.png", tmp_path / "m.png", 0, 9, marks_of(TABLE), 64)
    left_out = LeftOut()
    assert list(learnable([good, replace(good, surface=TABLE.review)], left_out)) == [good]
    assert left_out.counts == {"its defect is no class of the configuration": 1}


# ---------------------------------------------------------------------- sorted patches


def test_sorted_patches_know_their_scan(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    for sha256, index, name in (
        ("a" * 64, 3, "pits"),
        ("a" * 64, 0, "defect_free"),
        ("b" * 64, 1, "defect_free"),
        ("b" * 64, 2, "pits"),
        ("b" * 64, 9, "other_defect"),
        ("b" * 64, 8, "unlabelled"),
    ):
        lay_patch(cut, name, sha256, index)
    lay_patch(cut, "pits", "c" * 64, 1, Geometry(64, 32, 16, 2))
    told = made(tmp_path / "d", "--from", cut, "--split", "50/50/0")
    assert "1 patches that are not sorted yet" in told
    assert "it lies in a folder that is no class: other_defect" in told
    assert "it is cut into other patches: 64 lines a turn" in told
    data = read_data(tmp_path / "d")
    assert [(file.path, file.sha256) for file in data.manifest.files] == [(f"cut/{c * 64}", c * 64) for c in "ab"]
    assert data.labels.tolist() == [0, PITS, 0, PITS]
    assert set(data.levels.tolist()) == {Level.PATCH}
    assert set(data.part_labels.tolist()) == {-1}
    assert [len(set(data.splits[data.files == number].tolist())) for number in (0, 1)] == [1, 1]
    assert np.array_equal(data.images[1], cv2.imread(str(next((cut / "pits").glob("a*"))), cv2.IMREAD_UNCHANGED))


def test_patches_that_the_station_laid_out_come_back_as_they_were_cut(parts: Path, tmp_path: Path) -> None:
    cut = CliRunner().invoke(
        app, ["dataset", "cut", str(tmp_path / "cut"), "--from", str(parts / "B.png"), "--data", str(tmp_path / "none")]
    )
    assert cut.exit_code == 0, cut.output
    laid = sorted((tmp_path / "cut" / "unlabelled").iterdir())
    for index, name in ((3, "pits"), (4, "defect_free")):
        laid[index].rename(tmp_path / "cut" / name / laid[index].name)
    made(tmp_path / "sorted", "--from", tmp_path / "cut", "--split", "100/0/0")
    made(tmp_path / "whole", "--from", parts, "--split", "100/0/0", "--jitter-px", 0)
    patches, scans = read_data(tmp_path / "sorted"), read_data(tmp_path / "whole")
    assert patches.manifest.files[0].sha256 == scans.manifest.files[1].sha256
    assert patches.labels.tolist() == [PITS, 0]
    assert np.array_equal(patches.images, scans.images[scans.files == 1][3:5])


@pytest.mark.parametrize(
    ("name", "index", "told"),
    [
        ("scratches", 3, "the same patch in two classes"),
        ("rust", 5, "there is no class rust; [[classes]] has defect_free"),
    ],
)
def test_patches_that_contradict_each_other_or_are_of_no_class_are_refused(
    tmp_path: Path, name: str, index: int, told: str
) -> None:
    for place, patch in (("pits", 3), ("defect_free", 1), (name, index)):
        lay_patch(tmp_path / "cut", place, "a" * 64, patch)
    assert told in refused(tmp_path / "d", "--from", tmp_path / "cut")


def test_a_patch_of_another_size_is_refused_with_its_name(tmp_path: Path) -> None:
    lay_patch(tmp_path / "cut", "pits", "a" * 64, 3)
    place = lay_patch(tmp_path / "cut", "defect_free", "a" * 64, 1)
    cv2.imwrite(str(place), np.zeros((10, 20), np.uint8))
    told = refused(tmp_path / "d", "--from", tmp_path / "cut", "--split", "100/0/0")
    assert f"{place.name}: it is 10 px high and 20 wide, patches are 256 and 256" in told


# ---------------------------------------------------------------------- several


def test_what_is_said_of_one_scan_in_two_folders_is_put_together(parts: Path, tmp_path: Path) -> None:
    sha256 = file_sha256(parts / "B.png")
    lay_patch(tmp_path / "cut", "pits", sha256, 3)
    lay_patch(tmp_path / "cut", "defect_free", sha256, 4)
    made(tmp_path / "d", "--from", parts, "--from", tmp_path / "cut", "--split", "100/0/0", "--cuts", 2)
    data = read_data(tmp_path / "d")
    assert [Path(file.path).name for file in data.manifest.files] == ["A.png", "B.png", "C.png", "D.png"]
    own = data.files == 1
    assert data.labels[own].tolist() == [-1, -1, -1, PITS, 0, *[-1] * 11], "cut once, for its patches are spoken of"
    assert set(data.part_labels[own].tolist()) == {PITS}


def test_records_and_recordings_and_patches_become_one_set(parts: Path, tmp_path: Path) -> None:
    plant = Plant.at(tmp_path / "data", {"P": "pits", "Q": "pits"})
    plant.say("P", "scratches")
    plant.say("Q", "scratches")
    lay_patch(tmp_path / "cut", "pits", "a" * 64, 3)
    made(tmp_path / "d", "--from", parts, "--from", tmp_path / "cut", "--from", plant.folder, "--split", "100/0/0")
    data = read_data(tmp_path / "d")
    assert len(data.images) == 4 * 16 + 1 + 2 * 16
    assert {source.kind: source.taken for source in data.manifest.sources} == {
        "part_labels": 4, "patch_folders": 1, "records": 2,
    }  # fmt: skip
    assert set(data.part_labels.tolist()) == {-1, 0, PITS, SCRATCHES}
    assert data.manifest.source == "parts, cut, data"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"B": "scratches"}, "parts/B.png and again/B.png: the part is pits, and scratches"),
        ({"B": "defect_free"}, "the part is pits, and defect_free"),
    ],
)
def test_one_scan_with_two_labels_is_refused(parts: Path, tmp_path: Path, other: dict[str, str], told: str) -> None:
    again = tmp_path / "again"
    again.mkdir()
    rows = [
        {"file": f"{name}.png", "part_id": name, "part_type": "smh_385", "label": label}
        for name, label in other.items()
    ]
    (again / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in other:
        shutil.copy(parts / f"{name}.png", again)
    assert told in refused(tmp_path / "d", "--from", parts, "--from", again)


def test_a_defect_on_a_part_that_another_folder_calls_good_is_refused(parts: Path, tmp_path: Path) -> None:
    lay_patch(tmp_path / "cut", "pits", file_sha256(parts / "A.png"), 3)
    told = refused(tmp_path / "d", "--from", parts, "--from", tmp_path / "cut")
    assert "the part is defect_free, and shows pits" in told


def test_a_scan_that_trains_and_judges_is_refused_with_both_names(parts: Path, tmp_path: Path) -> None:
    told = refused(tmp_path / "d", "--from", parts, "--test-from", shutil.copytree(parts, tmp_path / "again"))
    assert "the same part, or the same bytes: " in told
    assert f"{parts / 'A.png'} for train" in told
    assert f"{tmp_path / 'again' / 'A.png'} for test" in told


def test_class_folders_are_told_from_scans_and_not_joined_with_them(parts: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(2):
            pixels = np.random.default_rng([ord(name), number]).integers(0, 256, (32, 32), np.uint8)
            cv2.imwrite(str(tmp_path / "pictures" / name / f"{number}.png"), pixels)
    made(tmp_path / "d", "--from", tmp_path / "pictures", "--split", "50/50/0")
    assert read_data(tmp_path / "d").manifest.kind == "class_folders"
    told = refused(tmp_path / "e", "--from", tmp_path / "pictures", "--from", parts)
    assert "folders of classes are made a set of alone" in told
