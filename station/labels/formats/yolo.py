"""YOLO: a text file a picture, a line a box: number of the class, middle, width and height in shares of the picture.

FOLDER/data.yaml or classes.txt     the classes' names by number
FOLDER/labels/…/PICTURE.txt         as Ultralytics lays it out; read is also FOLDER/PICTURE.txt, all in one folder

A picture has the name of its text file with another ending. An empty file is a picture without a box: of it nothing is
said. Shares are of the picture's size, so that the pictures must be there.
Source: Ultralytics, detection data sets; CVAT, YOLO and Ultralytics YOLO.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from station.labels.formats.entry import Entry, Found, PictureName, Sheet
from station.labels.formats.rectangle import Rectangle, Share
from station.labels.formats.source import WrongFileError, files_below, read_text
from station.labels.formats.yolo_names import read_classes_txt, read_data_yaml
from station.labels.label import Box, Label

CLASSES, DATA, LABELS = "classes.txt", "data.yaml", "labels"
NO_LABELS = frozenset({CLASSES, "train.txt", "val.txt", "valid.txt", "test.txt", "notes.txt", "obj.names"})
"""Text files beside those of pictures, as the trade's programs write them."""

# ---------------------------------------------------------------------- read


def read_yolo(folder: Path) -> Found:
    """What a folder says.

    Raises:
        WrongFileError: It cannot be read, names no classes, or a line is no box.
    """
    names = _names(folder)
    labels = folder / LABELS if (folder / LABELS).is_dir() else folder
    texts = [path for path in files_below(labels) if path.suffix == ".txt" and path.name not in NO_LABELS]
    if not texts:
        raise WrongFileError(f"{labels}: it has no text file of a picture")
    entries = tuple(entry for path in texts for entry in _entries(path, labels, names))
    bare = len({path.relative_to(labels).with_suffix("").as_posix() for path in texts})
    bare -= len({entry.picture.file for entry in entries})
    left_out = (f"{labels}: {bare} pictures without a box; of them nothing is said",) if bare else ()
    return Found(entries, left_out)


def _names(folder: Path) -> Mapping[int, str]:
    found = [path for path in (folder / DATA, folder / CLASSES, folder / LABELS / CLASSES) if path.is_file()]
    if not found:
        raise WrongFileError(f"{folder}: it has neither {DATA} nor {CLASSES} with the classes' names")
    lists = [read_data_yaml(path) if path.name == DATA else read_classes_txt(path) for path in found]
    for path, names in zip(found[1:], lists[1:], strict=True):
        if names != lists[0]:
            raise WrongFileError(f"{path}: it does not name the same classes as {found[0]}")
    return lists[0]


def _entries(path: Path, labels: Path, names: Mapping[int, str]) -> Iterator[Entry]:
    picture = PictureName(path.relative_to(labels).with_suffix("").as_posix())
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            where = f"{path} line {number}"
            name, share = _box(line.split(), names, where)
            yield Entry(where, picture, share, name)


def _box(words: list[str], names: Mapping[int, str], where: str) -> tuple[str, Share]:
    if len(words) != 5:
        raise WrongFileError(f"{where}: {len(words)} numbers, a box has 5 (no outlines, turned boxes or confidences)")
    try:
        kind = int(words[0]) if len(words[0]) <= 6 else -1
        across, down, width, height = map(float, words[1:])
    except ValueError:
        raise WrongFileError(f"{where}: {' '.join(words)[:60]!r} are no numbers") from None
    if kind not in names:
        raise WrongFileError(f"{where}: class {words[0][:12]} has no name, there are {min(names)} to {max(names)}")
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in (across, down, width, height)):
        raise WrongFileError(f"{where}: shares of the picture's size are expected, 0 to 1")
    edges = Rectangle(across - width / 2, down - height / 2, across + width / 2, down + height / 2)
    return names[kind], Share(edges)


# ---------------------------------------------------------------------- written


def write_yolo(folder: Path, sheet: Sheet) -> None:
    """Write boxes; the pictures themselves are not copied."""
    numbers = {name: number for number, name in enumerate(sheet.classes)}
    lines = [f"  {number}: {name}" for name, number in numbers.items()]
    head = "path: .  # of images/, which is yours to fill\ntrain: images\nval: images\n\nnames:\n"
    (folder / DATA).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / CLASSES).write_text("\n".join(numbers) + "\n", encoding="utf-8")
    for picture, labels in sheet.by_picture():
        place = (folder / LABELS / picture.name).with_suffix(".txt")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            raise ValueError(f"two pictures would have the text {place.relative_to(folder)}: {picture.name} is one")
        place.write_text("".join(_line(numbers, label, Share.of(_box_of(label), picture.size)) for label in labels))


def _box_of(label: Label) -> Box:
    if not isinstance(label.region, Box):
        raise TypeError(f"YOLO has no {label.region}")
    return label.region


def _line(numbers: Mapping[str, int], label: Label, share: Share) -> str:
    edges = share.shares
    values = ((edges.left + edges.right) / 2, (edges.top + edges.bottom) / 2, edges.width, edges.height)
    return f"{numbers[label.class_name]} " + " ".join(f"{value:.9f}" for value in values) + "\n"
