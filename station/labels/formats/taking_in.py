"""Labels from elsewhere: checked as a whole, and taken all or not at all.

Refused are, each with its place: a picture that is not found or is another one than was labelled, a place outside of
it, a class that the station does not have, and two classes for one place by one person. Everything that is wrong is
told, not only the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models.errors import LabelError
from station.core.moments import stamp
from station.labels.agreement import current
from station.labels.formats.entry import Entry, Format
from station.labels.formats.finding import Finder, Known, Problems
from station.labels.formats.rectangle import PictureSize, Rectangle
from station.labels.formats.source import WrongFileError
from station.labels.label import Box, Label, Mask, Patch, Region, Source, Subject, WholePart
from station.labels.store import LabelStore

MOST_TOLD = 20
"""Faults told one by one."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a whole import.

    Attributes:
        classes: The classes that a label may say.
        names: The station's name of a class by that of the file, where they differ.
        who: Who says it, where the file does not tell.
        at: When it is said, where the file does not tell.
        source: Where it is from, where the file does not tell.
        note: What else there is to say, where the file says nothing.
    """

    classes: Sequence[str]
    names: Mapping[str, str]
    who: str
    at: datetime
    source: Source = Source.IMPORT
    note: str = ""

    def name(self, entry: Entry) -> str:
        """The station's name of an entry's class."""
        return self.names.get(entry.class_name, entry.class_name)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in.

    Attributes:
        labels: How many labels the file holds.
        new: How many of them nobody had said yet.
        left_out: What of the file no label can hold, in words.
    """

    labels: int
    new: int
    left_out: tuple[str, ...]


def take_in(path: Path, form: Format, finder: Finder, terms: Terms, store: LabelStore) -> Taken:
    """Take a file or folder of labels in, all of it or nothing.

    Args:
        path: The file or folder.
        form: Its format.
        finder: Finds the pictures that it names.
        terms: What holds for all.
        store: Where the labels go, in one transaction.

    Raises:
        LabelError: `label.import_refused` with all that is wrong; `label.said_later`; or the store does not take it.
        RecordError: The records are there and cannot be read.
    """
    try:
        found = form.read(path)
        labels = labels_of(found.entries, finder, terms)
    except WrongFileError as error:
        raise LabelError("label.import_refused", str(error)) from error
    said = store.labels()
    new = unsaid(labels, said, terms)
    if later := list(_said_later(new, said, terms)):
        raise LabelError("label.said_later", _told(later))
    return Taken(len(labels), store.add(new), found.left_out)


def labels_of(entries: Sequence[Entry], finder: Finder, terms: Terms) -> list[Label]:
    """What entries say, each label once.

    Raises:
        LabelError: `label.import_refused`: what is wrong with them, and where.
    """
    problems = Problems(list(_wrong_classes(entries, terms)))
    known = finder.known(entries, problems)
    labels: dict[Label, str] = {}
    for entry in entries:
        if entry.picture in known and terms.name(entry) in terms.classes:
            with problems.noting(entry.where):
                labels.setdefault(_label(entry, known[entry.picture], finder, terms), entry.where)
    problems.told.extend(_contradictions(labels))
    if problems.told:
        raise LabelError("label.import_refused", _told(problems.told))
    return list(labels)


def unsaid(labels: Iterable[Label], said: Iterable[Label], terms: Terms) -> list[Label]:
    """The labels without those that the same person has said and stands by, of files that do not tell when.

    So the same file, taken in twice, is taken once. Where the file tells when, the store knows the label.

    Args:
        labels: Of an import.
        said: Everything that was ever said.
        terms: Of the import.
    """
    standing = {(label.subject, label.region, label.who, label.class_name, label.note) for label in current(said)}
    return [
        label
        for label in labels
        if label.at != terms.at
        or (label.subject, label.region, label.who, label.class_name, label.note) not in standing
    ]


def _said_later(labels: Iterable[Label], said: Iterable[Label], terms: Terms) -> Iterator[str]:
    """The labels of now that would not count, because the same person's last one bears a later time."""
    latest = {(one.subject, one.region, one.who): one.at for one in said}  # which come by their time
    for label in labels:
        last = latest.get((label.subject, label.region, label.who), label.at)
        if label.at == terms.at < last:
            told = f"{label.who} said something of it at {stamp(last)}, it is {stamp(terms.at)}"
            yield f"{label.subject}, {label.region}: {told}"


def _wrong_classes(entries: Sequence[Entry], terms: Terms) -> Iterator[str]:
    first: dict[str, str] = {}
    for entry in entries:
        if terms.name(entry) not in terms.classes:
            first.setdefault(terms.name(entry), entry.where)
    for name, where in first.items():
        yield f"{where}: there is no class {name!r}, there are {', '.join(terms.classes)}; --map says which it is"
    for name in sorted(terms.names.keys() - {entry.class_name for entry in entries}):
        yield f"--map {name}={terms.names[name]}: nothing is of a class {name!r}"


def _label(entry: Entry, known: Known, finder: Finder, terms: Terms) -> Label:
    said = entry.said
    if said.at is not None and said.at > terms.at:  # nothing that is said now would take its place
        raise ValueError(f"it bears a later time than now, {stamp(said.at)}")
    return Label(
        known.subject,
        _region(entry, known, finder),
        terms.name(entry),
        said.who or terms.who,
        said.at or terms.at,
        said.source or terms.source,
        terms.note if said.note is None else said.note,
    )


def _region(entry: Entry, known: Known, finder: Finder) -> Region:
    """The place on the scan, which must have it."""
    if isinstance(entry.region, WholePart | Mask):
        return entry.region
    size = finder.size(known, entry.picture.size)
    if isinstance(entry.region, Patch):
        return _patch(entry.region, size)
    if size is None:
        raise ValueError(f"the scan {entry.picture} is not there, so that nobody knows whether the box is within it")
    drawn = Rectangle.of(entry.region) if isinstance(entry.region, Box) else entry.region
    return drawn.box(size)


def _patch(patch: Patch, size: PictureSize | None) -> Patch:
    if size is not None and size.lines != patch.geometry.lines_per_turn:
        raise ValueError(f"the scan has {size.lines} lines, the patch is one of {patch.geometry}")
    return patch


def _contradictions(labels: Mapping[Label, str]) -> Iterator[str]:
    """Two classes that one person gives one place; the same one twice is once enough."""
    first: dict[tuple[Subject, Region, str], Label] = {}
    for label, where in labels.items():
        other = first.setdefault((label.subject, label.region, label.who), label)
        if other.class_name != label.class_name:
            told = f"{label.subject}, {label.region}: {label.class_name}, but {other.class_name} at {labels[other]}"
            yield f"{where}: {told}"


def _told(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_TOLD
    return "\n".join([*problems[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])
