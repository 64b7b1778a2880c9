"""Files as the trade's programs write them, typed in from their documents; what is wrong is told with its place."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.labels.formats import source
from station.labels.formats.rectangle import PictureSize, Rectangle, Share
from station.labels.formats.registry import FORMATS
from station.labels.formats.source import WrongFileError
from station.labels.label import Box, Label, Patch, WholePart
from tests.unit.label_files import GEOMETRY, classes_of, make_scan, read, written

COCO: dict[str, Any] = {
    "info": {"year": 2026, "version": "1.0"},
    "licenses": [{"id": 1, "name": "CC BY 4.0", "url": ""}],
    "images": [
        {"id": 242287, "license": 1, "file_name": "train/1.png", "width": 48, "height": 64, "date_captured": ""},
        {"id": 245915, "license": 1, "file_name": "2.png", "width": 48, "height": 64},
    ],
    "annotations": [
        {
            "id": 125686, "category_id": 7, "iscrowd": 0, "image_id": 242287, "area": 30.0,
            "segmentation": [[2.0, 3.0, 7.0, 3.0, 7.0, 9.0]], "bbox": [2.0, 3.0, 5.0, 6.0],
        },
        {"id": 1, "category_id": 0, "image_id": 242287, "bbox": [10.5, 20.25, 0.6, 43.75]},
    ],
    "categories": [
        {"supercategory": "defect", "id": 7, "name": "pit"}, {"supercategory": "defect", "id": 0, "name": "scratch"},
    ],
}  # fmt: skip
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><name>spools</name><size>2</size><mode>annotation</mode><labels>
    <label><name>pit</name><type>any</type><attributes></attributes></label></labels></task>
    <dumped>2026-05-01 06:00:00.000000+00:00</dumped></meta>
  <image id="0" name="1.png" width="48" height="64">
    <box label="pit" source="manual" occluded="0" xtl="2.00" ytl="3.00" xbr="7.00" ybr="9.00" z_order="0">
      <attribute name="sure">yes</attribute>
    </box>
    <tag label="scratch" source="manual">
    </tag>
  </image>
  <image id="1" name="2.png" width="48" height="64">
  </image>
</annotations>
"""
STUDIO: list[dict[str, Any]] = [
    {
        "id": 1, "created_at": "2021-03-09T21:52:49.513742Z", "project": 83,
        "data": {"image": "/data/upload/83/e875f554-1.png"},
        "annotations": [{
            "id": 1001, "was_cancelled": False, "ground_truth": False, "created_at": "2021-03-09T22:16:08.728353Z",
            "completed_by": {"id": 10, "email": "anna@plant.example"}, "lead_time": 4.288,
            "result": [
                {
                    "from_name": "tag", "id": "Dx_aB91ISN", "source": "$image", "to_name": "img",
                    "type": "rectanglelabels", "original_width": 48, "original_height": 64, "image_rotation": 0,
                    "value": {
                        "x": 4.166666666666667, "y": 4.6875, "width": 10.416666666666668, "height": 9.375,
                        "rotation": 0, "rectanglelabels": ["pit"],
                    },
                },
                {
                    "from_name": "choice", "id": "CkRNBWbSiK", "to_name": "img", "type": "choices",
                    "value": {"choices": ["scratch"]},
                },
            ],
        }, {"completed_by": 11, "was_cancelled": True, "result": []}],
        "predictions": [{"model_version": "model 1", "result": []}],
    },
    {"id": 2, "data": {"image": "/data/local-files/?d=scans/2.png"}, "annotations": []},
]  # fmt: skip
YOLO = {
    "data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['pit', 'scratch']  # two\n",
    "labels/train/1.txt": "0 0.09375 0.09375 0.104167 0.09375\n1 0.5 0.5 1 1\n",
    "labels/train/2.txt": "",
}


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


# ---------------------------------------------------------------------- what is wrong


def coco(**changed: Any) -> str:
    annotation = COCO["annotations"][0] | changed
    return json.dumps(COCO | {"annotations": [annotation]})


def studio(result: dict[str, Any]) -> str:
    usual = STUDIO[0]["annotations"][0]["result"][0]
    return json.dumps([{"data": {"image": "1.png"}, "annotations": [{"result": [usual | result]}]}])


def value(**changed: Any) -> dict[str, Any]:
    return {"value": STUDIO[0]["annotations"][0]["result"][0]["value"] | changed}


HEAD = "file,class,level,line,column,height,width\n"
GEOMETRY_HEAD = "file,class,level,patch,lines_per_turn,lines_per_block,patch_px,patches_per_strip\n"

WRONG = [
    ("csv", "", "line 1: it must name the columns"),
    ("csv", "file,kind\n", "line 1: no column is named 'kind'; there are inspection_id"),
    ("csv", "file,file,class\n", "line 1: it must name the columns, each once"),
    ("csv", "file,class\n1.png,pit\n2.png\n", "line 3: it has 1 values for 2 columns"),
    ("csv", 'file,class\n"a\nb",pit\n1.png,\n', "line 4: it has no class"),
    ("csv", 'file,class\n"1.png,pit\n', "line 2: unexpected end of data"),
    ("csv", "file,class\n,pit\n", "line 2: it names no picture: give one of"),
    ("csv", HEAD + "1.png,pit,box,1,2,3,\n", "line 2: a label of level box needs width"),
    ("csv", HEAD + "1.png,pit,part,1,,,\n", "line 2: a label of level part has no line"),
    ("csv", HEAD + "1.png,pit,corner,,,,\n", "line 2: level 'corner' is none of part, patch, box, mask"),
    ("csv", HEAD + "1.png,pit,box,-1,2,3,4\n", "line 2: line '-1' is no whole number"),
    ("csv", HEAD + "1.png,pit,box,1,2,3,9999999999\n", "line 2: width '9999999999' is no whole number"),
    ("csv", HEAD + "1.png,pit,box,1,2,0,4\n", "line 2: box 1,2,0,4"),
    ("csv", GEOMETRY_HEAD + "1.png,pit,patch,4,64,32,16,2\n", "line 2: there is no patch 4: they are 0 to 3"),
    ("csv", GEOMETRY_HEAD + "1.png,pit,patch,4,64,33,16,2\n", "line 2: 64 lines a turn are no whole number of blocks"),
    ("csv", "file,class,at\n1.png,pit,yesterday\n", "line 2: at 'yesterday' is no time"),
    ("csv", "file,class,at\n1.png,pit,0001-01-01T00:00+10:00\n", "line 2: at '0001-01-01T00:00"),
    ("csv", "file,class,source\n1.png,pit,rumour\n", "line 2: source 'rumour' is none of person"),
    ("csv", "scan_sha256,class,level,mask_sha256\n" + "ab" * 32 + ",pit,mask,xy\n", "line 2: 'xy' is no SHA-256"),
    ("csv", "file,class\n" + "x" * 200_000 + ",pit\n", "field larger than field limit"),
    ("jsonl", '{"file":"1.png","class":"pit"}\n{"file"\n', "line 2: it is no JSON"),
    ("jsonl", "[1]\n", "line 1: an object is expected"),
    ("jsonl", '{"file":"1.png","class":["pit"]}\n', "line 1: class: a text, a whole number or null"),
    ("jsonl", '{"file":"1.png","class":"pit","colour":"red"}\n', "line 1: unknown: colour; there are"),
    ("jsonl", '{"file":"1.png","file":"2.png","class":"pit"}\n', "line 1: 'file' stands twice in one object"),
    ("coco", "{", "it is no JSON"),
    ("coco", "[]", "it has no images, so it is no COCO instances"),
    ("coco", json.dumps(COCO | {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}), "id 1 stands twice"),
    ("coco", coco(image_id=3), ".annotations[0].image_id: 3 is not in the file's list"),
    ("coco", coco(category_id=3), ".annotations[0].category_id: 3 is not in the file's list"),
    ("coco", coco(category_id=[7]), ".annotations[0].category_id: a whole number is expected"),
    ("coco", coco(bbox=[1, 2, 3]), ".annotations[0].bbox: a box of four numbers is expected"),
    ("coco", coco(bbox=[1, 2, 3, "4"]), ".annotations[0].bbox[3]: a number is expected"),
    ("coco", coco(bbox=[1, 2, 3, 10**400]), ".annotations[0].bbox[3]: the number is too large"),
    ("coco", coco().replace("2.0, 3.0, 5.0", "NaN, 3.0, 5.0"), "NaN is no number of JSON"),
    ("coco", coco(bbox=None), ".annotations[0].bbox: a box of four numbers"),
    ("coco", json.dumps(COCO | {"images": [{"id": 1}]}), ".images[0].file_name: a text is expected"),
    ("coco", json.dumps(COCO | {"annotations": 5}), ".annotations: a list is expected"),
    ("coco", '{"images":' + "9" * 5000 + "}", "Exceeds the limit"),
    ("coco", "[" * 100_000, "nested too deeply"),
    ("coco", '{"images":' * 100_000, "nested too deeply"),
    ("cvat", "<annotations>", "line 1: it is no XML: no element found"),
    ("cvat", CVAT.replace("1.1", "2.0"), "version '2.0': <annotations>, version '1.1' is expected"),
    ("cvat", "<html/>", "line 1: <html>, version ''"),
    ("cvat", CVAT.replace('xtl="2.00"', 'xtl="two"'), 'line 8: xtl="two" is no number'),
    ("cvat", CVAT.replace('xtl="2.00"', ""), "line 8: <box> has no xtl"),
    ("cvat", CVAT.replace("xtl", 'rotation="30.00" xtl'), "line 8: a turned box"),
    ("cvat", CVAT.replace("<tag", "<polygon").replace("</tag", "</polygon"), "line 11: <polygon> of 1.png"),
    ("cvat", CVAT.replace('width="48"', 'width="-48"'), 'line 7: width="-48" is no whole number'),
    ("cvat", CVAT.replace("<image", '<track id="0"></track><image', 1), "line 7: these are annotations of a video"),
    ("cvat", CVAT.replace("?>", '?><!DOCTYPE a [<!ENTITY x "y">]>'), "line 1: it has a document type (<!DOCTYPE)"),
    ("cvat", CVAT.replace("?>", '?><!DOCTYPE a SYSTEM "http://x/y">'), "line 1: it has a document type (<!DOCTYPE)"),
    ("cvat", CVAT.replace("4</id>", "&x;</id>"), "line 4: it is no XML: undefined entity"),
    ("cvat", "<a>" * 5000, "too many elements, or too many within each other"),
    ("label-studio", "{}", "a list is expected"),
    ("label-studio", "[{}]", "[0].data: an object is expected"),
    ("label-studio", '[{"data":{"a":"1.png","b":"x"},"annotations":[]}]', "which of its texts is the picture"),
    ("label-studio", studio({"type": "polygonlabels"}), "polygonlabels of 1.png: labels are rectanglelabels, and"),
    ("label-studio", studio({"type": "choices"} | value(choices=["pit"])), "choices of 1.png: labels are rect"),
    ("label-studio", studio({"image_rotation": 90}), "a turned rectangle or picture"),
    ("label-studio", studio(value(rotation=12.5)), "a turned rectangle or picture"),
    ("label-studio", studio(value(rectanglelabels=["pit", "scratch"])), "one class is expected, there are 2: pit, scr"),
    ("label-studio", studio(value(rectanglelabels=[])), "one class is expected, there are 0"),
    ("label-studio", studio(value(x=None)), ".value.x: a number is expected"),
    ("label-studio", studio({"type": "choices", "value": {"choices": ["pit", "scratch"]}}), "one class is expected"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "told"), WRONG)
def test_what_is_wrong_in_a_file_is_told_with_its_place(name: str, content: str, told: str, tmp_path: Path) -> None:
    path = written(tmp_path, {"labels": content}) / "labels"
    with pytest.raises(WrongFileError) as raised:
        FORMATS[name].read(path)
    assert str(raised.value).startswith(str(path))
    assert told in str(raised.value)


WRONG_FOLDERS = [
    ("yolo", {"labels/1.txt": ""}, "it has neither data.yaml nor classes.txt"),
    ("yolo", {"classes.txt": "a\n\nb\n", "1.txt": ""}, "classes.txt line 2: '' is no name"),
    ("yolo", {"classes.txt": "a\na\n", "1.txt": ""}, "classes.txt line 2: 'a' is no name, or number or name stand"),
    ("yolo", {"classes.txt": "", "1.txt": ""}, "classes.txt: it names no class"),
    ("yolo", {"classes.txt": "a\n", "data.yaml": "names: [b]", "1.txt": ""}, "it does not name the same classes as"),
    ("yolo", {"classes.txt": "a\n"}, "it has no text file of a picture"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "0 0.5 0.5 1 1\n0 0.5 0.5 1\n"}, "1.txt line 2: 4 numbers, a box has 5"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "0 0.5 0.5 1 1 0.9\n"}, "1.txt line 1: 6 numbers, a box has 5"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "1 0.5 0.5 1 1\n"}, "1.txt line 1: class 1 has no name"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "-1 0.5 0.5 1 1\n"}, "1.txt line 1: class -1 has no name"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "0 24 32 5 5\n"}, "1.txt line 1: shares of the picture's size"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "0 nan 0.5 1 1\n"}, "1.txt line 1: shares of the picture's size"),
    ("yolo", {"classes.txt": "a\n", "1.txt": "0 x 0.5 1 1\n"}, "1.txt line 1: '0 x 0.5 1 1' are no numbers"),
    ("yolo", {"data.yaml": "nc: 2\n", "1.txt": ""}, "data.yaml: it must have names: once"),
    ("yolo", {"data.yaml": "names: &x [a]\n", "1.txt": ""}, "data.yaml line 1: names must be a list"),
    ("yolo", {"data.yaml": "names: [a,\n  b]\n", "1.txt": ""}, "data.yaml line 1: names must be a list"),
    ("yolo", {"data.yaml": "names: [a, [b]]\n", "1.txt": ""}, "data.yaml line 1: '[b]' is no name"),
    ("yolo", {"data.yaml": "names: [a" + " " * 200_000 + "'b]", "1.txt": ""}, "data.yaml line 1: 'a  "),
    ("yolo", {"data.yaml": "names: {a: 0}\n", "1.txt": ""}, "data.yaml line 1: 'a: 0' is no number with a name"),
    ("yolo", {"data.yaml": "names:\n  0: a\n  0: b\n", "1.txt": ""}, "data.yaml line 3: 'b' is no name, or number"),
    ("yolo", {"data.yaml": "names:\n  a\n", "1.txt": ""}, "data.yaml line 2: 'a' is no name of a class"),
    ("class-folders", {"1.png": ""}, "it has no scan (.bmp, .png, .tif, .tiff) in a folder of a class"),
    ("patch-folders", {"pit/1.png": ""}, "it has no patch in a folder of a class, 0 are not sorted yet"),
    ("patch-folders", {f"pit/{'0a' * 32}_64-32-16-2_p004.png": ""}, "p004.png: there is no patch 4"),
    ("patch-folders", {f"pit/{'0a' * 32}_64-0-16-2_p004.png": ""}, "p004.png: lines and patches are counted from 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "files", "told"), WRONG_FOLDERS)
def test_what_is_wrong_in_a_folder_is_told_with_its_place(
    name: str, files: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongFileError) as raised:
        FORMATS[name].read(written(tmp_path / "folder", files))
    assert str(raised.value).startswith(str(tmp_path / "folder"))
    assert told in str(raised.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_not_there_or_another_kind_of_thing(name: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x89PNG\xff\xfe\0")
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "missing", tmp_path / "binary", tmp_path / "empty"):
        with pytest.raises(WrongFileError, match=str(place)):
            FORMATS[name].read(place)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.is_folder])
def test_a_file_of_any_size_is_not_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 1000)
    (tmp_path / "labels").write_bytes(b" " * 1001)
    with pytest.raises(WrongFileError, match="cut it into several"):
        FORMATS[name].read(tmp_path / "labels")


def test_a_folder_of_any_number_of_files_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_ITEMS", 3)
    with pytest.raises(WrongFileError, match="more than 3 files"):
        FORMATS["class-folders"].read(written(tmp_path, {f"pit/{number}.png": "" for number in range(4)}))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
SAMPLES = {"coco": COCO, "label-studio": STUDIO}
TEXTS = {
    "coco": json.dumps(COCO),
    "label-studio": json.dumps(STUDIO),
    "cvat": CVAT,
    "csv": HEAD + "1.png,pit,box,1,2,3,4\n2.png,pit,,,,,\n",
    "jsonl": '{"file": "1.png", "class": "pit"}\n{"scan_sha256": "' + "ab" * 32 + '", "class": "pit", "note": "x"}\n',
}
USUAL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def with_anything(value: Any, data: st.DataObject) -> Any:
    """A document in which something is another thing."""
    if data.draw(st.integers(0, 4)) == 0 or not isinstance(value, dict | list) or not value:
        return data.draw(ANYTHING)
    if isinstance(value, list):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], with_anything(value[place], data), *value[place + 1 :]]
    name = data.draw(st.sampled_from(sorted(value)))
    return value | {name: with_anything(value[name], data)}


@pytest.mark.parametrize("name", SAMPLES)
@given(data=st.data())
@USUAL
def test_a_document_with_anything_in_it_is_read_or_refused_in_words(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    written(tmp_path, {"labels": json.dumps(with_anything(SAMPLES[name], data))})
    with contextlib.suppress(WrongFileError):
        FORMATS[name].read(tmp_path / "labels")


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
@USUAL
def test_a_file_with_anything_in_it_is_read_or_refused_in_words(name: str, data: st.DataObject, tmp_path: Path) -> None:
    text = TEXTS[name].encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    (tmp_path / "labels").write_bytes(text[:start] + data.draw(st.binary(max_size=12)) + text[end:])
    with contextlib.suppress(WrongFileError):
        FORMATS[name].read(tmp_path / "labels")


# ---------------------------------------------------------------------- rectangles

SIDES = st.integers(1, 16384)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Box, PictureSize]:
    size = PictureSize(draw(SIDES), draw(SIDES))
    line, column = draw(st.integers(0, size.lines - 1)), draw(st.integers(0, size.columns - 1))
    height, width = draw(st.integers(1, size.lines - line)), draw(st.integers(1, size.columns - column))
    return Box(line, column, height, width), size


@given(boxes(), st.integers(6, 9))
def test_shares_with_six_digits_are_the_same_pixels(sample: tuple[Box, PictureSize], digits: int) -> None:
    box, size = sample
    edges = Share.of(box, size).shares
    across, down = (round((one + other) / 2, digits) for one, other in (
        (edges.left, edges.right), (edges.top, edges.bottom)))  # fmt: skip
    wide, high = round(edges.width, digits), round(edges.height, digits)
    told = Rectangle(across - wide / 2, down - high / 2, across + wide / 2, down + high / 2)
    assert Share(told).box(size) == box


@pytest.mark.parametrize(
    ("edges", "box"),
    [
        ((2, 3, 7, 9), Box(3, 2, 6, 5)),
        ((2.04, 2.96, 7.04, 8.96), Box(3, 2, 6, 5)),
        ((2.06, 3.5, 6.94, 8.06), Box(3, 2, 6, 5)),
        ((-0.04, -0.04, 48.04, 64.04), Box(0, 0, 64, 48)),
        ((5.2, 5.2, 5.4, 5.4), Box(5, 5, 1, 1)),
    ],
)
def test_an_edge_between_is_moved_outwards(edges: tuple[float, ...], box: Box) -> None:
    assert Rectangle(*edges).box(PictureSize(64, 48)) == box


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        ((-1, 0, 5, 5), "is not within the picture of 64 lines of 48 px"),
        ((0, -0.06, 5, 5), "is not within"),
        ((0, 0, 49, 5), "is not within"),
        ((0, 0, 5, 64.1), "is not within"),
        ((5, 5, 5, 9), "has no area"),
        ((5, 9, 7, 5), "has no area"),
        ((4.96, 4, 5.04, 9), "is no pixel wide or high"),
        ((float("nan"), 4, 5, 9), "no number"),
        ((0, 0, float("inf"), 9), "no number"),
    ],
)
def test_what_is_no_box_of_the_picture_is_refused(edges: tuple[float, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Rectangle(*edges).box(PictureSize(64, 48))
