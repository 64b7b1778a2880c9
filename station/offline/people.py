"""What people say of whole parts, by the content of their scans, for those who measure a network on them."""

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from station.core.errors import ConfigError
from station.core.settings import Settings, data_dir
from station.host.records import read_records
from station.labels.agreement import current
from station.labels.build import open_labels
from station.labels.formats.archive import Archive
from station.labels.label import InspectionSubject, ScanSubject, Subject, WholePart
from station.labels.store import LabelStore


class Sayings:
    """The labels of a station, asked by scans.

    Args:
        labels: Everything that was ever said.
        archive: Which inspection a scan is of.
    """

    def __init__(self, labels: LabelStore, archive: Archive) -> None:
        self._labels = labels
        self._archive = archive

    def __call__(self, hashes: AbstractSet[str]) -> Mapping[str, tuple[str, ...]]:
        """Every class that somebody says now of the part of a scan, by the scan's SHA-256.

        What is said of a scan's inspection counts as what is said of its file.

        Raises:
            LabelError: The labels cannot be read.
            RecordError: The records are there and cannot be read.
        """
        said: dict[Subject, set[str]] = defaultdict(set)
        for label in current(self._labels.labels()):
            if isinstance(label.region, WholePart):
                said[label.subject].add(label.class_name)
        subjects: dict[str, list[Subject]] = {sha256: [ScanSubject(sha256)] for sha256 in hashes}
        for sha256, scan in self._archive.find(hashes).items():
            subjects[sha256].append(InspectionSubject(scan.inspection_id))
        classes = {sha256: {name for one in of for name in said.get(one, ())} for sha256, of in subjects.items()}
        return {sha256: tuple(sorted(names)) for sha256, names in classes.items() if names}


def open_people(settings: Settings, folder: Path | None) -> Sayings | None:
    """What the people of a station say of parts; None where no folder is given.

    Args:
        settings: The station's configuration.
        folder: Its data folder.

    Raises:
        ConfigError: There is no such folder.
    """
    if folder is None:
        return None
    if not folder.is_dir():
        raise ConfigError("config.bad_option", f"--labels {folder}: there is no such data folder")
    return Sayings(open_labels(settings, folder), Archive(read_records(settings, folder), data_dir(settings, folder)))
