"""Scans of recordings: with the truth of every pixel, or with nothing but the class of each part."""

import hashlib
from pathlib import Path

from models.dataset.said import Said, SaidScan
from models.dataset.scans import listing
from models.dataset.store import file_sha256
from models.errors import DatasetError
from station.core.errors import RecordingError
from station.core.recording import RecordedScan, read_recording
from station.offline.gathering.columns import find_columns
from station.offline.gathering.terms import LeftOut, NotLearntError, Terms
from station.offline.gathering.words import NO_CLASS
from station.offline.inspect import Wanted

UNSAID = "nobody said what it is"


def read_part_labels(folder: Path, terms: Terms, left_out: LeftOut) -> list[SaidScan]:
    """The scans of a recording whose list has a class of each part, and which has no truth.

    Args:
        folder: With `recording.jsonl`.
        terms: What holds for all folders.
        left_out: Is told which scans are not taken: those without a class, and those that the station would refuse.

    Raises:
        DatasetError: A line of the list cannot be used.
    """
    try:
        recording = read_recording(folder, frozenset(terms.settings.part_types), terms.settings.table.names)
    except RecordingError as error:
        raise DatasetError("dataset.bad_source", error.detail) from error
    if recording.problems:
        told = listing([problem.detail for problem in recording.problems])
        raise DatasetError("dataset.bad_source", f"{folder}: {told}")
    taken = []
    for scan in recording.scans:
        with left_out.noting(f"{folder.name}/{scan.file.name}"):
            taken.append(_said(folder, scan, terms))
    return taken


def _said(folder: Path, scan: RecordedScan, terms: Terms) -> SaidScan:
    if scan.label is None:
        raise NotLearntError(UNSAID)
    if (number := terms.number(scan.label)) is None:
        raise NotLearntError(NO_CLASS, scan.label)
    roi = find_columns(Wanted(scan.file, scan.part_type, scan.closed, scan.composed), terms)
    said = Said(number, sha256=hashlib.sha256(scan.label.encode()).hexdigest())
    name = f"{folder.name}/{scan.file.relative_to(folder).as_posix()}"
    return SaidScan(name, scan.part_id, scan.file, file_sha256(scan.file), roi.left, roi.right, said, scan.closed)
