"""The recording that comes with the product is complete, small, and what its plan says."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.recordings import bundled_recording
from sim.surfaces.bundled import PLAN
from sim.surfaces.plan import PlannedPart
from sim.surfaces.recording import write_recording
from tests.housings import CLASSES, Verdict
from tests.lines import LINES_PER_TURN

ENTRIES = [json.loads(line) for line in (bundled_recording() / "recording.jsonl").read_text().splitlines()]


def test_it_holds_all_classes_and_several_widths_and_is_small() -> None:
    assert {entry["label"] for entry in ENTRIES} == set(CLASSES)
    assert len({entry["part_type"] for entry in ENTRIES}) >= 4
    assert len({entry["part_id"] for entry in ENTRIES}) == len(ENTRIES)
    assert sum(path.stat().st_size for path in bundled_recording().rglob("*") if path.is_file()) < 15_000_000


def test_every_scan_is_a_turn_of_8_bit_grey() -> None:
    for entry in ENTRIES:
        image = cv2.imread(str(bundled_recording() / entry["file"]), cv2.IMREAD_UNCHANGED)
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert image.shape[0] == LINES_PER_TURN


def test_it_is_what_the_plan_says() -> None:
    planned = [
        (part.part_id, f"smh_{part.width_px}", (part.defects or (Verdict.DEFECT_FREE,))[0].label) for part in PLAN
    ]
    assert [(entry["part_id"], entry["part_type"], entry["label"]) for entry in ENTRIES] == planned


def test_its_masks_show_the_defects_that_the_plan_says() -> None:
    for part in PLAN:
        mask = cv2.imread(str(bundled_recording() / "masks" / f"{part.part_id}.png"), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, *part.defects}


@pytest.mark.parametrize("part", [PLAN[4], PLAN[7]], ids=lambda part: part.part_id)
def test_rendering_it_again_gives_the_same_truth_and_the_same_picture(part: PlannedPart, tmp_path: Path) -> None:
    """Pixels may differ by a grey value between machines, the truth never."""
    write_recording(tmp_path, [part])
    (truth,) = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert truth in (bundled_recording() / "truth.jsonl").read_text().splitlines()
    for name, most in ((f"masks/{part.part_id}.png", 0), (f"{part.part_id}.png", 1)):
        again, bundled = (
            cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for folder in (tmp_path, bundled_recording())
        )
        assert np.abs(again.astype(int) - bundled).max() <= most


def test_no_plan_of_a_rendered_folder_can_reach_its_seeds() -> None:
    most = 999_999 * 1_000_000 + 99_999
    assert min(part.seed for part in PLAN) > most
