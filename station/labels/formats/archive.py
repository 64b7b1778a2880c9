"""The scans that the records know: which inspection a scan is of, and where its file lies."""

import csv
from collections import defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from station.core.errors import RecordError
from station.core.ports.records import RecordReader
from station.core.records import RecordFilter


@dataclass(frozen=True, slots=True)
class ArchivedScan:
    """A scan of the archive.

    Attributes:
        inspection_id: Of the inspection that it is of.
        sha256: Of its content; nothing where the scan was not archived.
        path: Where it lies, or None where it does not any more.
    """

    inspection_id: str
    sha256: str
    path: Path | None


class Archive:
    """The archive that a station's records tell of.

    Args:
        reader: Of the records.
        folder: The data folder.
    """

    def __init__(self, reader: RecordReader, folder: Path) -> None:
        self._reader = reader
        self._folder = folder

    def find(self, wanted: AbstractSet[str]) -> dict[str, ArchivedScan]:
        """The scans of these hashes and whole ids of inspections; one that several inspections have is none's.

        Blocks while all records are gone through once.

        Raises:
            RecordError: The records are there and cannot be read.
        """
        found: dict[str, list[ArchivedScan]] = defaultdict(list)
        if not wanted:
            return {}
        try:
            for row in csv.DictReader(self._reader.export(RecordFilter(), "csv")):
                for key in wanted & {row["inspection_id"], row["scan_sha256"]}:
                    found[key].append(self._scan(row))
        except RecordError as error:
            if error.code != "record.unknown":  # a folder without records knows nothing, which is no fault
                raise
        return {key: scans[0] for key, scans in found.items() if len(scans) == 1}

    def _scan(self, row: dict[str, str]) -> ArchivedScan:
        path = self._folder / row["scan_file"] if row["scan_file"] else None
        return ArchivedScan(row["inspection_id"], row["scan_sha256"], path)
