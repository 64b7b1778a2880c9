"""Patches for training are the station's patches, and a label needs enough of a defect in view."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.data import MIN_DEFECT_PX, SLIVER, cut, label_patches, read_patches, read_scans, write_patches
from sim.surfaces import RenderPlan, write_recording
from station.core.errors import RecordingError
from station.core.part import LINES_PER_TURN, SurfaceClass


@pytest.mark.parametrize("width_px", [385, 570, 690, 935, 1065, 1575])
def test_cut_equals_the_whole_image_resized_and_cut(width_px: int) -> None:
    image = np.random.default_rng(width_px).integers(0, 256, (LINES_PER_TURN, width_px + 60), np.uint8)
    whole = cv2.resize(image[:, 20 : 20 + width_px], (512, 2048), interpolation=cv2.INTER_AREA)
    patches = cut(image, 20, 20 + width_px)
    assert patches.shape == (16, 256, 256)
    for number, patch in enumerate(patches):
        row, column = divmod(number, 2)
        assert np.array_equal(patch, whole[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256])


def mask_with(lines: slice, columns: slice, surface: SurfaceClass) -> np.ndarray:
    mask = np.zeros((LINES_PER_TURN, 600), np.uint8)
    mask[lines, columns] = surface
    return mask


def test_a_defect_within_a_patch_labels_that_patch_alone() -> None:
    labels = label_patches(mask_with(slice(500, 540), slice(400, 440), SurfaceClass.PITS), 50, 562)
    assert labels.tolist() == [0, 0, 0, SurfaceClass.PITS] + [0] * 12


def test_a_defect_across_a_strip_border_labels_both_patches() -> None:
    labels = label_patches(mask_with(slice(428, 468), slice(100, 140), SurfaceClass.IMPRINTED), 50, 562)
    assert np.flatnonzero(labels == SurfaceClass.IMPRINTED).tolist() == [0, 2]


def test_a_sliver_is_neither_defect_nor_defect_free() -> None:
    labels = label_patches(mask_with(slice(400, 450), slice(100, 140), SurfaceClass.SCRATCHES), 50, 562)
    assert labels[0] == SurfaceClass.SCRATCHES
    assert labels[2] == SLIVER
    tiny = label_patches(mask_with(slice(400, 402), slice(100, 104), SurfaceClass.SCRATCHES), 50, 562)
    assert MIN_DEFECT_PX > 2 * 4
    assert tiny.tolist() == [SLIVER] + [0] * 15


def test_patches_of_a_recording_keep_label_and_part(tmp_path: Path) -> None:
    write_recording(tmp_path / "r", RenderPlan(3, seed=2, mix=(1, 1, 1, 0, 0)).planned())
    scans = read_scans(tmp_path / "r")
    patches = write_patches(scans, tmp_path / "p", jitter_px=0, seed=0)
    assert patches.patches.shape == (48, 256, 256)
    assert patches.parts.tolist() == [0] * 16 + [1] * 16 + [2] * 16
    for number, scan in enumerate(scans):
        found = set(patches.labels[patches.parts == number].tolist()) - {SLIVER, 0}
        assert found == ({int(scan.surface)} if scan.surface else set())
    again = read_patches(tmp_path / "p")
    assert np.array_equal(again.patches, patches.patches)


ENTRY = {"file": "a.png", "part_id": "A", "part_type": "smh_385", "label": "pits"}
TRUTH = {"file": "a.png", "mask": "masks/a.png", "left": 10, "right": 395}


@pytest.mark.parametrize(
    ("recording", "truth", "code"),
    [
        (None, json.dumps(TRUTH), "recording.not_found"),
        (json.dumps(ENTRY), None, "recording.not_found"),
        ("{", json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY | {"label": "rust"}), json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY | {"colour": "red"}), json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY), json.dumps(TRUTH | {"file": "b.png"}), "recording.bad_line"),
    ],
)
def test_a_recording_without_a_usable_truth_is_refused(
    tmp_path: Path, recording: str | None, truth: str | None, code: str
) -> None:
    for name, text in (("recording.jsonl", recording), ("truth.jsonl", truth)):
        if text is not None:
            (tmp_path / name).write_text(text)
    with pytest.raises(RecordingError) as caught:
        read_scans(tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize("shape", [(3583, 400), (3584, 400, 3)])
def test_an_image_of_another_kind_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "recording.jsonl").write_text(json.dumps(ENTRY))
    (tmp_path / "truth.jsonl").write_text(json.dumps(TRUTH))
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros(shape, np.uint8))
    with pytest.raises(RecordingError) as caught:
        write_patches(read_scans(tmp_path), tmp_path / "p", jitter_px=0, seed=0)
    assert caught.value.code == "recording.bad_image"
