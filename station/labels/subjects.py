"""What may be labelled, looked at closely enough for what is to be said of it.

A part as a whole needs nothing but to be known; a patch needs the geometry that the turn was cut by; a box needs the
scan itself, whole and as it was archived. Everything here blocks.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import LabelError
from station.core.geometry import Geometry
from station.core.part import PartType
from station.core.records import JsonObject
from station.core.scan_file import GreySize, PictureSize, ScanFileError, grey_size, unpacked
from station.core.table import default_geometry
from station.labels.label import InspectionSubject, ScanSubject, Subject

UNWRITTEN = {None: "it was never archived", "pending": "it is not on the disk yet"}


class Labelled(Protocol):
    """A part that may be labelled."""

    @property
    def subject(self) -> Subject:
        """What a label of it names."""

    def geometry(self) -> Geometry:
        """What its patches are cut by.

        Raises:
            LabelError: It has none: never scanned, or no geometry of the configuration fits.
        """

    def size(self) -> GreySize:
        """The size of its scan, whose file is read for that, all of it.

        Raises:
            LabelError: There is no file, or it is not whole, or not the one that was archived.
        """


@dataclass(frozen=True, slots=True)
class RecordedPart:
    """An inspection.

    Attributes:
        record: All that is recorded of it.
        folder: The data folder, in which the archive lies.
    """

    record: JsonObject
    folder: Path

    @property
    def subject(self) -> InspectionSubject:
        """The inspection."""
        return InspectionSubject(self.record["inspection_id"])

    def geometry(self) -> Geometry:
        """What it was judged by."""
        if self.record["lines"] is None:
            raise LabelError("label.bad_scan", f"inspection {self.subject}: no scan of it was judged")
        return PartType.of(self.record["part_type_settings"], default_geometry().value()).geometry

    def size(self) -> GreySize:
        """The size of the archived scan."""
        if self.record["scan_file"] is None:
            state = self.record["scan_state"]
            why = UNWRITTEN.get(state) or f"{state}: {self.record['scan_archive_detail']}"
            raise LabelError("label.bad_scan", f"inspection {self.subject}: the archive has no scan of it: {why}")
        scan = read_scan_file(self.folder / self.record["scan_file"])
        if scan.subject.sha256 != self.record["scan_sha256"]:
            raise LabelError(
                "label.bad_scan", f"{scan.subject.file} is not the scan that was archived: its hash differs"
            )
        return scan.lines_and_columns


@dataclass(frozen=True, slots=True)
class ScanFile:
    """A file with a scan, which no inspection needs to know of.

    Attributes:
        subject: Its hash, and where it lies.
        lines_and_columns: Its size.
        geometries: By which it might be cut: those of the part types that it may be of.
    """

    subject: ScanSubject
    lines_and_columns: GreySize
    geometries: frozenset[Geometry] = frozenset()

    def geometry(self) -> Geometry:
        """The only one of the geometries whose turn has as many lines."""
        lines = self.lines_and_columns.lines
        fitting = [one for one in self.geometries if one.lines_per_turn == lines]
        if len(fitting) == 1:
            return fitting[0]
        known = "; ".join(sorted(map(str, fitting or self.geometries))) or "none"
        said = "more than one geometry has a turn of these; say which type it is of" if fitting else "configured are"
        raise LabelError("label.other_geometry", f"{self.subject.file} has {lines} lines; {said}: {known}")

    def size(self) -> GreySize:
        """Its size."""
        return self.lines_and_columns


def read_scan_file(path: Path, part_types: Iterable[PartType] = ()) -> ScanFile:
    """A file with a scan, looked through to its last pixel.

    Args:
        path: The file.
        part_types: The types that it may be of.

    Raises:
        LabelError: `label.bad_scan`: it cannot be read, or is no whole 8-bit grey PNG, TIFF or BMP.
    """
    try:
        content = path.read_bytes()
        size = grey_size(content)
        unpacked(content, PictureSize(*size, channels=1))
    except OSError as error:
        raise LabelError("label.bad_scan", f"{path} cannot be read: {error.strerror}") from error
    except ScanFileError as error:
        raise LabelError("label.bad_scan", f"{path}: {error}") from error
    subject = ScanSubject(hashlib.sha256(content).hexdigest(), str(path.resolve()))
    return ScanFile(subject, size, frozenset(kind.geometry for kind in part_types))
