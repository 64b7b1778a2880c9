"""Data sets from a station's own archive: what people said of it, and nothing that they did not."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.dataset.manifest import DataSource, Level, Split
from models.dataset.patches import cut
from models.dataset.store import DataSet, file_sha256, read_data
from station.cli.app import app
from station.labels.label import Box, Patch, ScanSubject
from tests.plants import LEFT, RIGHT, Plant, made, refused, scan
from tests.turned import GEOMETRY
from tests.unit.housings import CLASSES, Surface

PITS, SCRATCHES = Surface.PITS.number, Surface.SCRATCHES.number
PARTS = {
    "GOOD-1": "pits", "GOOD-2": "defect_free", "PITS-1": "pits", "PITS-2": "pits", "SCRATCH-1": "pits",
    "DIFFER": "pits", "UNSURE": "pits", "OTHER": "pits", "SILENT-1": "pits", "SILENT-2": "defect_free",
}  # fmt: skip


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Ten parts in the order of their seeds; people have spoken of eight."""
    plant = Plant.at(tmp_path_factory.mktemp("plant") / "data", PARTS)
    for name in ("GOOD-1", "GOOD-2"):
        plant.say(name, "defect_free")
    plant.say("PITS-1", "pits")
    plant.say("PITS-1", "pits", region=Patch(3, GEOMETRY))
    plant.say("PITS-1", "defect_free", region=Patch(4, GEOMETRY))
    plant.say("PITS-2", "pits", region=Box(10, 266, 60, 60))
    plant.say("SCRATCH-1", "scratches")
    plant.say("DIFFER", "pits")
    plant.say("DIFFER", "defect_free", "bob")
    plant.say("UNSURE", "cannot_be_judged")
    plant.say("OTHER", "other_defect")
    return plant


@pytest.fixture
def plant(labelled: Plant, tmp_path: Path) -> Plant:
    """The same, to be changed."""
    return Plant(shutil.copytree(labelled.folder, tmp_path / "data"), labelled.ids)


def rows_of(data: DataSet, part_id: str) -> np.ndarray:
    """Which images are of a part."""
    files = [number for number, file in enumerate(data.manifest.files) if file.part_id == part_id]
    return np.isin(data.files, files)


def source_of(data: DataSet) -> DataSource:
    (source,) = data.manifest.sources
    return source


def test_what_people_said_is_taken_at_the_level_at_which_they_said_it(labelled: Plant, tmp_path: Path) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", "--jitter-px", 0)
    data = read_data(tmp_path / "d")
    assert {file.part_id for file in data.manifest.files} == {"GOOD-1", "GOOD-2", "PITS-1", "PITS-2", "SCRATCH-1"}
    assert (data.manifest.classes, data.manifest.passing) == (CLASSES, "defect_free")
    good, pits, boxed, scratch = (rows_of(data, name) for name in ("GOOD-1", "PITS-1", "PITS-2", "SCRATCH-1"))
    assert data.labels[good].tolist() == [0] * 16
    assert set(data.levels[good].tolist()) == {Level.PATCH}
    assert data.labels[pits].tolist() == [-1, -1, -1, PITS, 0, *[-1] * 11]
    assert data.levels[pits].tolist() == [0, 0, 0, Level.PATCH, Level.PATCH, *[0] * 11]
    assert data.labels[boxed].tolist() == [PITS, *[-1] * 15]
    assert data.levels[boxed].tolist() == [Level.MASK, *[Level.PART] * 15]
    assert data.labels[scratch].tolist() == [-1] * 16
    wanted = ((good, 0), (pits, PITS), (boxed, PITS), (scratch, SCRATCHES))
    assert [set(data.part_labels[rows].tolist()) for rows, _part in wanted] == [{part} for _rows, part in wanted]
    assert data.parts.tolist() == np.repeat(np.arange(5), 16).tolist()
    assert len(data.unlabelled(Split.TRAIN)) == 14 + 15 + 16


def test_the_patches_are_those_that_were_judged(labelled: Plant, tmp_path: Path) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", "--jitter-px", 0)
    data = read_data(tmp_path / "d")
    seed = list(PARTS).index("PITS-1")
    assert np.array_equal(data.images[rows_of(data, "PITS-1")], cut(scan(seed), LEFT, RIGHT, GEOMETRY))


def test_what_is_left_out_is_named_and_counted(labelled: Plant, tmp_path: Path) -> None:
    told = made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0")
    for name, why in (
        ("DIFFER", "people differ: ada says pits, bob says defect_free"),
        ("UNSURE", "it cannot be judged"),
        ("OTHER", "its defect is no class of the configuration: other_defect"),
    ):
        assert f"left out: {labelled.ids[name]}: {why}" in told
    source = source_of(read_data(tmp_path / "d"))
    assert (source.kind, source.name, source.taken, source.trusted) == ("records", "data", 5, 0)
    assert source.left_out == {
        "it cannot be judged": 1, "its defect is no class of the configuration": 1, "nobody said what it is": 2,
        "people differ": 1,
    }  # fmt: skip
    assert source.labels is not None
    assert (source.labels.count, source.labels.latest) == (7, "2026-05-02T12:00:00.000Z")


def test_a_verdict_is_taken_for_a_label_only_where_it_is_trusted(labelled: Plant, tmp_path: Path) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", "--trust-verdicts", "defect_free")
    data = read_data(tmp_path / "d")
    silent = [file.part_id for file in data.manifest.files if (file.part_id or "").startswith("SILENT")]
    assert silent == ["SILENT-2"]
    assert source_of(data).trusted == 1
    assert source_of(data).filters == {"trust-verdicts": "defect_free"}
    assert data.labels[rows_of(data, "SILENT-2")].tolist() == [0] * 16
    assert "no class is review" in refused(tmp_path / "e", "--records", labelled.folder, "--trust-verdicts", "review")


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        (["--class", "pits", "--class", "scratches"], {"PITS-1", "PITS-2", "SCRATCH-1"}),
        (["--part-type", "smh_385"], {"GOOD-1", "GOOD-2", "PITS-1", "PITS-2", "SCRATCH-1"}),
        (["--since", "2026-05-01", "--until", "2026-05-02"], {"GOOD-1", "GOOD-2", "PITS-1", "PITS-2", "SCRATCH-1"}),
    ],
)
def test_only_what_is_asked_for_is_taken(labelled: Plant, tmp_path: Path, asked: list[str], parts: set[str]) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", *asked)
    assert {file.part_id for file in read_data(tmp_path / "d").manifest.files} == parts


@pytest.mark.parametrize(
    "asked",
    [["--since", "2026-05-02"], ["--part-type", "smh_570"], ["--verdict", "defect_free"], ["--as-of", "2026-05-02"]],
)
def test_where_nothing_is_as_it_is_asked_for_nothing_is_made(labelled: Plant, tmp_path: Path, asked: list[str]) -> None:
    assert "fewer than two classes" in refused(tmp_path / "d", "--records", labelled.folder, *asked)


def test_a_data_set_is_made_again_as_of_when_it_was_made(plant: Plant, tmp_path: Path) -> None:
    made(tmp_path / "a", "--records", plant.folder, "--split", "100/0/0")
    first = read_data(tmp_path / "a")
    plant.say("SCRATCH-1", "pits", minutes=5)
    plant.say("SILENT-1", "pits", minutes=5)
    made(tmp_path / "b", "--records", plant.folder, "--split", "100/0/0")
    assert read_data(tmp_path / "b").manifest.arrays != first.manifest.arrays
    labels = source_of(first).labels
    assert labels is not None
    made(tmp_path / "c", "--records", plant.folder, "--split", "100/0/0", "--as-of", labels.latest)
    again = read_data(tmp_path / "c")
    assert again.manifest.arrays == first.manifest.arrays
    assert source_of(again).labels == labels


def test_a_part_that_came_twice_lies_in_one_split(plant: Plant, tmp_path: Path) -> None:
    others = Plant.at(tmp_path / "more", {"GOOD-1": "pits", "GOOD-3": "pits", "PITS-3": "pits"}, 70)
    for name, label in (("GOOD-1", "defect_free"), ("GOOD-3", "defect_free"), ("PITS-3", "pits")):
        others.say(name, label)
    asked = ("--split", "50/50/0", "--class", "defect_free", "--class", "pits")
    for seed in range(3):
        made(tmp_path / f"{seed}", "--from", plant.folder, "--from", others.folder, *asked, "--seed", seed)
        files = read_data(tmp_path / f"{seed}").manifest.files
        twice = [file for file in files if file.part_id == "GOOD-1"]
        assert len(twice) == 2
        assert len({(file.group, file.split) for file in twice}) == 1


def test_a_label_of_the_archives_file_is_one_of_the_inspection(plant: Plant, tmp_path: Path) -> None:
    made(tmp_path / "a", "--records", plant.folder, "--split", "100/0/0")
    file = next(file for file in read_data(tmp_path / "a").manifest.files if file.part_id == "GOOD-1")
    plant.add(ScanSubject(file.sha256, "elsewhere.png"), "scratches", "bob")
    told = made(tmp_path / "b", "--records", plant.folder, "--split", "100/0/0")
    assert f"{plant.ids['GOOD-1']}: people differ: ada says defect_free, bob says scratches" in told


def test_a_file_that_no_inspection_knows_is_found_where_it_lay_or_among_the_scans(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    path = tmp_path / "scans" / "returned.png"
    cv2.imwrite(str(path), scan(50))
    made_of = _subject(path)
    plant.add(made_of, "scratches")
    made(tmp_path / "a", "--records", plant.folder, "--split", "100/0/0")
    names = [file.path for file in read_data(tmp_path / "a").manifest.files]
    assert "scans/returned.png" in names
    moved = path.rename(tmp_path / "scans" / "moved.png")
    assert f"{made_of}: its scan is not there" in made(tmp_path / "b", "--records", plant.folder, "--split", "100/0/0")
    made(tmp_path / "c", "--records", plant.folder, "--split", "100/0/0", "--scans", moved.parent)
    assert "scans/moved.png" in [file.path for file in read_data(tmp_path / "c").manifest.files]
    cv2.imwrite(str(path), scan(51))
    told = made(tmp_path / "d", "--records", plant.folder, "--split", "100/0/0")
    assert f"{made_of}: its scan has changed since" in told


def _subject(path: Path) -> ScanSubject:
    return ScanSubject(file_sha256(path), str(path))


def test_scans_that_are_gone_or_changed_or_were_never_there_are_named_and_the_rest_is_taken(
    plant: Plant, tmp_path: Path
) -> None:
    plant.archived("GOOD-2").unlink()
    changed = plant.archived("PITS-2")
    cv2.imwrite(str(changed), scan(60))
    plant.say("20260501T000000000-NOBODY", "pits")
    told = made(tmp_path / "d", "--records", plant.folder, "--split", "100/0/0")
    assert f"{plant.ids['GOOD-2']}: its scan is not there" in told
    assert f"{plant.ids['PITS-2']}: its scan has changed since: {changed}" in told
    assert "20260501T000000000-NOBODY: the records know no such inspection" in told
    assert {file.part_id for file in read_data(tmp_path / "d").manifest.files} == {"GOOD-1", "PITS-1", "SCRATCH-1"}


def test_whole_scans_have_the_class_of_the_part(labelled: Plant, tmp_path: Path) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", "--kind", "whole")
    data = read_data(tmp_path / "d")
    assert {file.part_id for file in data.manifest.files} == {"GOOD-1", "GOOD-2", "PITS-1", "PITS-2", "SCRATCH-1"}
    assert sorted(data.labels.tolist()) == [0, 0, PITS, PITS, SCRATCHES]
    assert set(data.levels.tolist()) == {Level.PATCH}


def test_what_is_asked_of_records_needs_records(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "a").mkdir(parents=True)
    told = refused(tmp_path / "d", "--from", tmp_path / "pictures", "--since", "2026-05-01")
    assert "--since: asked of records, and none are given" in told
    assert "give --from, or --records" in refused(tmp_path / "d")
    assert "is no time" in refused(tmp_path / "d", "--records", tmp_path, "--since", "yesterday")


def test_a_patch_whose_label_contradicts_a_box_on_it_is_named_and_not_learnt_from(plant: Plant, tmp_path: Path) -> None:
    plant.say("PITS-2", "defect_free", "bob", Patch(0, GEOMETRY))
    told = made(tmp_path / "d", "--records", plant.folder, "--split", "100/0/0")
    assert f"{plant.ids['PITS-2']}.png: patch 0: the label is another than what is marked there" in told
    data = read_data(tmp_path / "d")
    assert data.labels[rows_of(data, "PITS-2")].tolist() == [-1] * 16
    assert set(data.levels[rows_of(data, "PITS-2")].tolist()) == {Level.PART}, "it may be there all the same"


def test_a_data_folder_without_records_or_labels_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("data", "nowhere"):
        told = refused(tmp_path / "d", "--records", tmp_path / name)
        assert f"{tmp_path / name} has neither records nor labels" in told


def test_what_was_taken_is_shown_with_the_labels_that_it_rests_on(labelled: Plant, tmp_path: Path) -> None:
    made(tmp_path / "d", "--records", labelled.folder, "--split", "100/0/0", "--trust-verdicts", "defect_free")
    shown = CliRunner().invoke(app, ["dataset", "show", str(tmp_path / "d"), "--verify"])
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.output.split())
    labels = source_of(read_data(tmp_path / "d")).labels
    assert labels is not None
    assert "records data, for all splits: 6 taken; --trust-verdicts defect_free; 1 on the station's own verdict" in told
    assert f"7 labels to 2026-05-02T12:00:00.000Z, {labels.sha256[:12]}; left out 1: it cannot be judged" in told
    assert "only their part is labelled │ 45 │" in told
