"""Holds good parts against a bundle's reference: how unlike the training they are says from when on a part is unknown.

They must be parts of the line itself, or of what the station is tried with, that the network was not trained on, and
each counts once. Good parts that somebody chose for review are no fair sample of good parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.chapters import with_chapter
from models.manifest import CARD, Bundle, Manifest, hash_files, utc_now, write_manifest
from models.novelty.file import CalibratedParts, CalibrationDocument, read_calibrated_parts
from models.novelty.sections import CALIBRATION, CalibratedType, CalibrationFile
from models.novelty.words import chapter
from models.release.new_folder import new_folder
from station.core.errors import ModelError
from station.core.novelty.conformal import parts_for

LARGEST_ALPHA = 0.05
LEAST_PARTS = parts_for(LARGEST_ALPHA)
"""Fewer good parts of a type promise less than that one in twenty goes to review: too much to run a line with."""


@dataclass(frozen=True, slots=True)
class GoodPart:
    """A good part that was held against the reference.

    Attributes:
        part_type: Its type.
        sha256: Of its scan.
        score: How unlike the training it is, by its worst patch.
    """

    part_type: str
    sha256: str
    score: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Attributes:
        parts: Each part once.
        source: What they are, for people.
        by: Engine and precision.
    """

    parts: Sequence[GoodPart]
    source: str
    by: str

    @property
    def by_type(self) -> dict[str, list[GoodPart]]:
        """The parts of each type."""
        names = dict.fromkeys(part.part_type for part in self.parts)
        return {name: [part for part in self.parts if part.part_type == name] for name in names}


def require_reference(bundle: Bundle) -> None:
    """Refuse a bundle that good parts cannot be held against.

    Raises:
        ModelError: `model.export_failed`.
    """
    if bundle.manifest.novelty is None:
        lacks = "no features" if bundle.manifest.features is None else "nothing of what it was trained on"
        raise ModelError("model.export_failed", f"{bundle.folder} tells {lacks}; export its network anew")


def enough(measured: Measured) -> tuple[dict[str, CalibratedParts], list[str]]:
    """The types of which there are enough parts, and in words those of which there are not.

    Raises:
        ModelError: `model.export_failed`: there are enough of none.
    """
    few = [
        f"{name}: {len(parts)} good parts, at least {LEAST_PARTS} are needed"
        for name, parts in measured.by_type.items()
        if len(parts) < LEAST_PARTS
    ]
    many = {name: parts for name, parts in measured.by_type.items() if len(parts) >= LEAST_PARTS}
    types = {name: _calibrated(parts, measured) for name, parts in many.items()}
    if not types:
        told = "; ".join(few) or f"there is no good part, at least {LEAST_PARTS} of a type are needed"
        raise ModelError("model.export_failed", told)
    return types, few


def _calibrated(parts: Sequence[GoodPart], measured: Measured) -> CalibratedParts:
    rising = sorted(parts, key=lambda part: part.score)
    return CalibratedParts(
        source=measured.source,
        made=utc_now(),
        measured_by=measured.by,
        scores=tuple(part.score for part in rising),
        scans=tuple(part.sha256 for part in rising),
    )


def write_calibrated(bundle: Bundle, types: Mapping[str, CalibratedParts], folder: Path) -> Manifest:
    """Copy a bundle with the calibration of some part types; those of other types stay as they were.

    Args:
        bundle: Keeps its name and every file but calibration, card and manifest.
        types: What good parts of each type came to.
        folder: Where the copy goes; nothing may be there.

    Returns:
        The copy's manifest; its hash is another one.

    Raises:
        ModelError: `model.exists`, `config.file_failed`, or a file of the bundle cannot be used.
    """
    known = {**read_calibrated_parts(bundle), **types}
    said = {
        name: CalibratedType(parts=len(parts.scores), source=parts.source, measured_by=parts.measured_by)
        for name, parts in known.items()
    }
    manifest = bundle.manifest.model_copy(update={"calibration": CalibrationFile(types=said)})
    with new_folder(folder) as staged:
        for name in bundle.manifest.files.keys() - {CALIBRATION, CARD}:
            (staged / name).write_bytes(bundle.read(name))
        (staged / CALIBRATION).write_text(CalibrationDocument(types=known).model_dump_json(indent=1) + "\n", "utf-8")
        if CARD in bundle.manifest.files:
            (staged / CARD).write_text(with_chapter(bundle.read(CARD).decode(), chapter(manifest)), "utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest
