"""Scans of which somebody has said something: of the whole part, of patches, of places on it; seldom everything.

    part      good: so is every patch of it; defective: that says of no patch what it shows
    patch     what that patch shows
    mark      a box, or a mask: what the patches show that show enough of it, by the rule of `models.dataset.patches`

Of a patch that is neither labelled nor touched by a mark nothing is known but its part's class, also not that it is
good. What people differ on, or cannot tell, is never learnt from; where nothing else shows what the part has, it may be
there, and is as unknown as the rest.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import UNLABELLED, Level
from models.dataset.patches import cover, label_marked
from station.core.errors import RecordingError
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.recording import read_scan

PASSING = 0
"""Number of the class that passes."""
DOUBTFUL = -1
"""In place of a class's number: nobody may learn from it."""
RULE = "a good part's patches are good; of a defective part only what is labelled or marked is known; "

Rectangle = tuple[int, int, int, int]
"""First line, first column, height and width, in px of the scan's file."""
Canvas = tuple[int, Pixels]
"""The number of a class, or `DOUBTFUL`, and (lines, width) 1 where it is marked, else 0."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a scan, and what it is.

    Attributes:
        number: Of the class, or `DOUBTFUL`.
        place: A rectangle; or an image of the scan's size, whose pixels that are not 0 are meant.
    """

    number: int
    place: Rectangle | Path


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a scan.

    Attributes:
        part: The number of the whole part's class; `UNLABELLED` where nobody said.
        patches: Numbers of the classes of single patches, by patch; `DOUBTFUL` of those that nobody may learn from.
        marks: Boxes and masks.
        sha256: Of the words that this comes from; None where there were none.
    """

    part: int = UNLABELLED
    patches: Mapping[int, int] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    sha256: str | None = None

    @property
    def seen(self) -> frozenset[int]:
        """The numbers of the classes that somebody saw on a patch, or marked."""
        return frozenset({*self.patches.values(), *(mark.number for mark in self.marks)} - {DOUBTFUL})


@dataclass(frozen=True, slots=True)
class SaidScan:
    """A scan on disk, and what is said of it.

    Attributes:
        name: Where it was, for the manifest: its folder's name and its own.
        part_id: Name of the part, or None where nobody knows.
        image_path: The scan.
        sha256: Of the file of which it was said.
        left: First column of the part.
        right: Column after the part's last.
        said: What is said of it.
        closed: Whether it is a whole turn, whose end meets its beginning.
    """

    name: str
    part_id: str | None
    image_path: Path
    sha256: str
    left: int
    right: int
    said: Said
    closed: bool = True

    @property
    def numbers(self) -> frozenset[int]:
        """The number of the part's class; where nobody said it, of the classes that somebody saw on it."""
        return frozenset({self.said.part}) if self.said.part >= 0 else self.said.seen

    @property
    def said_sha256(self) -> str | None:
        """Of the words."""
        return self.said.sha256


@dataclass(frozen=True, slots=True)
class SortedPatches:
    """Patches of one scan as files, sorted by people; the scan itself is not there.

    Attributes:
        name: Where they were, for the manifest: the folder's name and the scan's hash.
        sha256: Of the scan.
        files: The file of each patch, by its number.
        said: The class of each of them.
    """

    name: str
    sha256: str
    files: Mapping[int, Path]
    said: Said

    @property
    def part_id(self) -> None:
        """Nobody knows which part the scan is of."""

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the classes of the patches."""
        return self.said.seen

    @property
    def said_sha256(self) -> str | None:
        """Of which patch lies in which folder."""
        return self.said.sha256


@dataclass(frozen=True, slots=True)
class PatchLabels:
    """What is known of a scan's patches.

    Attributes:
        labels: (patches,) int16, number of the class, or -1.
        levels: (patches,) uint8, a `Level`.
        contradicted: Patches whose label is another than what is marked on them; nobody learns from them.
    """

    labels: NDArray[np.int16]
    levels: NDArray[np.uint8]
    contradicted: tuple[int, ...] = ()


def read_said(scan: SaidScan, lines: int) -> Pixels:
    """A scan's image, (lines, width) uint8, if its file is the one of which all this was said.

    Raises:
        RecordingError: It is another file, or the station would not take it as a scan.
    """
    path = scan.image_path
    try:
        content = path.read_bytes()
    except OSError as error:
        told = f"{path}: it cannot be read: {error.strerror}; what the archive keeps no more is left out the next time"
        raise RecordingError("recording.bad_image", told) from error
    if hashlib.sha256(content).hexdigest() != scan.sha256:
        raise RecordingError("recording.bad_image", f"{path}: it has changed since it was labelled or archived")
    try:
        return read_scan(path, {lines})
    except RecordingError as error:
        raise RecordingError(error.code, f"{path.parent}/{error.detail}") from error


def canvases(said: Said, shape: tuple[int, ...]) -> list[Canvas]:
    """What is marked on a scan, each class on a canvas of its own.

    Args:
        said: What is said of the scan.
        shape: Its lines and columns.

    Raises:
        RecordingError: A mask cannot be read, or has another size.
    """
    painted: dict[int, Pixels] = {}
    for mark in said.marks:
        canvas = painted.setdefault(mark.number, np.zeros(shape, np.uint8))
        if isinstance(mark.place, Path):
            canvas[_mask(mark.place, shape)] = 1
        else:
            line, column, height, width = mark.place
            canvas[line : line + height, column : column + width] = 1
    return sorted(painted.items(), key=lambda one: one[0])


def patch_labels(said: Said, marked: Sequence[Canvas], left: int, right: int, geometry: Geometry) -> PatchLabels:
    """What is known of a scan's patches, by what is said of the part, marked on it and said of the patches.

    Args:
        said: What is said of the scan.
        marked: Of `canvases`, turned as the scan is.
        left: First column of the part.
        right: Column after the last.
        geometry: How a turn becomes patches.
    """
    good = said.part == PASSING
    labels = np.full(geometry.patches_per_part, PASSING if good else UNLABELLED, np.int16)
    levels = np.full(geometry.patches_per_part, Level.PATCH if good else Level.PART, np.uint8)
    shown = label_marked((one for one in marked if one[0] != DOUBTFUL), left, right, geometry)
    doubtful = _touched((pixels for number, pixels in marked if number == DOUBTFUL), left, right, geometry)
    labels[shown != 0], labels[doubtful] = shown[shown != 0], DOUBTFUL
    levels[(shown != 0) | doubtful] = Level.MASK
    contradicted = [patch for patch, number in said.patches.items() if shown[patch] > 0 and shown[patch] != number]
    for patch, number in said.patches.items():
        labels[patch], levels[patch] = DOUBTFUL if patch in contradicted else number, Level.PATCH
    if said.part > PASSING and not (labels > PASSING).any():
        levels[labels < 0] = Level.PART  # one of these shows the defect, so that none of them may be left out
    return PatchLabels(labels, levels, tuple(sorted(contradicted)))


def _touched(canvas: Iterable[Pixels], left: int, right: int, geometry: Geometry) -> NDArray[np.bool_]:
    touched = np.zeros(geometry.patches_per_part, np.bool_)
    for pixels in canvas:
        touched |= (cover(pixels, left, right, geometry) > 0).any(axis=0)
    return touched


def _mask(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = read_scan(path, {shape[0]})
    if mask.shape != shape:
        told = f"{path}: it is {mask.shape[1]} columns wide, its scan {shape[1]}"
        raise RecordingError("recording.bad_image", told)
    return np.asarray(mask != 0, np.bool_)
