"""Scans of a data folder of which people have said something: those of its archive, and files that lie elsewhere.

Where nobody said anything a scan is not taken, unless its verdict is one that is trusted. A label of a file that the
archive has, too, is one of the inspection.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.dataset.manifest import LabelState
from models.dataset.said import Said, SaidScan
from models.errors import DatasetError
from station.core.errors import RecordError
from station.core.moments import stamp
from station.core.ports.records import RecordReader
from station.core.records import RecordFilter
from station.labels.agreement import current
from station.labels.label import InspectionSubject, Label, ScanSubject, Subject
from station.labels.store import LabelStore
from station.offline.gathering.locating import Locator, Row
from station.offline.gathering.masks import mask_files
from station.offline.gathering.recordings import UNSAID
from station.offline.gathering.terms import LeftOut, NotLearntError, Terms
from station.offline.gathering.words import NOTHING, Listener, concluded, state_of

UNRECORDED = "the records know no such inspection"
TRIES = "golden parts and parts of studies, which try the station"

KEPT = (
    "inspection_id", "part_id", "part_type", "verdict", "scan_state", "scan_file", "scan_sha256", "scan_left",
    "scan_archive_detail", "roi_left", "roi_right", "tried",
)  # fmt: skip
"""Of the columns of an inspection; there may be a million of them."""

Rows = Mapping[str, Row]
"""Inspections by their ids."""
Sayings = Mapping[Subject, list[Label]]
"""What people say now, by scan."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a data folder gives.

    Attributes:
        scans: Those that are taken.
        trusted: How many of them bear the station's own verdict.
        labels: What people said of the others.
    """

    scans: tuple[SaidScan, ...]
    trusted: int
    labels: LabelState


class Records:
    """A station's records, archive and labels.

    Args:
        folder: The data folder.
        reader: Of its records.
        store: Of its labels.
        terms: What holds for all folders.

    Raises:
        DatasetError: A verdict is to be trusted that is no class.
    """

    def __init__(self, folder: Path, reader: RecordReader, store: LabelStore, terms: Terms) -> None:
        self._folder = folder
        self._reader = reader
        self._store = store
        self._terms = terms
        self._locator = Locator(folder, terms)
        self._listener = Listener(terms, mask_files(terms.asked.masks))
        if unknown := terms.settings.table.unknown((*terms.asked.trusted, *terms.asked.classes)):
            told = f"no class is {', '.join(unknown)}; [[classes]] has {', '.join(terms.settings.table.names)}"
            raise DatasetError("dataset.bad_choice", told)

    def read(self, left_out: LeftOut) -> Heard:
        """The scans, and what is said of them.

        Args:
            left_out: Is told of every labelled scan that is not taken, and of places that nobody learns from.

        Raises:
            RecordError: The records are there and cannot be read.
            LabelError: The labels are there and cannot be read.
            ConfigError: A verdict is asked for that there is not.
            DatasetError: There are neither records nor labels.
        """
        rows = {row["inspection_id"]: row for row in self._rows(RecordFilter())}
        asked, said = self._asked(rows), self._said(rows)
        if not rows and not said:
            raise DatasetError("dataset.bad_source", f"{self._folder} has neither records nor labels")
        scans, used = list[SaidScan](), list[Label]()
        for subject, labels in said.items():
            if self._is_asked(subject, rows, asked):
                with left_out.noting(str(subject)):
                    scan = self._labelled(subject, labels, rows, left_out)
                    scans += [scan] if self._shows_what_is_asked(scan.said) else []
                    used += labels if self._shows_what_is_asked(scan.said) else []
        unsaid = [rows[one] for one in rows if one in asked and InspectionSubject(one) not in said]
        trusted = list(self._trusted(unsaid, left_out))
        return Heard((*scans, *trusted), len(trusted), state_of(used))

    def _rows(self, chosen: RecordFilter) -> Iterator[Row]:
        try:
            for row in csv.DictReader(self._reader.export(chosen, "csv")):
                yield {name: row[name] for name in KEPT}
        except RecordError as error:
            if error.code != "record.unknown":  # a folder with labels alone has no records, which is no fault
                raise

    def _asked(self, rows: Rows) -> Collection[str]:
        """The ids of the inspections that are asked for."""
        asked = self._terms.asked
        chosen = RecordFilter(asked.since, asked.until, asked.verdicts)
        ids = rows.keys() if chosen == RecordFilter() else {row["inspection_id"] for row in self._rows(chosen)}
        return {one for one in ids if not asked.part_types or rows[one]["part_type"] in asked.part_types}

    def _said(self, rows: Rows) -> Sayings:
        """What people say, as of when it is asked for."""
        inspections: dict[str, list[str]] = defaultdict(list)
        for one, row in rows.items():
            inspections[row["scan_sha256"]].append(one)
        as_of = self._terms.asked.as_of
        said: dict[Subject, list[Label]] = defaultdict(list)
        for label in self._store.labels():
            if as_of is None or stamp(label.at) <= as_of:
                subject = _of_inspection(label.subject, inspections)
                said[subject].append(replace(label, subject=subject))
        return {subject: labels for subject, every in said.items() if (labels := current(every))}

    def _is_asked(self, subject: Subject, rows: Rows, asked: Collection[str]) -> bool:
        """Whether a scan is one of those asked for; one that is not there at all is, so that it is told of."""
        if isinstance(subject, InspectionSubject):
            return subject.inspection_id in asked or subject.inspection_id not in rows
        return not self._terms.asked.of_inspections

    def _shows_what_is_asked(self, said: Said) -> bool:
        wanted = {self._terms.number(name) for name in self._terms.asked.classes}
        return not wanted or bool(wanted & {said.part, *said.seen})

    def _labelled(self, subject: Subject, labels: Iterable[Label], rows: Rows, left_out: LeftOut) -> SaidScan:
        said = self._listener.hear(labels, lambda told: left_out.warn(str(subject), told))
        if self._terms.kind == "whole" and concluded(said, self._terms).part < 0:
            raise NotLearntError(NOTHING, "of the part as a whole")
        if isinstance(subject, ScanSubject):
            return self._locator.loose(subject, said)
        if (row := rows.get(subject.inspection_id)) is None:
            raise NotLearntError(UNRECORDED)
        if row["tried"]:
            raise NotLearntError(TRIES, row["tried"])
        return self._locator.archived(row, said)

    def _trusted(self, rows: Iterable[Row], left_out: LeftOut) -> Iterator[SaidScan]:
        """The scans of which nobody said anything, and whose verdict is trusted; the others are only counted."""
        for row in rows:
            if row["tried"]:
                left_out.counts[TRIES] += 1
                continue
            number = self._terms.number(row["verdict"])
            if number is None or row["verdict"] not in self._terms.asked.trusted:
                left_out.counts[UNSAID] += 1
            elif self._shows_what_is_asked(Said(number)):
                with left_out.noting(row["inspection_id"]):
                    yield self._locator.archived(row, Said(number))


def _of_inspection(subject: Subject, inspections: Mapping[str, list[str]]) -> Subject:
    """The inspection whose scan a file is, where it is exactly one's."""
    if isinstance(subject, ScanSubject) and len(found := inspections.get(subject.sha256, [])) == 1:
        return InspectionSubject(found[0])
    return subject
