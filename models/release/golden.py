"""Parts with known surfaces that no network was trained on: what parity and figures are measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.dataset.scans import LabelledScan, read_scans
from station.core.errors import RecordingError


@dataclass(frozen=True, slots=True)
class Golden:
    """Parts, and in words what they are."""

    scans: tuple[LabelledScan, ...]
    source: str


def read_golden(folders: Sequence[Path], source: str | None) -> Golden:
    """All parts of some recordings.

    Args:
        folders: The recordings.
        source: What they are, for people; None for the folders' names.

    Raises:
        RecordingError: One cannot be read, or has no part.
    """
    scans = [read_scans(folder) for folder in folders]
    if not all(scans):
        empty = next(folder for folder, found in zip(folders, scans, strict=True) if not found)
        raise RecordingError("recording.not_found", f"{empty}: no part in it")
    return Golden(tuple(scan for found in scans for scan in found), source or ", ".join(one.name for one in folders))
