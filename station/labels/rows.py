"""A label as a row of the database and back."""

from dataclasses import astuple

from models.errors import LabelError
from station.core.geometry import Geometry
from station.core.moments import moment, stamp
from station.labels.label import (
    Box,
    InspectionSubject,
    Label,
    Mask,
    Patch,
    Region,
    ScanSubject,
    Source,
    Subject,
    WholePart,
)

COLUMNS = "subject, subject_id, file, level, region, geometry, class, who, at, source, note"
Row = tuple[str, str, str, str, str, str, str, str, str, str, str]


def row_of(label: Label) -> Row:
    """The row, in the order of `COLUMNS`."""
    at = stamp(label.at)
    return (*subject_columns(label.subject), *_region_columns(label.region),
            label.class_name, label.who, at, label.source.value, label.note)  # fmt: skip


def label_of(row: Row) -> Label:
    """The label that a row holds.

    Raises:
        LabelError: `label.database_damaged`: the row is no label; this program has never written it.
    """
    subject, subject_id, file, level, region, geometry, name, who, at, source, note = row
    try:
        whose = InspectionSubject(subject_id) if subject == "inspection" else ScanSubject(subject_id, file)
        return Label(whose, _region(level, region, geometry), name, who, moment(at), Source(source), note)
    except (ValueError, TypeError) as error:
        raise LabelError("label.database_damaged", f"a row is no label: {error}") from error


def subject_columns(subject: Subject) -> tuple[str, str, str]:
    """What kind of subject, its id, and the file where there is one."""
    if isinstance(subject, InspectionSubject):
        return "inspection", subject.inspection_id, ""
    return "scan", subject.sha256, subject.file


def _region_columns(region: Region) -> tuple[str, str, str]:
    match region:
        case WholePart():
            return region.level, "", ""
        case Patch(index, geometry):
            return region.level, str(index), _joined(astuple(geometry))
        case Box():
            return region.level, _joined(astuple(region)), ""
        case Mask(sha256):
            return region.level, sha256, ""


def _region(level: str, region: str, geometry: str) -> Region:
    if level == WholePart.level:
        return WholePart()
    if level == Patch.level:
        return Patch(int(region), Geometry(*_numbers(geometry)))
    return Box(*_numbers(region)) if level == Box.level else Mask(region)


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]
