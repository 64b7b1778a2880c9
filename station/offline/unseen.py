"""Parts of scans that a network was not trained on, each once, cut and lit as the cell does."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.novelty.file import Hashes, short_hashes
from station.core.errors import PartError, RecordingError
from station.core.geometry import Geometry
from station.core.part import PartType, Pixels
from station.core.ports.network import PatchClassifier
from station.core.recording import RecordedScan, read_scan
from station.core.settings import Settings
from station.host.recipes import lighting_of
from station.offline.cropping import cut_scan, kind_of, proofs_of

Tell = Callable[[int, int], None]
"""Told after each scan: how many there are done, and in all."""
Refuse = Callable[[str | None], str | None]
"""Why a scan of this label is left out, in words; None to take it."""


@dataclass(frozen=True, slots=True)
class UnseenPart:
    """A part that the network was not trained on.

    Attributes:
        part_type: Its type.
        sha256: Of its scan.
        patches: (patches, height, width), uint8.
        label: What its recording says that it is, or None.
    """

    part_type: str
    sha256: str
    patches: Pixels
    label: str | None = None


class UnseenParts:
    """Chosen parts that a network was not trained on, of each the first scan.

    Args:
        network: That will judge them.
        settings: Part types, and how a scan is cut.
        trained: Hashes of the scans that it was trained on.
        refuse: Which labels are left out.
    """

    def __init__(self, network: PatchClassifier, settings: Settings, trained: Hashes, refuse: Refuse) -> None:
        self._network = network
        self._settings = settings
        self._trained = trained
        self._refuse = refuse
        self._seen: set[str] = set()
        self._left_out: Counter[str] = Counter()

    @property
    def left_out(self) -> list[str]:
        """Why parts were left out, and how many for each reason."""
        return [f"{count} {why}" for why, count in self._left_out.items()]

    def of(self, scans: Sequence[RecordedScan | RecordingError], done: Tell) -> Iterator[UnseenPart]:
        """The chosen parts of some scans.

        Args:
            scans: What there is, and why some of it cannot be used.
            done: Told after each scan.

        Raises:
            RecordingError: A file cannot be read.
        """
        for number, scan in enumerate(scans, 1):
            if isinstance(scan, RecordingError):
                self._left_out[f"cannot be used: {scan.detail}"] += 1
            elif (part := self._take(scan)) is not None:
                yield part
            done(number, len(scans))

    def _take(self, scan: RecordedScan) -> UnseenPart | None:
        try:
            sha256 = hashlib.sha256(scan.file.read_bytes()).hexdigest()
        except OSError as error:
            raise RecordingError("recording.bad_image", f"{scan.file}: {error.strerror}") from error
        if why := self._refuse(scan.label) or self._known(scan, sha256):
            self._left_out[why] += 1
            return None
        try:
            kind, patches = self._cut(scan)
        except (PartError, RecordingError) as error:
            self._left_out[f"the station would refuse: {error.code}"] += 1
            return None
        self._seen |= {scan.part_id, sha256}
        return UnseenPart(kind.name, sha256, patches, scan.label)

    def _known(self, scan: RecordedScan, sha256: str) -> str | None:
        if np.isin(short_hashes([sha256]), self._trained).any():
            return "were trained on"
        return "are further scans of a part" if {scan.part_id, sha256} & self._seen else None

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


def strips_of(patches: Pixels, geometry: Geometry) -> Iterator[Pixels]:
    """The patches (patches, height, width) of a part, as many at a time as a network takes."""
    for at in range(0, len(patches), geometry.patches_per_strip):
        yield patches[at : at + geometry.patches_per_strip]
