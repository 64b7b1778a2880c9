"""Parts with known surfaces that no network was trained on: what parity and figures are measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.dataset.scans import LabelledScan, read_scans


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
    scans = tuple(scan for folder in folders for scan in read_scans(folder))
    return Golden(scans, source or ", ".join(folder.name for folder in folders))
