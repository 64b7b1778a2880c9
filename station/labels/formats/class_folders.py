"""Class folders of scans: FOLDER/CLASS/scan.png, a part's class is the name of the folder that its scan lies in.

What is no scan is left out, with a word; so are files that lie beside the class folders.
"""

import shutil
from pathlib import Path

from station.core.recording import SCAN_SUFFIXES
from station.labels.formats.entry import Entry, Found, PictureName, Sheet
from station.labels.formats.source import WrongFileError, files_below
from station.labels.label import WholePart


def read_class_folders(folder: Path) -> Found:
    """What a folder says.

    Raises:
        WrongFileError: It cannot be read, or holds no scan in a folder of a class.
    """
    entries, left_out = list[Entry](), list[str]()
    for path in files_below(folder):
        inner = path.relative_to(folder)
        if len(inner.parts) == 2 and path.suffix.lower() in SCAN_SUFFIXES and not path.name.startswith("."):
            entries.append(Entry(str(path), PictureName(path.name, path=path), WholePart(), inner.parts[0]))
        else:
            left_out.append(f"{path}: it is no scan in a folder of a class")
    if not entries:
        raise WrongFileError(f"{folder}: it has no scan ({', '.join(sorted(SCAN_SUFFIXES))}) in a folder of a class")
    return Found(tuple(entries), tuple(left_out))


def write_class_folders(folder: Path, sheet: Sheet) -> None:
    """Copy scans into folders of their classes; of two with one name the second has its hash before it."""
    for name in sheet.classes:
        (folder / name).mkdir()
    for picture, labels in sheet.by_picture():
        for label in labels:
            place = folder / label.class_name / picture.path.name
            if place.exists():
                place = place.with_name(f"{picture.sha256[:12]}-{place.name}")
            shutil.copyfile(picture.path, place)
