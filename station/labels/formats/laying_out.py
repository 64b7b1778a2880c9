"""Labels for elsewhere: what a format can hold is laid out for it, and what it cannot is told by name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import LabelError
from station.core.durable import make_folder, staged_folder
from station.labels.formats.archive import Archive, ArchivedScan
from station.labels.formats.entry import Format, Picture, Row, Sheet
from station.labels.formats.pictures import Pictures
from station.labels.formats.source import WrongFileError
from station.labels.label import BUILT_IN, InspectionSubject, Label, Region, Subject


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What is to be written, and what cannot be, in words.

    Attributes:
        sheet: What is written.
        left_out: Each label that is not, and why.
    """

    sheet: Sheet
    left_out: tuple[str, ...]


def lay_out(
    labels: Sequence[Label], form: Format, classes: Sequence[str], pictures: Pictures, archive: Archive
) -> LaidOut:
    """What of labels a format can hold.

    Args:
        labels: What people say now.
        form: The format.
        classes: The configured classes.
        pictures: Where scans are looked for.
        archive: What the records know.

    Raises:
        LabelError: `label.not_written`: the folder of scans cannot be read.
        RecordError: The records are there and cannot be read.
    """
    try:
        return _laid_out(labels, form, classes, pictures, archive)
    except WrongFileError as error:
        raise LabelError("label.not_written", str(error)) from error


def _laid_out(
    labels: Sequence[Label], form: Format, classes: Sequence[str], pictures: Pictures, archive: Archive
) -> LaidOut:
    left_out: list[str] = []
    held = [label for label in labels if label.region.level in form.levels]
    others = (label for label in labels if label.region.level not in form.levels)
    left_out += [f"{_told(label)}: {form.name} does not hold this level ({label.region.level})" for label in others]
    if "who" not in form.holds:
        held = _agreed(held, left_out)
    found = _found(held, pictures, archive, left_out) if form.of_pictures else {}
    rows = [Row(label, found.get(label.subject)) for label in held if label.subject in found or not form.of_pictures]
    order = {subject: number for number, subject in enumerate(dict.fromkeys(label.subject for label in held))}
    rows.sort(key=lambda row: order[row.label.subject])
    return LaidOut(Sheet(_classes(classes, rows), tuple(rows)), tuple(left_out))


def write_out(place: Path, form: Format, sheet: Sheet) -> None:
    """Write a sheet, all of it or nothing.

    Args:
        place: The file or folder; nothing may lie there.
        form: The format.
        sheet: What is written.

    Raises:
        LabelError: `label.not_written`: something lies there, the disk does not take it, or the format cannot.
    """
    if form.write is None:
        raise LabelError("label.not_written", f"{form.name} is only read; `station dataset cut` lays patches out")
    if place.exists():
        raise LabelError("label.not_written", f"{place} is there already, nothing was overwritten")
    try:
        make_folder(place.absolute().parent)
        if form.is_folder:
            with staged_folder(place) as folder:
                form.write(folder, sheet)
        else:
            form.write(place, sheet)
    except OSError as error:
        raise LabelError("label.not_written", f"{error.filename or place}: {error.strerror}") from error
    except ValueError as error:
        raise LabelError("label.not_written", f"{place}: {error}") from error


def _agreed(labels: Iterable[Label], left_out: list[str]) -> list[Label]:
    """One label of each place on which all who have looked agree."""
    said: dict[tuple[Subject, Region], list[Label]] = defaultdict(list)
    for label in labels:
        said[label.subject, label.region].append(label)
    agreed = []
    for all_said in said.values():
        if len({label.class_name for label in all_said}) == 1:
            agreed.append(all_said[0])
        else:
            left_out.extend(f"{_told(label)}: people differ" for label in all_said)
    return agreed


def _found(
    labels: Sequence[Label], pictures: Pictures, archive: Archive, left_out: list[str]
) -> dict[Subject, Picture]:
    """The pictures that are there."""
    by_subject: dict[Subject, list[Label]] = defaultdict(list)
    for label in labels:
        by_subject[label.subject].append(label)
    archived = archive.find({_key(subject) for subject in by_subject})
    found: dict[Subject, Picture] = {}
    for subject, said in by_subject.items():
        try:
            found[subject] = _picture(subject, archived.get(_key(subject)), pictures)
        except WrongFileError:
            raise
        except ValueError as error:
            left_out.extend(f"{_told(label)}: {error}" for label in said)
    return found


def _key(subject: Subject) -> str:
    return subject.inspection_id if isinstance(subject, InspectionSubject) else subject.sha256


def _picture(subject: Subject, known: ArchivedScan | None, pictures: Pictures) -> Picture:
    sha256 = (known.sha256 if known else "") if isinstance(subject, InspectionSubject) else subject.sha256
    path = pictures.by_sha256(sha256) or (known.path if known else None)
    if path is None or not path.is_file():
        raise ValueError("its scan is not there")
    scan = pictures.look(path)
    if scan.sha256 != sha256:
        raise ValueError(f"{path} is not the scan that was labelled: its content is another")
    return Picture(path, pictures.way(path), sha256, scan.size)


def _classes(configured: Sequence[str], rows: Iterable[Row]) -> tuple[str, ...]:
    """The configured classes, then others that labels say."""
    said = {row.label.class_name for row in rows}
    others = [*(name for name in BUILT_IN if name in said), *sorted(said - {*configured, *BUILT_IN})]
    return (*configured, *others)


def _told(label: Label) -> str:
    return f"{label.subject}, {label.region}, {label.class_name} by {label.who}"


def not_held(form: Format) -> Iterator[str]:
    """What a format does not keep of any label, by name."""
    yield from sorted({"who", "when", "source", "note"} - form.holds)
