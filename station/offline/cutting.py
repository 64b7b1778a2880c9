"""`station dataset cut`: the patches of scans as files in folders of their classes, for people to sort.

    OUT/CLASS/SCAN_GEOMETRY_PATCH.png         on whose class all agree who have labelled it
    OUT/unlabelled/SCAN_GEOMETRY_PATCH.png    every other one

They are the patches that a network would judge, from the same steps. Sorted with a file manager they come back with
`station label import --format patch-folders`: the names tell which patch of which scan, cut how.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from station.core.durable import make_folder, staged_folder
from station.core.errors import ConfigError, RecordingError, StationError
from station.core.part import PartType, Pixels
from station.core.recording import read_scan
from station.core.settings import Settings
from station.labels.agreement import findings
from station.labels.formats.archive import Archive
from station.labels.formats.patch_folders import UNLABELLED, patch_name
from station.labels.label import BUILT_IN, InspectionSubject, Label, Patch
from station.offline.cropping import cut_scan, kind_of, proofs_of
from station.offline.inspect import NotInspected, Wanted

PatchClasses = Mapping[tuple[str, Patch], str]
"""The class of a patch, by its scan's SHA-256 and which one it is."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What was laid out.

    Attributes:
        scans: Whose patches are there.
        patches: How many there are.
        labelled: How many of them lie in a folder of a class.
        left_out: The scans that are not there, and why.
    """

    scans: int
    patches: int
    labelled: int
    left_out: tuple[str, ...]


def agreed_patches(labels: Iterable[Label], archive: Archive) -> PatchClasses:
    """The patches of which all who have labelled them say the same.

    Args:
        labels: Everything that was ever said.
        archive: What the records know of the scans of inspections.

    Raises:
        RecordError: The records are there and cannot be read.
    """
    found = [one for one in findings(labels) if isinstance(one.region, Patch) and one.agreed]
    ids = {one.subject.inspection_id for one in found if isinstance(one.subject, InspectionSubject)}
    archived = archive.find(ids)
    classes: dict[tuple[str, Patch], str] = {}
    for one in found:
        if isinstance(one.subject, InspectionSubject):
            known = archived.get(one.subject.inspection_id)
            sha256 = known.sha256 if known else ""
        else:
            sha256 = one.subject.sha256
        if isinstance(one.region, Patch) and one.agreed:
            classes[sha256, one.region] = one.agreed
    return classes


class Cutting:
    """Lays the patches of scans out.

    Args:
        settings: The types that parts may be of, and how a scan is cut.
        classes: Of the patches that are labelled.
    """

    def __init__(self, settings: Settings, classes: PatchClasses) -> None:
        self._settings = settings
        self._classes = classes
        self._seen: set[str] = set()
        self._labelled = 0
        self._patches = 0

    def lay_out(self, place: Path, scans: Sequence[Wanted | NotInspected], done: Callable[[int, int], None]) -> Laid:
        """Fill a folder, all of it or nothing.

        Args:
            place: The folder; nothing may lie there.
            scans: Whose patches.
            done: Called after each scan with how many there are done and in all.

        Raises:
            ConfigError: Something lies there, or the disk does not take it.
            RecordingError: None of the scans can be used.
        """
        left_out: list[str] = []
        try:
            make_folder(place.absolute().parent)
            with staged_folder(place) as folder:
                self._make_folders(folder)
                for number, scan in enumerate(scans, 1):
                    try:
                        self._lay(folder, scan)
                    except StationError as error:
                        left_out.append(f"{scan.file}: {error}")
                    done(number, len(scans))
                if not self._seen:
                    raise RecordingError("recording.not_found", "; ".join(left_out[:3]))
        except OSError as error:
            raise ConfigError("config.file_failed", f"{error.filename or place}: {error.strerror}") from error
        return Laid(len(self._seen), self._patches, self._labelled, tuple(left_out))

    def _make_folders(self, folder: Path) -> None:
        for name in {*self._settings.table.names, *BUILT_IN, *self._classes.values(), UNLABELLED}:
            (folder / name).mkdir()

    def _lay(self, folder: Path, scan: Wanted | NotInspected) -> None:
        if isinstance(scan, NotInspected):
            raise scan.error
        patches, kind = self._cut(scan)
        sha256 = hashlib.sha256(scan.file.read_bytes()).hexdigest()
        if sha256 in self._seen:
            raise RecordingError("recording.bad_image", "the same scan is there under another name")
        self._seen.add(sha256)
        for index, pixels in enumerate(patches):
            patch = Patch(index, kind.geometry)
            name = self._classes.get((sha256, patch), UNLABELLED)
            _written, content = cv2.imencode(".png", pixels)
            (folder / name / patch_name(sha256, patch)).write_bytes(content.tobytes())
            self._patches += 1
            self._labelled += name != UNLABELLED

    def _cut(self, scan: Wanted) -> tuple[Pixels, PartType]:
        """The patches (patches, height, width) uint8 as a network would see them, and the type that they are cut by."""
        known = self._settings.known_types
        kinds = [kind for kind in known if scan.part_type in {None, kind.name}] or list(known)
        image = read_scan(scan.file, {kind.geometry.lines_per_turn for kind in kinds})
        kinds = [kind for kind in kinds if kind.geometry.lines_per_turn == len(image)]
        kind = kinds[0] if len(kinds) == 1 else kind_of(image, kinds, self._settings.crop)
        return cut_scan(image, kind, self._settings.crop, proofs_of(scan, self._settings.turn)), kind
