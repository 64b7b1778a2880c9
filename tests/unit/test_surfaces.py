"""The renderer: seeded, closed around the turn, with a truth that is the picture's own."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.surfaces import WIDTHS_PX, plan_parts, render_part, write_recording
from sim.surfaces.canvas import Canvas, turn_noise
from sim.surfaces.defects import MM_PER_PX
from station.core.part import LINES_PER_BLOCK, LINES_PER_TURN, SurfaceClass

DEFECTS = [surface for surface in SurfaceClass if surface is not SurfaceClass.DEFECT_FREE]


def test_same_arguments_give_the_same_bytes() -> None:
    once, again = (render_part(5, 385, SurfaceClass.PITS) for _ in range(2))
    assert once.image.tobytes() == again.image.tobytes()
    assert once.mask.tobytes() == again.mask.tobytes()
    assert once.truth == again.truth


@pytest.mark.parametrize(
    "other", [(6, 385, SurfaceClass.PITS), (5, 386, SurfaceClass.PITS), (5, 385, SurfaceClass.SCRATCHES)]
)
def test_another_seed_width_or_class_gives_another_surface(other: tuple[int, int, SurfaceClass]) -> None:
    first, second = render_part(5, 385, SurfaceClass.PITS), render_part(*other)
    assert first.image[:, :400].tobytes() != second.image[:, :400].tobytes()


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_the_part_lies_on_black_with_its_width(width_px: int) -> None:
    scan = render_part(3, width_px, SurfaceClass.DEFECT_FREE)
    roi = scan.truth.roi
    assert scan.image.shape == scan.mask.shape
    assert scan.image.shape[0] == LINES_PER_TURN
    assert scan.image.dtype == np.uint8
    assert roi.width == width_px
    columns = scan.image.mean(axis=0)
    assert columns[: roi.left].max() < 40
    assert columns[roi.right :].max() < 40
    seen = np.flatnonzero(columns > 40)
    assert abs(seen[0] - roi.left) <= 2
    assert abs(seen[-1] + 1 - roi.right) <= 2
    assert columns[roi.left + 2 : roi.right - 2].min() > 40


@pytest.mark.parametrize("seed", range(3))
def test_a_defect_free_part_has_an_empty_mask(seed: int) -> None:
    scan = render_part(seed, 570, SurfaceClass.DEFECT_FREE)
    assert not scan.mask.any()
    assert scan.truth.defects == ()


@pytest.mark.parametrize("surface", DEFECTS)
@pytest.mark.parametrize(("seed", "width_px"), [(1, 385), (2, 690), (3, 1065)])
def test_a_defect_is_far_under_one_percent_and_its_truth_is_the_masks(
    surface: SurfaceClass, seed: int, width_px: int
) -> None:
    scan = render_part(seed, width_px, surface)
    (defect,) = scan.truth.defects
    assert set(np.unique(scan.mask)) == {0, surface}
    assert np.count_nonzero(scan.mask) == defect.area_px
    assert defect.surface is surface
    assert 0.0001 < defect.surface_share < 0.005
    assert defect.area_mm2 == pytest.approx(defect.area_px * MM_PER_PX**2)
    assert not scan.mask[:, : scan.truth.roi.left].any()
    assert not scan.mask[:, scan.truth.roi.right :].any()


@pytest.mark.parametrize("surface", DEFECTS)
def test_what_the_mask_marks_can_be_seen(surface: SurfaceClass) -> None:
    scan = render_part(4, 690, surface)
    image = scan.image.astype(np.float32)
    contrast = np.abs(image - cv2.GaussianBlur(image, (0, 0), 40))[
        :, scan.truth.roi.left + 9 : scan.truth.roi.right - 9
    ]
    mask = scan.mask[:, scan.truth.roi.left + 9 : scan.truth.roi.right - 9]
    assert contrast[mask > 0].mean() > 1.3 * contrast[mask == 0].mean()


def test_defects_lie_across_strip_borders_and_the_seam() -> None:
    lines = [render_part(seed, 385, SurfaceClass.SCRATCHES).mask.any(axis=1) for seed in range(40)]
    borders = range(LINES_PER_BLOCK, LINES_PER_TURN, LINES_PER_BLOCK)
    assert any(part[border - 1] and part[border] for part in lines for border in borders)
    assert any(part[0] and part[-1] for part in lines)


def test_a_window_laid_over_the_seam_goes_on_at_the_first_line() -> None:
    canvas = Canvas.bare(300)
    covered = canvas.lay(np.full((4, 2), 0.5, np.float32), LINES_PER_TURN - 2, 299, np.full((4, 2), 3, np.uint8))
    assert covered == 4
    assert np.argwhere(canvas.mask).tolist() == [[0, 299], [1, 299], [3582, 299], [3583, 299]]
    assert np.array_equal(canvas.reflectance < 1, canvas.mask > 0)


@pytest.mark.parametrize("cells", [7, 56, 448])
def test_marks_of_the_tool_close_after_one_turn(cells: int) -> None:
    noise = turn_noise(np.random.default_rng(1), cells, 300)
    inner = np.abs(np.diff(noise, axis=0)).max()
    assert np.abs(noise[0] - noise[-1]).max() <= inner


def test_a_rendered_folder_is_a_recording_with_its_truth(tmp_path: Path) -> None:
    assert write_recording(tmp_path, plan_parts(3, seed=8, defect_free=0.0)) == 3
    entries = [json.loads(line) for line in (tmp_path / "recording.jsonl").read_text().splitlines()]
    truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert len({entry["part_id"] for entry in entries}) == 3
    for entry, truth in zip(entries, truths, strict=True):
        assert set(entry) == {"file", "part_id", "part_type", "label"}
        assert len(entry["part_id"]) <= 16
        mask = cv2.imread(str(tmp_path / truth["mask"]), cv2.IMREAD_UNCHANGED)
        assert cv2.imread(str(tmp_path / entry["file"]), cv2.IMREAD_UNCHANGED).shape == mask.shape
        assert entry["part_type"] == f"smh_{truth['right'] - truth['left']}"
        assert [defect["class"] for defect in truth["defects"]] == [entry["label"]]
        assert mask.max() == SurfaceClass[entry["label"].upper()]


def test_plans_of_different_seeds_share_no_part() -> None:
    first, second = ({part.seed for part in plan_parts(50, seed, 0.4)} for seed in (1, 2))
    assert not first & second
    assert list(plan_parts(5, 1, 0.4)) == list(plan_parts(5, 1, 0.4))
