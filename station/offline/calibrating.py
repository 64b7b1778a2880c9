"""Good parts, of recordings or of the records, held against a bundle's reference by the station's own steps."""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.novelty.calibrate import GoodPart
from models.novelty.file import Hashes, short_hashes
from station.core.errors import BugError, PartError, RecordingError
from station.core.part import PartType, Pixels
from station.core.ports.network import PatchClassifier
from station.core.ports.records import RecordReader
from station.core.recording import RecordedScan, read_recording, read_scan
from station.core.records import RecordFilter
from station.core.settings import Settings
from station.host.recipes import lighting_of
from station.labels.agreement import findings
from station.labels.label import Label, WholePart
from station.offline.cropping import cut_scan, kind_of, proofs_of

Tell = Callable[[int, int], None]


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
        self._settings = settings
        self._choice = choice
        self._seen: set[str] = set()
        self._left_out: Counter[str] = Counter()
        self._parts: list[GoodPart] = []

    @property
    def parts(self) -> Sequence[GoodPart]:
        """Those that were taken."""
        return self._parts

    @property
    def left_out(self) -> list[str]:
        """Why others were not, and how many for each reason."""
        return [f"{count} {why}" for why, count in self._left_out.items()]

    def take(self, scans: Sequence[RecordedScan | RecordingError], done: Tell = lambda _done, _all: None) -> None:
        """Take the good parts of some scans, of each part its first one.

        Args:
            scans: What there is, and why some of it cannot be used.
            done: Called after each scan with how many there are done and in all.

        Raises:
            RecordingError: A file cannot be read.
            ModelError: The network fails.
        """
        for number, scan in enumerate(scans, 1):
            if isinstance(scan, RecordingError):
                self._left_out[f"cannot be used: {scan.detail}"] += 1
            else:
                self._take(scan)
            done(number, len(scans))

    def _take(self, scan: RecordedScan) -> None:
        try:
            sha256 = hashlib.sha256(scan.file.read_bytes()).hexdigest()
        except OSError as error:
            raise RecordingError("recording.bad_image", f"{scan.file}: {error.strerror}") from error
        if why := self._refusal(scan, sha256):
            self._left_out[why] += 1
            return
        try:
            kind, patches = self._cut(scan)
        except (PartError, RecordingError) as error:
            self._left_out[f"the station would refuse: {error.code}"] += 1
            return
        self._seen |= {scan.part_id, sha256}
        self._parts.append(GoodPart(kind.name, sha256, self._score(patches)))

    def _refusal(self, scan: RecordedScan, sha256: str) -> str | None:
        label, passing = scan.label or self._choice.unlabelled, self._settings.table.passing.name
        if label is None:
            return "have no label"
        if label != passing:
            return f"are labelled {label}"
        if np.isin(short_hashes([sha256]), self._choice.trained).any():
            return "were trained on"
        if {scan.part_id, sha256} & self._seen:
            return "are further scans of a part"
        return None

    def _cut(self, scan: RecordedScan) -> tuple[PartType, Pixels]:
        """The part's type and its patches.

        Raises:
            PartError: The station would refuse the scan.
            RecordingError: It cannot be read, or is of another geometry than the network's.
        """
        geometry = self._network.geometry
        known = [kind for kind in self._settings.known_types if kind.geometry == geometry]
        kinds = [kind for kind in known if scan.part_type in {None, kind.name}]
        if not kinds:
            raise RecordingError("recording.bad_image", f"{scan.part_type} has another geometry than the network")
        image = read_scan(scan.file, {geometry.lines_per_turn})
        kind = kinds[0] if len(kinds) == 1 else kind_of(image, kinds, self._settings.crop)
        lighting = lighting_of(self._settings, kind.name, self._network.light_level)
        return kind, cut_scan(image, kind, self._settings.crop, proofs_of(scan, self._settings.turn), lighting)

    def _score(self, patches: Pixels) -> float:
        """How unlike the training the part is, by its worst patch."""
        network, at_once = self._network, self._network.geometry.patches_per_strip
        worst = 0.0
        for strip in (patches[at : at + at_once] for at in range(0, len(patches), at_once)):
            features = network.answer(strip).features
            if network.known is None or features is None:
                raise BugError("station.bug", f"{network.model.name} does not tell its training")
            worst = max(worst, float(network.known.scores(strip, features).max()))
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
    """The archived scans of the records, each with the class on which all agree who have labelled its part as a whole.

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
        if row["scan_file"] and label is not None:
            yield RecordedScan(folder / row["scan_file"], row["part_id"], row["part_type"], label)
