"""Where the scan lies of which people have said something, and where the part lies on it."""

from collections.abc import Mapping
from pathlib import Path

from models.dataset.said import Said, SaidScan
from station.labels.formats.pictures import Pictures, Scan
from station.labels.label import ScanSubject
from station.offline.gathering.columns import OTHER_GEOMETRY, find_columns
from station.offline.gathering.terms import NotLearntError, Terms
from station.offline.inspect import Wanted

GONE = "its scan is not there"
CHANGED = "its scan has changed since"

Row = Mapping[str, str]
"""An inspection, by the names of `station records export`."""


class Locator:
    """Finds scans.

    Args:
        folder: The data folder with the archive.
        terms: What holds for all folders.

    Raises:
        NotLearntError: From every method: the scan is not there, is another one, or cannot be cut so.
    """

    def __init__(self, folder: Path, terms: Terms) -> None:
        self._folder = folder
        self._terms = terms
        self._pictures = Pictures(terms.asked.scans)

    def archived(self, row: Row, said: Said) -> SaidScan:
        """The scan of an inspection, which is still the one that was archived."""
        if not row["scan_file"]:
            raise NotLearntError(GONE, f"{row['scan_state'] or 'never archived'} {row['scan_archive_detail']}".strip())
        scan = self._looked_at(self._folder / row["scan_file"], row["scan_sha256"])
        left, right = self._columns(row, scan)
        name = f"{self._folder.resolve().name}/{row['scan_file']}"
        return SaidScan(name, row["part_id"], scan.path, scan.sha256, left, right, said)

    def loose(self, subject: ScanSubject, said: Said) -> SaidScan:
        """A scan that no inspection knows: in the folder of scans, or where it lay when it was labelled."""
        path = self._pictures.by_sha256(subject.sha256) or (Path(subject.file) if subject.file else None)
        if path is None:
            raise NotLearntError(GONE)
        scan = self._looked_at(path, subject.sha256)
        roi = find_columns(Wanted(path, None), self._terms)
        return SaidScan(f"{path.parent.name}/{path.name}", None, path, scan.sha256, roi.left, roi.right, said)

    def _columns(self, row: Row, scan: Scan) -> tuple[int, int]:
        """The part's columns in the archived file: those that were judged, or else those that are found again."""
        kind = next((kind for kind in self._terms.settings.known_types if kind.name == row["part_type"]), None)
        geometry, lines = self._terms.geometry, scan.size.lines
        if kind is None or kind.geometry != geometry or lines != geometry.lines_per_turn:
            raise NotLearntError(OTHER_GEOMETRY, f"{row['part_type']}, {lines} lines")
        if row["roi_left"]:
            first = int(row["scan_left"] or 0)
            return int(row["roi_left"]) - first, int(row["roi_right"]) - first
        roi = find_columns(Wanted(scan.path, row["part_type"]), self._terms)
        return roi.left, roi.right

    def _looked_at(self, path: Path, sha256: str) -> Scan:
        try:
            scan = self._pictures.look(path)
        except ValueError as error:
            raise NotLearntError(GONE, str(error)) from error
        if scan.sha256 != sha256:
            raise NotLearntError(CHANGED, str(path))
        return scan
