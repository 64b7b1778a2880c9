"""Files as the trade's programs write them are read as the labels that they mean."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from station.labels.formats.registry import FORMATS
from station.labels.formats.source import WrongFileError
from station.labels.label import Box, Label, Patch, WholePart
from tests.unit.label_files import GEOMETRY, classes_of, make_scan, read, written
from tests.unit.label_samples import COCO, CVAT, STUDIO, YOLO


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for number in (1, 2):
        make_scan(tmp_path / "scans" / f"{number}.png", number)
    return tmp_path / "scans"


def places(labels: list[Label]) -> list[tuple[Any, str]]:
    return [(label.region, label.class_name) for label in labels]


def test_coco(scans: Path, tmp_path: Path) -> None:
    path = written(tmp_path, {"instances.json": json.dumps(COCO)}) / "instances.json"
    assert places(read("coco", path, scans)) == [(Box(3, 2, 6, 5), "pit"), (Box(20, 10, 44, 2), "scratch")]
    told = FORMATS["coco"].read(path).left_out
    assert [line.partition(": ")[2] for line in told] == [
        "the outlines of 1 annotations (segmentation); their boxes are taken",
        "1 pictures without annotations; of them nothing is said",
    ]


def test_cvat(scans: Path, tmp_path: Path) -> None:
    path = written(tmp_path, {"annotations.xml": CVAT}) / "annotations.xml"
    assert places(read("cvat", path, scans)) == [(Box(3, 2, 6, 5), "pit"), (WholePart(), "scratch")]
    told = FORMATS["cvat"].read(path).left_out
    assert [line.partition(": ")[2] for line in told] == [
        "1 attributes of tags and boxes",
        "1 pictures without annotations; of them nothing is said",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "tf-8", "utf-7", "UTF-16"])
def test_xml_is_utf_8_whatever_it_says_of_itself(encoding: str, tmp_path: Path) -> None:
    text = "\ufeff" + CVAT.replace("utf-8", encoding).replace("1.png", "ä.png")
    (first, *_rest) = FORMATS["cvat"].read(written(tmp_path, {"a.xml": text}) / "a.xml").entries
    assert first.picture.file == "ä.png"


def test_label_studio(scans: Path, tmp_path: Path) -> None:
    path = written(tmp_path, {"export.json": json.dumps(STUDIO)}) / "export.json"
    labels = read("label-studio", path, scans)
    assert places(labels) == [(Box(3, 2, 6, 5), "pit"), (WholePart(), "scratch")]
    assert {(label.who, label.at.isoformat()) for label in labels} == {
        ("anna@plant.example", "2021-03-09T22:16:08.728353+00:00")
    }
    told = FORMATS["label-studio"].read(path).left_out
    assert [line.partition(": ")[2] for line in told] == [
        "1 annotations that were skipped (was_cancelled)",
        "1 predictions, which nobody has said",
        "1 pictures without annotations; of them nothing is said",
    ]


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/data/local-files/?d=scans/%C3%A4%201.png", "scans/ä 1.png"),
        ("https://example.com/a/1%20b.png?x=1", "/a/1 b.png"),
        ("/data/upload/7/0d1b1c5f-1.png", "1.png"),
        ("s3://bucket/day/1.png", "/day/1.png"),
        ("1.png", "1.png"),
        ("0d1b1c5f-1.png", "0d1b1c5f-1.png"),
        ("100%.png", "100%.png"),
    ],
)
def test_the_file_of_an_address_of_label_studio(address: str, file: str, tmp_path: Path) -> None:
    task = [{"data": {"image": address}, "annotations": [{"result": STUDIO[0]["annotations"][0]["result"][1:]}]}]
    path = written(tmp_path, {"export.json": json.dumps(task)}) / "export.json"
    assert FORMATS["label-studio"].read(path).entries[0].picture.file == file


def test_yolo(scans: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "yolo", YOLO)
    assert places(read("yolo", folder, scans)) == [(Box(3, 2, 6, 5), "pit"), (Box(0, 0, 64, 48), "scratch")]
    assert FORMATS["yolo"].read(folder).left_out == (
        f"{folder / 'labels'}: 1 pictures without a box; of them nothing is said",
    )


def test_yolo_in_one_folder_with_a_list_of_classes(scans: Path, tmp_path: Path) -> None:
    files = {"classes.txt": "pit\nscratch\n", "train.txt": "data/1.png\n", "1.txt": "1 0.5 0.5 1 1\n"}
    assert places(read("yolo", written(tmp_path / "yolo", files), scans)) == [(Box(0, 0, 64, 48), "scratch")]


@pytest.mark.parametrize(
    "names",
    [
        "names: ['pit', 'a b']",
        'names: [pit, "a b"]',
        "names:\n- pit\n- a b\nnc: 2",
        "names:\n  - 'pit'\n\n  - a b  # two\nnc: 2",
        "path: .\nnames:\n  0: pit\n  1: 'a b'\ndownload: no",
        "names: {0: pit, 1: 'a b'}",
        "# names: [x]\nnames:  # two\n  1: a b\n  0: pit",
    ],
)
def test_the_ways_to_name_classes_in_data_yaml(names: str, scans: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "yolo", {"data.yaml": names, "labels/1.txt": "1 .5 .5 1 1\n0 .5 .5 .5 .5\n"})
    assert [entry.class_name for entry in FORMATS["yolo"].read(folder).entries] == ["a b", "pit"]


def test_class_folders(tmp_path: Path) -> None:
    make_scan(tmp_path / "sorted" / "pit" / "1.png", 1)
    make_scan(tmp_path / "sorted" / "scratch" / "1.png", 2)
    written(tmp_path / "sorted", {"Thumbs.db": "", "pit/notes.txt": "", "pit/.1.png": "", "pit/deep/3.png": ""})
    assert classes_of(read("class-folders", tmp_path / "sorted")) == ["pit", "scratch"]
    assert len(FORMATS["class-folders"].read(tmp_path / "sorted").left_out) == 4


def test_patch_folders_need_no_scan_and_no_picture(tmp_path: Path) -> None:
    name = f"{'0a' * 32}_64-32-16-2_p003.png"
    files = {f"pit/{name}": "", f"unlabelled/{'0b' * 32}_64-32-16-2_p000.png": "", "pit/copy of it.png": ""}
    folder = written(tmp_path / "sorted", files)
    assert places(read("patch-folders", folder)) == [(Patch(3, GEOMETRY), "pit")]
    told = FORMATS["patch-folders"].read(folder).left_out
    assert [line.partition(": ")[2] for line in told] == [
        "it is no patch in a folder of a class",
        "1 patches that are not sorted yet",
    ]


def test_a_table_by_hand_needs_two_columns(scans: Path, tmp_path: Path) -> None:
    files = {
        "a.csv": "\ufeffclass,file\r\npit,1.png\r\n\r\nscratch,sub\\2.png\r\n",
        "a.jsonl": '{"file":"2","class":"pit"}',
    }
    written(tmp_path, files)
    assert places(read("csv", tmp_path / "a.csv", scans)) == [(WholePart(), "pit"), (WholePart(), "scratch")]
    assert places(read("jsonl", tmp_path / "a.jsonl", scans)) == [(WholePart(), "pit")]


def test_a_table_of_a_spreadsheet_with_semicolons(tmp_path: Path) -> None:
    written(tmp_path, {"a.csv": '\ufeffclass;file;note\r\npit;1.png;"1,5; mm"\r\n'})
    (entry,) = FORMATS["csv"].read(tmp_path / "a.csv").entries
    assert (entry.class_name, entry.picture.file, entry.said.note) == ("pit", "1.png", "1,5; mm")


def test_links_are_followed_and_each_folder_is_read_once(tmp_path: Path) -> None:
    make_scan(tmp_path / "elsewhere" / "1.png", 1)
    (tmp_path / "sorted").mkdir()
    (tmp_path / "sorted" / "pit").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "sorted" / "scratch").symlink_to(tmp_path / "sorted")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "sorted")
    assert classes_of(read("class-folders", tmp_path / "sorted")) == ["pit"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_scan(tmp_path / "pit" / "1.png", 1)
    make_scan(tmp_path / "scratch" / "2.png", 2)
    listed = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("scratch"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(WrongFileError, match="scratch: it cannot be read: Permission denied"):
        FORMATS["class-folders"].read(tmp_path)
