"""Label Studio's JSON: a task a picture, in it annotations, in these a choice of the part's class, and rectangles.

A rectangle has left, top, width and height in percent of the picture. Skipped annotations (`was_cancelled`) and what a
network foretold (`predictions`) are left out, with a word; other shapes, turned rectangles or pictures, and several
classes in one place are refused. An annotation says who made it and when, so that two people may differ. Who it was is
not written, because Label Studio takes only people that it knows. What is written fits this labelling interface:

    <View>
      <Image name="image" value="$image"/>
      <Choices name="part" toName="image"><Choice value="scratches"/>…</Choices>
      <RectangleLabels name="box" toName="image"><Label value="scratches"/>…</RectangleLabels>
    </View>

The picture is what the task's data name: an address, of which the file's name is taken, also behind
`/data/local-files/?d=`, or of an upload, which begins with eight digits and a hyphen that Label Studio puts there.
Source: Label Studio, task format; RectangleLabels, Choices; import of local files.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from station.core.durable import write_whole
from station.core.moments import moment
from station.labels.formats.entry import Entry, Found, Picture, PictureName, Said, Sheet
from station.labels.formats.json_source import JsonItem, parse_json
from station.labels.formats.rectangle import PictureSize, Rectangle, Share
from station.labels.formats.source import read_text
from station.labels.label import Box, Label, WholePart

LOCAL = "/data/local-files/?d="
_UPLOADED = re.compile(r"/data/upload/.*/[0-9a-f]{8}-(.+)", re.DOTALL)

# ---------------------------------------------------------------------- read


def read_label_studio(path: Path) -> Found:
    """What a file says.

    Raises:
        WrongFileError: It cannot be read, is no export of tasks, or has what no label can be.
    """
    tasks = list(parse_json(read_text(path), str(path)).items())
    entries = tuple(entry for task in tasks for entry in _entries(task))
    return Found(entries, tuple(_left_out(path, tasks)))


def _entries(task: JsonItem) -> Iterator[Entry]:
    picture = _picture(task.get("data"))
    for annotation in _annotations(task):
        said = Said(who=_person(annotation.get("completed_by")), at=_moment(annotation.get("created_at")))
        for result in annotation.get("result").items():
            yield _entry(result, picture, said)


def _annotations(task: JsonItem) -> Iterator[JsonItem]:
    for annotation in task.get("annotations").items():
        if not annotation.get("was_cancelled").value:
            yield annotation


def _picture(data: JsonItem) -> PictureName:
    """The picture that a task's data name: under `image`, or in the only text there is."""
    if not isinstance(data.value, dict):
        raise data.wrong("an object is expected")
    texts = [name for name, value in data.value.items() if isinstance(value, str) and name != "sha256"]
    name = "image" if "image" in data else texts[0] if len(texts) == 1 else ""
    if not name:
        raise data.wrong("it does not tell which of its texts is the picture; call that image")
    sha256 = data.get("sha256").text() if "sha256" in data else ""
    return PictureName(file=_file(data.get(name).text()), sha256=sha256)


def _file(address: str) -> str:
    parts = urlsplit(address)
    if local := parse_qs(parts.query).get("d"):
        return local[0]
    path = unquote(parts.path) if parts.scheme or address.startswith("/") else address
    uploaded = _UPLOADED.fullmatch(path)
    return uploaded[1] if uploaded else path


def _person(item: JsonItem) -> str | None:
    if isinstance(item.value, dict):
        return item.get("email").text() if "email" in item else None
    return None if item.value is None else f"user {item.whole()}"


def _moment(item: JsonItem) -> datetime | None:
    if item.value is None:
        return None
    try:
        return moment(item.text()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise item.wrong("it is no time") from None


def _entry(result: JsonItem, picture: PictureName, said: Said) -> Entry:
    kind, value = result.get("type").text(), result.get("value")
    if kind == "choices" and "x" not in value:
        return Entry(result.where, picture, WholePart(), _one(value.get("choices")), said)
    if kind != "rectanglelabels":
        raise result.wrong(f"{kind} of {picture}: labels are rectanglelabels, and choices of the whole picture")
    if any(item.value and item.number() % 360 for item in (value.get("rotation"), result.get("image_rotation"))):
        raise result.wrong("a turned rectangle or picture; make it an upright one")
    left, top, width, height = (value.get(name).number() for name in ("x", "y", "width", "height"))
    percent = Rectangle(left, top, left + width, top + height)
    picture = PictureName(picture.file, picture.sha256, size=_size(result))
    return Entry(result.where, picture, Share(percent.scaled(0.01, 0.01)), _one(value.get("rectanglelabels")), said)


def _one(names: JsonItem) -> str:
    found = [name.text() for name in names.items()]
    if len(found) != 1:
        raise names.wrong(f"one class is expected, there are {len(found)}: {', '.join(found[:5])}")
    return found[0]


def _size(result: JsonItem) -> PictureSize | None:
    if "original_width" not in result and "original_height" not in result:
        return None
    return PictureSize(result.get("original_height").whole(), result.get("original_width").whole())


def _left_out(path: Path, tasks: list[JsonItem]) -> Iterator[str]:
    if skipped := sum(len(list(t.get("annotations").items())) - len(list(_annotations(t))) for t in tasks):
        yield f"{path}: {skipped} annotations that were skipped (was_cancelled)"
    if foretold := sum(len(list(task.get("predictions").items())) for task in tasks):
        yield f"{path}: {foretold} predictions, which nobody has said"
    if bare := sum(not any(one.value.get("result") for one in _annotations(task)) for task in tasks):
        yield f"{path}: {bare} pictures without annotations; of them nothing is said"


# ---------------------------------------------------------------------- written


def write_label_studio(path: Path, sheet: Sheet) -> None:
    """Write choices and rectangles."""
    tasks = [_task(number, *of_picture) for number, of_picture in enumerate(sheet.by_picture(), 1)]
    write_whole(path, json.dumps(tasks, ensure_ascii=False, indent=1).encode() + b"\n")


def _task(number: int, picture: Picture, labels: list[Label]) -> dict[str, Any]:
    result = [_result(f"r{place}", picture, label) for place, label in enumerate(labels)]
    data = {"image": LOCAL + quote(picture.name), "sha256": picture.sha256}
    return {"id": number, "data": data, "annotations": [{"id": number, "result": result}]}


def _result(number: str, picture: Picture, label: Label) -> dict[str, Any]:
    lines, columns = picture.size
    size = {"original_width": columns, "original_height": lines, "image_rotation": 0}
    common = {"id": number, "to_name": "image", **size}
    match label.region:
        case WholePart():
            value: dict[str, Any] = {"choices": [label.class_name]}
            return {**common, "from_name": "part", "type": "choices", "value": value}
        case Box() as box:
            percent = Share.of(box, picture.size).shares.scaled(100, 100)
            value = {"x": percent.left, "y": percent.top, "width": percent.width, "height": percent.height}
            value |= {"rotation": 0, "rectanglelabels": [label.class_name]}
            return {**common, "from_name": "box", "type": "rectanglelabels", "value": value}
        case region:
            raise TypeError(f"Label Studio has no {region}")
