"""All that a label has, as columns: what `csv` and `jsonl` hold, so that labels come out as they went in.

Who writes such a file by hand needs two columns, `file` and `class`; what is missing or empty is not said.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from station.core.geometry import Geometry
from station.core.moments import moment, stamp
from station.labels.formats.entry import Entry, PictureName, Row, Said
from station.labels.label import Box, Mask, Patch, Region, ScanSubject, Source, WholePart

SUBJECT = ("inspection_id", "scan_sha256", "file")
BOX = ("line", "column", "height", "width")
GEOMETRY = ("lines_per_turn", "lines_per_block", "patch_px", "patches_per_strip")
PLACES: Mapping[str, tuple[str, ...]] = {
    WholePart.level: (),
    Patch.level: ("patch", *GEOMETRY),
    Box.level: BOX,
    Mask.level: ("mask_sha256",),
}
"""The columns of each level."""
FIELDS = (*SUBJECT, "level", "class", "patch", *GEOMETRY, *BOX, "mask_sha256", "who", "at", "source", "note")
"""All columns, in their order."""


def fields_of(row: Row) -> dict[str, str | int]:
    """A label's columns; those that say nothing are not there."""
    label = row.label
    fields: dict[str, str | int] = {"level": label.region.level, "class": label.class_name}
    if isinstance(label.subject, ScanSubject):
        fields |= {"scan_sha256": label.subject.sha256, "file": label.subject.file}
    else:
        fields |= {"inspection_id": label.subject.inspection_id}
    fields |= _place_of(label.region)
    fields |= {"who": label.who, "at": stamp(label.at), "source": label.source.value, "note": label.note}
    return {name: fields[name] for name in FIELDS if fields.get(name, "") != ""}


def _place_of(region: Region) -> dict[str, str | int]:
    match region:
        case Patch(index, geometry):
            return {"patch": index, **{name: getattr(geometry, name) for name in GEOMETRY}}
        case Box():
            return {name: getattr(region, name) for name in BOX}
        case Mask(sha256):
            return {"mask_sha256": sha256}
        case WholePart():
            return {}


def entry_of(fields: Mapping[str, str], where: str) -> Entry:
    """What columns say, those that say nothing being empty or not there.

    Raises:
        ValueError: A value that is none, a column that is needed and missing, or one that the level does not have.
    """
    given = {name: value for name, value in fields.items() if value}
    if unknown := sorted(given.keys() - set(FIELDS)):
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(FIELDS)}")
    if not given.keys() & set(SUBJECT):
        raise ValueError(f"it names no picture: give one of {', '.join(SUBJECT)}")
    if "class" not in given:
        raise ValueError("it has no class")
    picture = PictureName(given.get("file", ""), given.get("scan_sha256", ""), given.get("inspection_id", ""))
    at = given.get("at")
    said = Said(given.get("who"), _moment(at) if at else None, _source(given.get("source")), given.get("note"))
    return Entry(where, picture, _region(given), given["class"], said)


def _region(given: Mapping[str, str]) -> Region:
    level = given.get("level", WholePart.level)
    if level not in PLACES:
        raise ValueError(f"level {level!r} is none of {', '.join(PLACES)}")
    wanted = set(PLACES[level])
    others = {name for names in PLACES.values() for name in names} - wanted
    if missing := [name for name in PLACES[level] if name not in given]:
        raise ValueError(f"a label of level {level} needs {', '.join(missing)}")
    if strange := sorted(others & given.keys()):
        raise ValueError(f"a label of level {level} has no {', '.join(strange)}")
    if level == Mask.level:
        return Mask(given["mask_sha256"])
    numbers = {name: _whole(name, given[name]) for name in wanted}
    if level == Patch.level:
        return Patch(numbers.pop("patch"), Geometry(**numbers))
    return Box(**numbers) if level == Box.level else WholePart()


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError(f"{name} {text[:40]!r} is no whole number from 0 on")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return moment(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"at {text[:40]!r} is no time; write it as 2026-05-01T06:00:00Z") from error


def _source(text: str | None) -> Source | None:
    if text is None:
        return None
    try:
        return Source(text)
    except ValueError:
        raise ValueError(f"source {text[:40]!r} is none of {', '.join(Source)}") from None
