"""What is known of patches of which somebody has said something: of the part, of a patch, of a place."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.manifest import Level
from models.dataset.said import (
    DOUBTFUL,
    Mark,
    PatchLabels,
    Rectangle,
    Said,
    SaidScan,
    canvases,
    patch_labels,
    read_said,
)
from station.core.errors import RecordingError
from station.core.geometry import Geometry

GEOMETRY = Geometry(lines_per_turn=64, lines_per_block=32, patch_px=32, patches_per_strip=2)
"""Four patches, (0 1) over (2 3), each of 32 lines and 32 columns of the scan."""
SHAPE = (64, 80)
LEFT, RIGHT = 8, 72
PART, PATCH, MASK = Level.PART, Level.PATCH, Level.MASK
IN_PATCH_0: Rectangle = (4, 12, 12, 10)
MOSTLY_IN_PATCH_0: Rectangle = (4, 28, 10, 14)
"""Twelve of its columns are in patch 0, two are in patch 1."""


def known(said: Said) -> PatchLabels:
    return patch_labels(said, canvases(said, SHAPE), LEFT, RIGHT, GEOMETRY)


@pytest.mark.parametrize(
    ("said", "labels", "levels"),
    [
        (Said(0), [0, 0, 0, 0], [PATCH] * 4),
        (Said(2), [-1, -1, -1, -1], [PART] * 4),
        (Said(-1, {1: 0, 2: 3}), [-1, 0, 3, -1], [PART, PATCH, PATCH, PART]),
        (Said(2, {3: DOUBTFUL}), [-1, -1, -1, -1], [PART] * 4),
        (Said(2, {0: 2, 3: DOUBTFUL}), [2, -1, -1, -1], [PATCH, PART, PART, PATCH]),
        (Said(-1, {0: 0, 3: DOUBTFUL}), [0, -1, -1, -1], [PATCH, PART, PART, PATCH]),
        (Said(2, marks=(Mark(2, IN_PATCH_0),)), [2, -1, -1, -1], [MASK, PART, PART, PART]),
        (Said(2, marks=(Mark(2, MOSTLY_IN_PATCH_0),)), [2, -1, -1, -1], [MASK, MASK, PART, PART]),
        (Said(2, marks=(Mark(DOUBTFUL, IN_PATCH_0),)), [-1, -1, -1, -1], [PART] * 4),
        (Said(2, marks=(Mark(2, (4, 12, 4, 4)),)), [-1, -1, -1, -1], [PART] * 4),
        (Said(2, {1: 3}, (Mark(2, (4, 12, 4, 4)),)), [-1, 3, -1, -1], [MASK, PATCH, PART, PART]),
        (Said(2, marks=(Mark(2, (0, 0, 64, 8)),)), [-1, -1, -1, -1], [PART] * 4),
        (Said(2, {0: 2, 1: 0}, (Mark(2, MOSTLY_IN_PATCH_0),)), [2, 0, -1, -1], [PATCH, PATCH, PART, PART]),
    ],
)
def test_a_patch_has_what_was_said_of_it_and_else_nothing(said: Said, labels: list[int], levels: list[int]) -> None:
    found = known(said)
    assert found.labels.tolist() == labels
    assert found.levels.tolist() == levels
    assert found.contradicted == ()


def test_of_two_marks_that_overlap_the_one_that_covers_more_counts() -> None:
    one, other = Mark(1, IN_PATCH_0), Mark(3, (2, 10, 20, 20))
    for marks in ((one, other), (other, one)):
        assert known(Said(-1, marks=marks)).labels.tolist() == [3, -1, -1, -1]


def test_nobody_learns_from_a_patch_whose_label_is_another_than_what_is_marked_on_it() -> None:
    found = known(Said(2, {0: 0, 3: 1}, (Mark(2, IN_PATCH_0),)))
    assert found.contradicted == (0,)
    assert found.labels.tolist() == [-1, -1, -1, 1]
    assert found.levels.tolist() == [PATCH, PART, PART, PATCH]


def test_a_mask_marks_what_is_not_0_and_must_be_of_the_scans_size(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[40:52, 50:60] = 7
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    cv2.imwrite(str(tmp_path / "narrow.png"), mask[:, :70])
    assert known(Said(1, marks=(Mark(1, tmp_path / "mask.png"),))).labels.tolist() == [-1, -1, -1, 1]
    with pytest.raises(RecordingError, match="70 columns wide, its scan 80"):
        known(Said(1, marks=(Mark(1, tmp_path / "narrow.png"),)))


def test_a_scan_that_is_another_one_than_was_labelled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((64, 80), np.uint8))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    scan = SaidScan("scans/a.png", "A", path, sha256, LEFT, RIGHT, Said(0))
    assert read_said(scan, 64).shape == SHAPE
    cv2.imwrite(str(path), np.ones((64, 80), np.uint8))
    with pytest.raises(RecordingError, match="changed since it was labelled"):
        read_said(scan, 64)
    path.unlink()
    with pytest.raises(RecordingError, match=r"a\.png: it cannot be read: No such file"):
        read_said(scan, 64)
