"""Scans, labels and files of labels for the tests of what is exchanged."""

import hashlib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from station.core.geometry import Geometry
from station.core.records import RecordFilter
from station.labels.formats.archive import Archive
from station.labels.formats.finding import Finder
from station.labels.formats.pictures import Pictures
from station.labels.formats.registry import FORMATS
from station.labels.formats.taking_in import Terms, labels_of
from station.labels.label import BUILT_IN, Label

AT = datetime(2026, 5, 1, 6, 0, 0, 250000, UTC)
GEOMETRY = Geometry(lines_per_turn=64, lines_per_block=32, patch_px=16, patches_per_strip=2)
LINES, COLUMNS = 64, 48
CLASSES = ("defect_free", "pit", "scratch")
TERMS = Terms((*CLASSES, *BUILT_IN), {}, "anna", AT)


def make_scan(path: Path, seed: int = 0, lines: int = LINES, columns: int = COLUMNS) -> str:
    """Write a scan; the SHA-256 of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (lines, columns), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Records:
    """The records of a station that knows these inspections: id, hash, file."""

    def __init__(self, *inspections: tuple[str, str, str]) -> None:
        self._inspections = inspections

    def export(self, chosen: RecordFilter, form: Literal["csv", "json"]) -> Iterator[str]:
        assert (chosen, form) == (RecordFilter(), "csv")
        yield "inspection_id,scan_sha256,scan_file\n"
        for inspection in self._inspections:
            yield ",".join(inspection) + "\n"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name}")


def archive(folder: Path, *inspections: tuple[str, str, str]) -> Archive:
    return Archive(Records(*inspections), folder)


def read(name: str, path: Path, scans: Path | None = None, terms: Terms = TERMS) -> list[Label]:
    """What a file says, as labels of scans."""
    entries = FORMATS[name].read(path).entries
    return labels_of(entries, Finder(Pictures(scans), archive(path.parent)), terms)


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these texts."""
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def classes_of(labels: Collection[Label]) -> list[str]:
    return [label.class_name for label in labels]
