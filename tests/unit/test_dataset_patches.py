"""Patches for training are the station's patches, and a label needs enough of a defect in view."""

import cv2
import numpy as np
import pytest

from models.dataset.patches import JOINED_PX, MIN_DEFECT_PX, cut, label_patches
from models.dataset.store import SLIVER
from sim.surfaces import render_part
from sim.surfaces.classes import SurfaceClass
from station.core.geometry import Geometry
from tests.unit.housings import GEOMETRY, LINES

WIDE = slice(50, 562)  # columns of a part of 512 px, so that a column of a patch is a column of the scan


@pytest.mark.parametrize("width_px", [385, 570, 690, 935, 1065, 1575])
def test_cut_equals_the_whole_image_resized_and_cut(width_px: int) -> None:
    image = np.random.default_rng(width_px).integers(0, 256, (LINES, width_px + 60), np.uint8)
    whole = cv2.resize(image[:, 20 : 20 + width_px], (512, 2048), interpolation=cv2.INTER_AREA)
    patches = cut(image, 20, 20 + width_px, GEOMETRY)
    assert patches.shape == (16, 256, 256)
    for number, patch in enumerate(patches):
        row, column = divmod(number, 2)
        assert np.array_equal(patch, whole[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256])


def mask_with(*marks: tuple[slice, slice, SurfaceClass]) -> np.ndarray:
    mask = np.zeros((LINES, 600), np.uint8)
    for lines, columns, surface in marks:
        mask[lines, columns] = surface
    return mask


def labels_of(*marks: tuple[slice, slice, SurfaceClass]) -> list[int]:
    return label_patches(mask_with(*marks), WIDE.start, WIDE.stop, GEOMETRY).tolist()


def test_a_defect_within_a_patch_labels_that_patch_alone() -> None:
    labels = labels_of((slice(500, 540), slice(400, 440), SurfaceClass.PITS))
    assert labels == [0, 0, 0, SurfaceClass.PITS] + [0] * 12


def test_a_defect_across_a_strip_border_labels_both_patches() -> None:
    labels = np.array(labels_of((slice(428, 468), slice(100, 140), SurfaceClass.IMPRINTED)))
    assert np.flatnonzero(labels == SurfaceClass.IMPRINTED).tolist() == [0, 2]


def test_a_sliver_is_neither_defect_nor_defect_free() -> None:
    labels = labels_of((slice(400, 450), slice(100, 140), SurfaceClass.SCRATCHES))
    assert labels[0] == SurfaceClass.SCRATCHES
    assert labels[2] == SLIVER
    assert MIN_DEFECT_PX > 2 * 4
    tiny = labels_of((slice(400, 402), slice(100, 104), SurfaceClass.SCRATCHES))
    assert tiny == [SLIVER] + [0] * 15


def test_a_defect_across_the_seam_of_the_turn_is_one() -> None:
    low, high = slice(0, 8), slice(LINES - 60, LINES)
    labels = labels_of(*((lines, slice(100, 140), SurfaceClass.PITS) for lines in (low, high)))
    assert labels[14] == SurfaceClass.PITS
    assert labels[0] == SLIVER  # 8 of 68 lines are less than a fifth of it


def test_prints_far_apart_are_defects_of_their_own() -> None:
    prints = [(slice(line, line + 20), slice(100, 140), SurfaceClass.ROLL_MARKS) for line in range(200, 3500, 450)]
    labels = np.array(labels_of(*prints))
    assert len(prints) == 8  # each an eighth of all that the part shows of its class
    assert np.flatnonzero(labels == SurfaceClass.ROLL_MARKS).tolist() == list(range(0, 16, 2))


@pytest.mark.parametrize(("gap_px", "second"), [(JOINED_PX - 4, SLIVER), (JOINED_PX + 8, SurfaceClass.PITS)])
def test_pieces_near_each_other_are_one_defect(gap_px: int, second: int) -> None:
    border = WIDE.start + 256
    large = (slice(500, 570), slice(border - 60, border), SurfaceClass.PITS)
    small = (slice(500, 520), slice(border + gap_px, border + gap_px + 10), SurfaceClass.PITS)
    assert labels_of(large, small)[2:4] == [SurfaceClass.PITS, second]


def test_the_class_that_covers_more_of_a_patch_names_it() -> None:
    small = (slice(500, 530), slice(400, 420), SurfaceClass.SCRATCHES)
    large = (slice(700, 760), slice(400, 460), SurfaceClass.IMPRINTED)
    assert labels_of(small, large)[3] == SurfaceClass.IMPRINTED
    assert labels_of(large, small)[3] == SurfaceClass.IMPRINTED


@pytest.mark.parametrize("surface", [surface for surface in SurfaceClass if surface])
def test_every_default_defect_labels_a_patch(surface: SurfaceClass) -> None:
    for seed in range(4):
        scan = render_part(seed, 385, (surface,))
        labels = label_patches(scan.mask, scan.truth.roi.left, scan.truth.roi.right, GEOMETRY)
        assert surface in labels
        assert set(labels.tolist()) <= {0, SLIVER, surface}


def test_another_geometry_is_cut_and_labelled_by_its_own_patches() -> None:
    geometry = Geometry(1024, 256, 128, 3)
    image = np.random.default_rng(1).integers(0, 256, (1024, 400), np.uint8)
    whole = cv2.resize(image[:, 8:392], (384, 512), interpolation=cv2.INTER_AREA)
    patches = cut(image, 8, 392, geometry)
    assert patches.shape == (12, 128, 128)
    for number, patch in enumerate(patches):
        row, column = divmod(number, 3)
        assert np.array_equal(patch, whole[row * 128 : row * 128 + 128, column * 128 : column * 128 + 128])
    mask = np.zeros((1024, 400), np.uint8)
    mask[300:340, 8 + 300 : 8 + 340] = 9
    assert np.flatnonzero(label_patches(mask, 8, 392, geometry) == 9).tolist() == [5]
