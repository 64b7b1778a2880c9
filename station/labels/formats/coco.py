"""COCO instances: pictures, categories, and boxes with a category.

A box is `[x, y, width, height]` in px from the outer top left corner; ids are whole numbers that mean nothing but which
picture and which category an annotation is of. Pictures without annotations are in the list, too: of them nothing is
said. Of an annotation with an outline (`segmentation`) the box is taken, and that is told. Ids are written from 1 on:
some programs take category 0 for the background.
Source: COCO, data format, object detection.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from station.core.durable import write_whole
from station.labels.formats.entry import Entry, Found, Picture, PictureName, Sheet
from station.labels.formats.json_source import JsonItem, parse_json
from station.labels.formats.rectangle import PictureSize, Rectangle
from station.labels.formats.source import read_text
from station.labels.label import Box, Label

Listed = TypeVar("Listed")

# ---------------------------------------------------------------------- read


def read_coco(path: Path) -> Found:
    """What a file says.

    Raises:
        WrongFileError: It cannot be read, or is no COCO instances.
    """
    document = parse_json(read_text(path), str(path))
    for name in ("images", "annotations", "categories"):
        if name not in document:
            raise document.wrong(f"it has no {name}, so it is no COCO instances")
    pictures = _by_id(document.get("images"), _picture)
    categories = _by_id(document.get("categories"), lambda item: item.get("name").text())
    annotations = list(document.get("annotations").items())
    entries = tuple(_entry(item, pictures, categories) for item in annotations)
    return Found(entries, tuple(_left_out(path, annotations, pictures)))


def _by_id(items: JsonItem, made: Callable[[JsonItem], Listed]) -> dict[int, Listed]:
    listed: dict[int, Listed] = {}
    for item in items.items():
        number = item.get("id").whole()
        if number in listed:
            raise item.wrong(f"id {number} stands twice")
        listed[number] = made(item)
    return listed


def _picture(item: JsonItem) -> PictureName:
    size = None
    if "width" in item or "height" in item:
        size = PictureSize(item.get("height").whole(), item.get("width").whole())
    return PictureName(file=item.get("file_name").text(), size=size)


def _entry(item: JsonItem, pictures: dict[int, PictureName], categories: dict[int, str]) -> Entry:
    picture, category = item.get("image_id"), item.get("category_id")
    for one, listed in ((picture, pictures), (category, categories)):
        if one.whole() not in listed:
            raise one.wrong(f"{one.value} is not in the file's list")
    box = [number.number() for number in item.get("bbox").items()]
    if len(box) != 4:
        raise item.get("bbox").wrong("a box of four numbers is expected: x, y, width, height")
    left, top, width, height = box
    rectangle = Rectangle(left, top, left + width, top + height)
    return Entry(item.where, pictures[picture.value], rectangle, categories[category.value])


def _left_out(path: Path, annotations: list[JsonItem], pictures: dict[int, PictureName]) -> Iterator[str]:
    if outlined := sum("segmentation" in item and bool(item.value["segmentation"]) for item in annotations):
        yield f"{path}: the outlines of {outlined} annotations (segmentation); their boxes are taken"
    if bare := len(pictures.keys() - {item.value["image_id"] for item in annotations}):
        yield f"{path}: {bare} pictures without annotations; of them nothing is said"


# ---------------------------------------------------------------------- written


def write_coco(path: Path, sheet: Sheet) -> None:
    """Write boxes."""
    numbers = {name: number for number, name in enumerate(sheet.classes, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for picture, labels in sheet.by_picture():
        images.append(_image(len(images) + 1, picture))
        for label in labels:
            annotations.append(_annotation(len(annotations) + 1, len(images), numbers, label))
    document = {
        "info": {"description": "labels of a line-scan inspection station"},
        "licenses": [],
        "images": images,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in numbers.items()],
        "annotations": annotations,
    }
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _image(number: int, picture: Picture) -> dict[str, Any]:
    lines, columns = picture.size
    return {"id": number, "file_name": picture.name, "width": columns, "height": lines}


def _annotation(number: int, image: int, numbers: dict[str, int], label: Label) -> dict[str, Any]:
    box = label.region
    if not isinstance(box, Box):
        raise TypeError(f"COCO has no {box}")
    return {
        "id": number,
        "image_id": image,
        "category_id": numbers[label.class_name],
        "bbox": [box.column, box.line, box.width, box.height],
        "area": box.width * box.height,
        "iscrowd": 0,
        "segmentation": [],
    }
