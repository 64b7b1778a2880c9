"""What is wrong in a file of labels is told with its place, whatever it is."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import LabelError
from station.labels.formats import source
from station.labels.formats.registry import FORMATS
from station.labels.formats.source import WrongFileError
from tests.unit.label_files import make_scan, read, written
from tests.unit.label_samples import COCO, CVAT, STUDIO


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


@pytest.mark.parametrize(("name", "content", "told"), WRONG, ids=[f"{one[0]}-{one[2]}" for one in WRONG])
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


@pytest.mark.parametrize(("name", "files", "told"), WRONG_FOLDERS, ids=[f"{one[0]}-{one[2]}" for one in WRONG_FOLDERS])
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


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for number in (1, 2):
        make_scan(folder / f"{number}.png", number)
    return folder


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
    name: str, data: st.DataObject, tmp_path: Path, scans: Path
) -> None:
    written(tmp_path, {"labels": json.dumps(with_anything(SAMPLES[name], data))})
    with contextlib.suppress(WrongFileError, LabelError):
        read(name, tmp_path / "labels", scans)


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
@USUAL
def test_a_file_with_anything_in_it_is_read_or_refused_in_words(
    name: str, data: st.DataObject, tmp_path: Path, scans: Path
) -> None:
    text = TEXTS[name].encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    (tmp_path / "labels").write_bytes(text[:start] + data.draw(st.binary(max_size=12)) + text[end:])
    with contextlib.suppress(WrongFileError, LabelError):
        read(name, tmp_path / "labels", scans)
