"""Recordings: a folder of scans, and the reader of one scan.

A scan is an 8-bit grey image, PNG, TIFF or BMP, any width from 64 columns, with the part on black, and of as many
lines as one turn of the part's type has.
`recording.jsonl`, where it is there, has one object a scan: `file`, `part_id`, `part_type` and `label`; a type or
label that nobody knows is null, and blanks at the ends of an id are no part of it. The label of a part that is known to
be of none of the classes is `unknown`. `closed: false` says that a scan holds no whole turn: then nobody looks whether
its end meets its beginning. `composed: true` says that it was put together from pictures, and is no turn at all: then
its lines prove nothing but that each shows a surface.
Without the list every image of the folder is a scan, in the order of the names, and so is every file whose name has no
ending; images under other endings are told of. What is wrong with one scan is told, and the rest is read.
"""

import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from station.core.errors import RecordingError
from station.core.part import PART_ID_LENGTH, Pixels
from station.core.scan_file import (
    BMP_SIGNATURE,
    PNG_SIGNATURE,
    TIFF_ORDERS,
    PictureSize,
    ScanFileError,
    grey_size,
    unpacked,
)
from station.core.verdicts import UNKNOWN

INDEX_NAME = "recording.jsonl"
NARROWEST_PX, WIDEST_PX = 64, 16384
SCAN_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp"})
OTHER_IMAGES = frozenset({".jpg", ".jpeg", ".jp2", ".webp", ".gif", ".pgm", ".avif"})
ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")


@dataclass(frozen=True, slots=True)
class RecordedScan:
    """One scan of a recording.

    Attributes:
        file: The image; not looked into yet.
        part_id: 1 to 16 printable ASCII characters, no blank at either end, once in a recording.
        part_type: The type that is announced, or None.
        label: Name of the class that the surface really is of, `UNKNOWN` where it is of none; None when nobody knows.
        closed: Whether it is a whole turn, whose end meets its beginning.
        composed: Whether it was put together from pictures, so that its lines are not those of one surface.
    """

    file: Path
    part_id: str
    part_type: str | None
    label: str | None
    closed: bool = True
    composed: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What a folder holds: the usable scans in order, and one error for each that was left out.

    `scans` is empty only where there are problems.
    """

    scans: tuple[RecordedScan, ...]
    problems: tuple[RecordingError, ...]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: str
    part_id: str
    part_type: str | None
    label: str | None
    closed: bool = True
    composed: bool = False


def read_scan(path: Path, lines: Collection[int]) -> Pixels:
    """The image of one scan, (lines, width) uint8.

    Args:
        path: The image.
        lines: How many it may have: those of one turn of the part's type, or of each of the types that it may be of.

    Raises:
        RecordingError: It cannot be read, is cut off, damaged, no PNG, TIFF or BMP, not 8-bit grey, or of another size.
    """
    try:
        return decoded_scan(path, path.read_bytes(), lines)
    except OSError as error:
        raise _bad_image(path, f"it cannot be read: {error.strerror}") from error


def decoded_scan(path: Path, content: bytes, lines: Collection[int]) -> Pixels:
    """The same from the content that was read of a file already.

    Args:
        path: Where it was read, for the refusal.
        content: All of it.
        lines: As for `read_scan`.

    Raises:
        RecordingError: As `read_scan`.
    """
    try:
        size = grey_size(content)
        if size.lines not in lines:
            allowed = " or ".join(map(str, sorted(set(lines))))
            raise _bad_image(path, f"it has {size.lines} lines, allowed are {allowed}")
        if not NARROWEST_PX <= size.columns <= WIDEST_PX:
            raise _bad_image(path, f"it has {size.columns} columns, allowed are {NARROWEST_PX} to {WIDEST_PX}")
        return unpacked(content, PictureSize(*size, channels=1))
    except ScanFileError as error:
        raise _bad_image(path, str(error)) from error


def read_recording(
    folder: Path, part_types: Collection[str] | None, labels: Collection[str] | None = None
) -> Recording:
    """The scans of a folder; their images are not looked into.

    Args:
        folder: With or without `recording.jsonl`.
        part_types: Names of the configured types; None where the types do not matter.
        labels: Names of the configured classes; None where the labels do not matter.

    Raises:
        RecordingError: It is no folder, or there is not even one scan that could be told of.
    """
    index = folder / INDEX_NAME
    try:
        if not folder.is_dir():
            raise RecordingError("recording.not_found", f"{folder}: no such folder")
        found = list(_listed(folder, index.read_bytes(), part_types, labels) if index.exists() else _images(folder))
    except OSError as error:
        raise RecordingError("config.file_failed", f"{error.filename or folder}: {error.strerror}") from error
    if not found:
        allowed = ", ".join(sorted(SCAN_SUFFIXES))
        empty = f"no line in {INDEX_NAME}" if index.exists() else f"no image ({allowed}) in it"
        raise RecordingError("recording.not_found", f"{folder}: {empty}")
    return Recording(
        scans=tuple(item for item in found if isinstance(item, RecordedScan)),
        problems=tuple(item for item in found if isinstance(item, RecordingError)),
    )


def _listed(
    folder: Path, content: bytes, part_types: Collection[str] | None, labels: Collection[str] | None
) -> Iterator[RecordedScan | RecordingError]:
    first_lines: dict[str, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{INDEX_NAME} line {number}: "
        try:
            scan = _scan(folder, line, part_types, labels, where)
        except RecordingError as problem:
            yield problem
            continue
        first = first_lines.setdefault(scan.part_id, number)
        if first != number:
            yield RecordingError("recording.duplicate_part", f"{where}part_id {scan.part_id!r} is that of line {first}")
        else:
            yield scan


def _scan(
    folder: Path, line: bytes, part_types: Collection[str] | None, labels: Collection[str] | None, where: str
) -> RecordedScan:
    try:
        entry = _Entry.model_validate_json(line)
    except ValidationError as error:
        raise RecordingError("recording.bad_line", where + "; ".join(_reasons(error))) from error
    if part_types is not None and entry.part_type is not None and entry.part_type not in part_types:
        known = ", ".join(sorted(part_types))
        raise RecordingError(
            "recording.bad_line", f"{where}unknown part_type {entry.part_type!r}, configured are {known}"
        )
    if labels is not None and entry.label is not None and entry.label not in {*labels, UNKNOWN}:
        raise RecordingError(
            "recording.bad_line", f"{where}unknown label {entry.label!r}, allowed are {', '.join(labels)}, {UNKNOWN}"
        )
    part_id = entry.part_id.strip(" ")
    if not 1 <= len(part_id) <= PART_ID_LENGTH or not ID_CHARACTERS.issuperset(part_id):
        allowed = f"1 to {PART_ID_LENGTH} printable ASCII characters, not only blanks"
        raise RecordingError("recording.bad_line", f"{where}part_id {entry.part_id!r}, allowed are {allowed}")
    file = inside(folder, entry.file, where)
    return RecordedScan(file, part_id, entry.part_type, entry.label, entry.closed, entry.composed)


def _reasons(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        key = ".".join(map(str, problem["loc"]))
        match problem["type"]:
            case "extra_forbidden":
                yield f"unknown key {key!r}, allowed are {', '.join(_Entry.model_fields)}"
            case "missing":
                yield f"key {key!r} is missing"
            case "json_invalid" | "model_type":
                yield f"not a JSON object: {problem['msg']}"
            case _:
                yield f"{key!r}: {problem['msg']}"


def inside(folder: Path, name: str, where: str) -> Path:
    """A file of the folder; a link that leads out of it counts as outside.

    Args:
        folder: Of the recording.
        name: The file's, from there.
        where: What names it, for the refusal.

    Raises:
        RecordingError: It lies outside, or is no file.
    """
    try:
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise RecordingError("recording.path_outside", f"{where}{name!r} leads out of {folder}")
        if file.is_file():
            return file
    except (OSError, ValueError, RuntimeError) as error:
        raise RecordingError("recording.bad_line", f"{where}{name!r} is no usable path: {error}") from error
    raise RecordingError("recording.bad_line", f"{where}there is no file {name!r} in {folder}")


def _images(folder: Path) -> Iterator[RecordedScan | RecordingError]:
    used: set[str] = set()
    for file in sorted(folder.iterdir(), key=lambda path: path.name):
        suffix = file.suffix.lower()
        if suffix in OTHER_IMAGES:
            yield _bad_image(file, "allowed are PNG, TIFF and BMP")
        elif suffix in SCAN_SUFFIXES or not (suffix or file.is_dir() or file.name.startswith(".")):
            try:
                yield RecordedScan(inside(folder, file.name, ""), _unused_id(file.stem, used), None, None)
            except RecordingError as problem:
                yield problem
        elif file.is_file() and _begins_as_an_image(file):
            yield _bad_image(file, f"it begins as an image; end its name with {', '.join(sorted(SCAN_SUFFIXES))}")


def _begins_as_an_image(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(PNG_SIGNATURE)).startswith((PNG_SIGNATURE, *TIFF_ORDERS, BMP_SIGNATURE))
    except OSError:
        return False


def _unused_id(stem: str, used: set[str]) -> str:
    """A part id from a file's name; `~2`, `~3` … tell apart those that are the same once they are cut."""
    plain = "".join(character if character in ID_CHARACTERS else "_" for character in stem).strip() or "scan"
    part_id, times = plain[:PART_ID_LENGTH].rstrip(), 1
    while part_id in used:
        times += 1
        part_id = plain[: PART_ID_LENGTH - len(f"~{times}")] + f"~{times}"
    used.add(part_id)
    return part_id


def _bad_image(file: Path, problem: str) -> RecordingError:
    return RecordingError("recording.bad_image", f"{file.name}: {problem}")
