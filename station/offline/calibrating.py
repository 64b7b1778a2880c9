"""Good parts, of recordings or of the records, held against a bundle's reference by the station's own steps."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.novelty.calibrate import GoodPart
from models.novelty.file import Hashes
from station.core.errors import BugError, RecordingError
from station.core.novelty.known import unlikeness
from station.core.part import Pixels
from station.core.ports.network import PatchClassifier
from station.core.ports.records import RecordReader
from station.core.recording import RecordedScan, read_recording
from station.core.records import RecordFilter
from station.core.settings import Settings
from station.labels.agreement import findings
from station.labels.label import Label, WholePart
from station.offline.unseen import Tell, UnseenParts, strips_of


@dataclass(frozen=True, slots=True)
class Choice:
    """Which scans are taken.

    Attributes:
        trained: Hashes of the scans that the network was trained on; none of them is.
        unlabelled: What a scan without a label is taken for: the class that passes, or None to leave it out.
    """

    trained: Hashes
    unlabelled: str | None


class GoodParts:
    """Good parts, each held against the reference once.

    Args:
        network: With features and what it was trained on.
        settings: Part types, classes, and how a scan is cut.
        choice: Which scans are taken.
    """

    def __init__(self, network: PatchClassifier, settings: Settings, choice: Choice) -> None:
        self._network = network
        self._choice = choice
        self._passing = settings.table.passing.name
        self._unseen = UnseenParts(network, settings, choice.trained, self._refusal)
        self._parts: list[GoodPart] = []

    @property
    def parts(self) -> Sequence[GoodPart]:
        """Those that were taken."""
        return self._parts

    @property
    def left_out(self) -> list[str]:
        """Why others were not, and how many for each reason."""
        return self._unseen.left_out

    def take(self, scans: Sequence[RecordedScan | RecordingError], done: Tell = lambda _done, _all: None) -> None:
        """Take the good parts of some scans, of each part its first one.

        Args:
            scans: What there is, and why some of it cannot be used.
            done: Called after each scan with how many there are done and in all.

        Raises:
            RecordingError: A file cannot be read.
            ModelError: The network fails.
        """
        for part in self._unseen.of(scans, done):
            self._parts.append(GoodPart(part.part_type, part.sha256, self._score(part.patches)))

    def _refusal(self, label: str | None) -> str | None:
        said = label or self._choice.unlabelled
        if said is None:
            return "have no label"
        return None if said == self._passing else f"are labelled {said}"

    def _score(self, patches: Pixels) -> float:
        """How unlike the training the part is, by its worst patch."""
        network, worst = self._network, 0.0
        for strip in strips_of(patches, network.geometry):
            scores = unlikeness(strip, network.answer(strip), network.known)
            if scores is None:
                raise BugError("station.bug", f"{network.model.name} does not tell its training")
            worst = max(worst, float(scores.max()))
        return worst


def scans_of(folders: Iterable[Path], settings: Settings) -> Iterator[RecordedScan | RecordingError]:
    """The scans of recordings, and what of them cannot be used.

    Raises:
        RecordingError: One is no recording, or has no scan at all.
    """
    for folder in folders:
        recording = read_recording(folder, frozenset(settings.part_types), settings.table.names)
        yield from recording.problems
        yield from recording.scans


def labelled_scans(records: RecordReader, labels: Iterable[Label], folder: Path) -> Iterator[RecordedScan]:
    """The archived scans of production, each with the class on which all agree who have labelled its part as a whole.

    Args:
        records: What was inspected.
        labels: Everything that was ever said.
        folder: The data folder.

    Raises:
        RecordError: The records cannot be read.
    """
    said = {
        str(one.subject): one.agreed for one in findings(labels) if isinstance(one.region, WholePart) and one.agreed
    }
    for row in csv.DictReader(records.export(RecordFilter(), "csv")):
        label = said.get(row["inspection_id"])
        if row["scan_file"] and not row["tried"] and label is not None:
            yield RecordedScan(folder / row["scan_file"], row["part_id"], row["part_type"], label)
