"""A data set on disk is whole or not there, and altered files are noticed."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.dataset import store
from models.dataset.store import (
    SLIVER,
    DataFile,
    DataHeading,
    Entry,
    Level,
    Split,
    read_data,
    verify_images,
    write_data,
)
from models.errors import DatasetError
from models.manifest import ScanGeometry
from tests.disk import Disk

HEADING = DataHeading(
    name="tiny", kind="patches", classes=("good", "bad"), height=8, width=6, source="here", seed=1, shares=(50, 50, 0)
)


def entry(number: int, split: str = "train", images: int = 2, **changed: object) -> Entry:
    pixels = np.full((images, 8, 6), number, np.uint8)
    file = DataFile(path=f"{number}.png", sha256=f"{number:064x}", group=number, label="good", split=split)  # type: ignore[arg-type]
    made = {"file": file, "images": pixels, "labels": np.array([0, SLIVER, 1][:images], np.int16)} | changed
    return Entry(**made)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(tmp_path / "d", HEADING, [entry(1), entry(2, "validation", 3)], 5)
    return tmp_path / "d"


def test_what_was_written_is_read(folder: Path) -> None:
    data = read_data(folder)
    assert data.images[:, 0, 0].tolist() == [1, 1, 2, 2, 2]
    assert data.labels.tolist() == [0, SLIVER, 0, SLIVER, 1]
    assert data.groups.tolist() == [1, 1, 2, 2, 2]
    assert data.files.tolist() == [0, 0, 1, 1, 1]
    assert data.splits.tolist() == [Split.TRAIN] * 2 + [Split.VALIDATION] * 3
    assert data.classes == ("good", "bad")
    assert [file.path for file in data.manifest.files] == ["1.png", "2.png"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["d"]
    verify_images(data)


def test_it_has_its_name_when_all_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    write_data(tmp_path / "sets" / "d", HEADING, [entry(1)], 2)
    assert disk.holds(tmp_path / "sets" / "d")
    assert tmp_path in disk.syncs, "the folder above is new, too"


def test_indices_leave_slivers_out(folder: Path) -> None:
    data = read_data(folder)
    assert data.indices(Split.TRAIN).tolist() == [0]
    assert data.indices(Split.VALIDATION).tolist() == [2, 4]
    assert data.indices(Split.TEST).tolist() == []


def test_the_same_content_has_the_same_hash(folder: Path) -> None:
    again = write_data(folder.with_name("e"), HEADING, [entry(1), entry(2, "validation", 3)], 5)
    assert again.sha256 == read_data(folder).sha256
    other = write_data(folder.with_name("f"), HEADING, [entry(1), entry(3, "validation", 3)], 5)
    assert other.sha256 != again.sha256


def test_nothing_is_overwritten(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(DatasetError) as caught:
        write_data(folder, HEADING, [entry(1)], 2)
    assert caught.value.code == "dataset.exists"
    assert (folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("entries", "count"),
    [
        ([entry(1)], 3),
        ([entry(1), entry(2)], 3),
        ([entry(1, labels=np.array([0, 2], np.int16))], 2),
        ([entry(1, labels=np.array([0], np.int16))], 2),
        ([entry(1, images=2), Entry(entry(1).file, np.zeros((1, 6, 8), np.uint8), np.zeros(1, np.int16))], 3),
    ],
)
def test_entries_that_do_not_fit_leave_nothing_behind(tmp_path: Path, entries: list[Entry], count: int) -> None:
    with pytest.raises(DatasetError) as caught:
        write_data(tmp_path / "d", HEADING, entries, count)
    assert caught.value.code == "dataset.bad_source"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    def untouched() -> Iterator[Entry]:
        pytest.fail("an image was made")
        yield entry(1)

    with pytest.raises(DatasetError) as caught:
        write_data(tmp_path / "d", HEADING, untouched(), 5)
    assert caught.value.code == "dataset.disk_failed"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path) -> None:
    def filling() -> Iterator[Entry]:
        yield entry(1)
        raise OSError(28, "No space left on device")

    with pytest.raises(DatasetError) as caught:
        write_data(tmp_path / "d", HEADING, filling(), 5)
    assert caught.value.code == "dataset.disk_failed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["labels", "groups", "splits", "files", "levels", "parts", "part_labels"])
def test_an_altered_array_is_noticed(folder: Path, name: str) -> None:
    path = folder / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_data(folder)
    assert caught.value.code == "dataset.wrong_hash"


def test_altered_images_are_noticed_by_verifying(folder: Path) -> None:
    path = folder / "images.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        verify_images(read_data(folder))
    assert caught.value.code == "dataset.wrong_hash"


def _manifest_with(folder: Path, **changed: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "images.npy").write_bytes(b"no array"),
        lambda folder: (folder / "labels.npy").unlink(),
        lambda folder: _manifest_with(folder, format=5),
        lambda folder: _manifest_with(folder, images=4),
        lambda folder: _manifest_with(folder, classes=["bad"]),
        lambda folder: _manifest_with(folder, classes=["bad", "worse"]),
        lambda folder: _manifest_with(folder, colour="red"),
        lambda folder: np.save(folder / "labels.npy", np.zeros(4, np.int16)),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(folder: Path, damage: object) -> None:
    damage(folder)  # type: ignore[operator]
    with pytest.raises(DatasetError) as caught:
        read_data(folder)
    assert caught.value.code == "dataset.unreadable"


def test_an_unfinished_data_set_of_a_killed_run_is_in_nobodys_way(tmp_path: Path) -> None:
    left = tmp_path / "d.unfinished"
    left.mkdir()
    (left / "images.npy").write_bytes(b"half")
    assert len(store.write_data(tmp_path / "d", HEADING, [entry(1)], 2).labels) == 2
    assert not left.exists()


LEVELS = np.array([Level.PART, Level.PATCH, Level.MASK, Level.PART], np.uint8)


def weak(number: int, part_label: int | None = 1) -> Entry:
    """Four images of two parts, of which two have no label of their own."""
    return entry(number, images=4, labels=np.array([-1, 0, 1, -1], np.int16), levels=LEVELS, part_label=part_label,
                 per_part=2)  # fmt: skip


def test_levels_and_parts_are_kept_image_by_image(tmp_path: Path) -> None:
    data = write_data(tmp_path / "d", HEADING, [weak(1), entry(2), weak(3, -1)], 10)
    assert data.levels.tolist() == [*LEVELS, Level.PATCH, Level.PATCH, *LEVELS]
    assert data.parts.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert data.part_labels.tolist() == [1, 1, 1, 1, 0, 0, -1, -1, -1, -1]


def test_what_has_no_label_of_its_own_is_told_from_slivers_and_from_what_nobody_knows(tmp_path: Path) -> None:
    data = write_data(tmp_path / "d", HEADING, [weak(1), entry(2), weak(3, -1)], 10)
    assert data.indices(Split.TRAIN).tolist() == [1, 2, 4, 7, 8]
    assert data.unlabelled(Split.TRAIN).tolist() == [0, 3]
    assert data.unlabelled(Split.VALIDATION).tolist() == []


def test_a_part_of_a_class_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        write_data(tmp_path / "d", HEADING, [weak(1, 2)], 4)


def as_format_2(folder: Path, **changed: object) -> Path:
    """A data set as it was before levels were."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | {"format": 2} | changed
    for name in ("levels", "parts", "part_labels"):
        (folder / f"{name}.npy").unlink()
        del manifest["arrays"][name]
    del manifest["sources"]
    for file in manifest["files"]:
        del file["said_sha256"], file["part_id"]
    path.write_text(json.dumps(manifest))
    return folder


def test_patches_of_an_older_data_set_are_labelled_by_masks_and_of_as_many_parts_as_there_are_turns(
    tmp_path: Path,
) -> None:
    geometry = ScanGeometry(lines_per_turn=8, lines_per_block=8, patch_px=8, patches_per_strip=2)
    heading = HEADING.model_copy(update={"geometry": geometry, "width": 8})
    wide = [Entry(one.file, np.zeros((len(one.labels), 8, 8), np.uint8), one.labels) for one in (weak(1), entry(2))]
    write_data(tmp_path / "d", heading, wide, 6)
    data = read_data(as_format_2(tmp_path / "d"))
    assert set(data.levels.tolist()) == {Level.MASK}
    assert data.parts.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.part_labels.tolist() == [0] * 6
    assert data.indices(Split.TRAIN).tolist() == [1, 2, 4]
    assert data.unlabelled(Split.TRAIN).tolist() == []


@pytest.mark.parametrize(
    ("kind", "parts", "level"),
    [
        ("patches", [0, 0, 1, 1, 1], Level.MASK),
        ("whole", [0, 1, 2, 3, 4], Level.PATCH),
        ("class_folders", [0, 1, 2, 3, 4], Level.PATCH),
    ],
)
def test_without_a_geometry_a_file_is_a_part_and_a_picture_one_of_its_own(
    folder: Path, kind: str, parts: list[int], level: Level
) -> None:
    data = read_data(as_format_2(folder, kind=kind))
    assert data.parts.tolist() == parts
    assert set(data.levels.tolist()) == {level}


def test_an_older_data_set_may_be_empty(tmp_path: Path) -> None:
    write_data(tmp_path / "d", HEADING, [], 0)
    assert len(read_data(as_format_2(tmp_path / "d")).parts) == 0
