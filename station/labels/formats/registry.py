"""Every format by its name on the command line, and what it can hold."""

from enum import StrEnum

from station.labels.formats.class_folders import read_class_folders, write_class_folders
from station.labels.formats.coco import read_coco, write_coco
from station.labels.formats.csv_rows import read_csv, write_csv
from station.labels.formats.cvat import read_cvat, write_cvat
from station.labels.formats.entry import Format
from station.labels.formats.json_lines import read_json_lines, write_json_lines
from station.labels.formats.label_studio import read_label_studio, write_label_studio
from station.labels.formats.patch_folders import read_patch_folders
from station.labels.formats.yolo import read_yolo, write_yolo
from station.labels.label import Box, Mask, Patch, WholePart

PART, PATCH, BOX, MASK = WholePart.level, Patch.level, Box.level, Mask.level
EVERY_LEVEL = frozenset({PART, PATCH, BOX, MASK})
EVERYTHING = frozenset({"who", "when", "source", "note"})
"""What a format may hold beside picture, place and class."""
NOTHING = frozenset[str]()


class FormatName(StrEnum):
    """The formats, as the command line calls them."""

    CSV = "csv"
    JSONL = "jsonl"
    COCO = "coco"
    YOLO = "yolo"
    CVAT = "cvat"
    LABEL_STUDIO = "label-studio"
    CLASS_FOLDERS = "class-folders"
    PATCH_FOLDERS = "patch-folders"


FORMATS = {
    FormatName(one.name): one
    for one in (
        Format("csv", "one label a row", EVERY_LEVEL, EVERYTHING, read_csv, write_csv, of_pictures=False),
        Format(
            "jsonl", "one label a line", EVERY_LEVEL, EVERYTHING, read_json_lines, write_json_lines, of_pictures=False
        ),
        Format("coco", "COCO instances, JSON", frozenset({BOX}), NOTHING, read_coco, write_coco),
        Format("yolo", "YOLO, a folder of texts", frozenset({BOX}), NOTHING, read_yolo, write_yolo, is_folder=True),
        Format("cvat", "CVAT for images, XML 1.1", frozenset({PART, BOX}), NOTHING, read_cvat, write_cvat),
        Format(
            "label-studio", "Label Studio, JSON", frozenset({PART, BOX}), NOTHING, read_label_studio, write_label_studio
        ),
        Format(
            "class-folders", "scans in folders of their classes", frozenset({PART}), NOTHING, read_class_folders,
            write_class_folders, is_folder=True,
        ),
        Format(
            "patch-folders", "patches in folders of their classes", frozenset({PATCH}), NOTHING, read_patch_folders,
            None, is_folder=True,
        ),
    )
}  # fmt: skip
"""By name."""
