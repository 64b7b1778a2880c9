"""What a file of labels says, before it is known whose picture it is of and whether the station has such a class.

a file ─ read ─▶ entries ─ `station.labels.formats.taking_in` ─▶ labels ─ in one transaction ─▶ the store
labels ─ `station.labels.formats.laying_out` ─▶ a sheet ─ written ─▶ a file
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from station.labels.formats.rectangle import PictureSize, Rectangle, Share
from station.labels.label import Label, Region, Source

# ---------------------------------------------------------------------- read


@dataclass(frozen=True, slots=True)
class PictureName:
    """Which picture a file means; at least one of the first three is given.

    Attributes:
        file: Its name or path as the file has it, or the name without ending where the format has none.
        sha256: Of its content.
        inspection_id: Of the inspection that it is the scan of.
        size: What the file says of its size.
        path: Where it lies, of formats that hold the picture themselves.
    """

    file: str = ""
    sha256: str = ""
    inspection_id: str = ""
    size: PictureSize | None = None
    path: Path | None = None

    def __str__(self) -> str:
        """As people read it."""
        return self.file or self.inspection_id or self.sha256[:12]


@dataclass(frozen=True, slots=True)
class Said:
    """What a format may say beside the class; None where it says nothing of it."""

    who: str | None = None
    at: datetime | None = None
    source: Source | None = None
    note: str | None = None


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True)
class Entry:
    """One label as a file has it.

    Attributes:
        where: File and line or item, for people.
        picture: Of which picture.
        region: Of all of it, or of which place.
        class_name: The class, by the name that it has there.
        said: Who said it, when, and what else.
    """

    where: str
    picture: PictureName
    region: Region | Rectangle | Share
    class_name: str
    said: Said = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says, and what of it no label can hold, in words."""

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...] = ()


# ---------------------------------------------------------------------- written


@dataclass(frozen=True, slots=True)
class Picture:
    """A scan that is there.

    Attributes:
        path: Where it lies.
        name: What it is called in the file: the way to it from the folder of scans.
        sha256: Of its content.
        size: In px.
    """

    path: Path
    name: str
    sha256: str
    size: PictureSize


@dataclass(frozen=True, slots=True)
class Row:
    """A label, and its picture where the format needs one."""

    label: Label
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written.

    Attributes:
        classes: Every class there is, in the order of their numbers.
        rows: The labels, those of one picture behind each other.
    """

    classes: tuple[str, ...]
    rows: tuple[Row, ...]

    def by_picture(self) -> Iterator[tuple[Picture, list[Label]]]:
        """Every picture with its labels."""
        for picture, rows in groupby(self.rows, key=lambda row: row.picture):
            if picture is None:
                raise AssertionError("the format asked for pictures")
            yield picture, [row.label for row in rows]


# ---------------------------------------------------------------------- both


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write labels down.

    Attributes:
        name: On the command line.
        told: What it is, for people.
        levels: Which regions it can hold.
        holds: What it keeps beside picture, region and class: of `who`, `when`, `source` and `note`.
        read: What a file, or a folder, says.
        write: Writes a file, or fills a folder that is there and empty; None where it is only read.
        is_folder: Whether it is a folder of files.
        of_pictures: Whether what is written has names or sizes of pictures, so that they must be there.
    """

    name: str
    told: str
    levels: frozenset[str]
    holds: frozenset[str]
    read: Callable[[Path], Found]
    write: Callable[[Path, Sheet], None] | None
    is_folder: bool = False
    of_pictures: bool = True
