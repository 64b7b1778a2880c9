"""The renderer: seeded, closed around the turn, with a truth that is the picture's own."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.surfaces import WIDTHS_PX, RenderPlan, Severity, SeverityPlan, marks, render_part, write_recording
from sim.surfaces.canvas import Canvas, turn_noise
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.defects import MM_PER_PX, lay_defect
from sim.surfaces.plan import PAPER_MIX, parse_mix, share_out
from sim.surfaces.render import Setting
from sim.surfaces.severity import CURVES
from station.core.errors import ConfigError, RecordingError
from tests.lines import LINES_PER_BLOCK, LINES_PER_TURN

DEFECTS = [surface for surface in SurfaceClass if surface is not SurfaceClass.DEFECT_FREE]


def test_same_arguments_give_the_same_bytes() -> None:
    once, again = (render_part(5, 385, (SurfaceClass.PITS,)) for _ in range(2))
    assert once.image.tobytes() == again.image.tobytes()
    assert once.mask.tobytes() == again.mask.tobytes()
    assert once.truth == again.truth


@pytest.mark.parametrize(
    "other", [(6, 385, SurfaceClass.PITS), (5, 386, SurfaceClass.PITS), (5, 385, SurfaceClass.SCRATCHES)]
)
def test_another_seed_width_or_class_gives_another_surface(other: tuple[int, int, SurfaceClass]) -> None:
    first, second = render_part(5, 385, (SurfaceClass.PITS,)), render_part(*other[:2], other[2:])
    assert first.image[:, :400].tobytes() != second.image[:, :400].tobytes()


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_the_part_lies_on_black_with_its_width(width_px: int) -> None:
    scan = render_part(3, width_px)
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
    scan = render_part(seed, 570)
    assert not scan.mask.any()
    assert scan.truth.defects == ()


@pytest.mark.parametrize("surface", DEFECTS)
@pytest.mark.parametrize(("seed", "width_px"), [(1, 385), (2, 690), (3, 1065)])
def test_a_defect_is_far_under_one_percent_and_its_truth_is_the_masks(
    surface: SurfaceClass, seed: int, width_px: int
) -> None:
    scan = render_part(seed, width_px, (surface,))
    (defect,) = scan.truth.defects
    assert scan.truth.surface is surface
    assert set(np.unique(scan.mask)) == {0, surface}
    assert np.count_nonzero(scan.mask) == defect.area_px
    assert defect.surface is surface
    assert 0.00005 < defect.surface_share < 0.003
    assert defect.area_mm2 == pytest.approx(defect.area_px * MM_PER_PX**2)
    assert not scan.mask[:, : scan.truth.roi.left].any()
    assert not scan.mask[:, scan.truth.roi.right :].any()


@pytest.mark.parametrize("surface", DEFECTS)
def test_what_the_mask_marks_can_be_seen(surface: SurfaceClass) -> None:
    scan = render_part(4, 690, (surface,))
    image = scan.image.astype(np.float32)
    contrast = np.abs(image - cv2.GaussianBlur(image, (0, 0), 40))[
        :, scan.truth.roi.left + 9 : scan.truth.roi.right - 9
    ]
    mask = scan.mask[:, scan.truth.roi.left + 9 : scan.truth.roi.right - 9]
    assert contrast[mask > 0].mean() > 1.3 * contrast[mask == 0].mean()


def test_defects_lie_across_strip_borders_and_the_seam() -> None:
    lines = []
    for seed in range(150):
        canvas = Canvas.bare(385)
        lay_defect(np.random.default_rng(seed), canvas, DEFECTS[seed % 4])
        lines.append(canvas.mask.any(axis=1))
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
    assert write_recording(tmp_path, RenderPlan(3, seed=8, mix=(0, 1, 1, 1, 0)).planned()) == 3
    entries = [json.loads(line) for line in (tmp_path / "recording.jsonl").read_text().splitlines()]
    truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert len({entry["part_id"] for entry in entries}) == 3
    for entry, truth in zip(entries, truths, strict=True):
        assert set(entry) == {"file", "part_id", "part_type", "label"}
        assert len(entry["part_id"]) <= 16
        mask = cv2.imread(str(tmp_path / truth["mask"]), cv2.IMREAD_UNCHANGED)
        assert cv2.imread(str(tmp_path / entry["file"]), cv2.IMREAD_UNCHANGED).shape == mask.shape
        assert entry["part_type"] == f"smh_{truth['right'] - truth['left']}"
        assert {defect["class"] for defect in truth["defects"]} == {entry["label"]}
        assert mask.max() == SurfaceClass[entry["label"].upper()]


def test_plans_of_different_seeds_share_no_part() -> None:
    first, second = ({part.seed for part in RenderPlan(50, seed).planned()} for seed in (1, 2))
    assert not first & second
    assert RenderPlan(5, 1).planned() == RenderPlan(5, 1).planned()


def test_a_plan_holds_the_papers_mix_to_the_part() -> None:
    planned = RenderPlan(1300, 4).planned()
    found = [
        sum((part.defects or (SurfaceClass.DEFECT_FREE,))[0] is surface for part in planned) for surface in SurfaceClass
    ]
    assert found == [10 * weight for weight in PAPER_MIX]
    several = [part for part in planned if len(part.defects) > 1]
    assert 0.05 < len(several) / 900 < 0.15
    assert all(len(set(part.defects)) == 1 for part in several)


@pytest.mark.parametrize(("parts", "shares"), [(7, [2, 1, 2, 1, 1]), (1, [1, 0, 0, 0, 0]), (130, list(PAPER_MIX))])
def test_every_part_is_shared_out(parts: int, shares: list[int]) -> None:
    assert share_out(parts, PAPER_MIX) == shares


@pytest.mark.parametrize("text", ["40/17/36/19", "1/2/3/4/x", "0/0/0/0/0", "-1/2/3/4/5", ""])
def test_a_mix_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_mix(text)


@pytest.mark.parametrize("text", ["fine", "0.5", "0x1", "0.5x9", "1x1x1", ""])
def test_a_severity_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        SeverityPlan.parse(text)


def test_severities_for_curves_vary_size_contrast_or_both_in_turn_from_unseen_to_plain() -> None:
    planned = RenderPlan(600, 5, (0, 1, 1, 1, 1), SeverityPlan.parse("curves")).planned()
    for surface in DEFECTS:
        drawn = [part.severity for part in planned if part.defects[0] is surface]
        sized = [one.size for one in drawn if one.contrast == 1]
        strong = [one.contrast for one in drawn if one.size == 1]
        both = [one for one in drawn if one.size != 1 and one.contrast != 1]
        assert (len(sized), len(strong), len(both)) == (60, 60, 30)
        for values in (sized, strong):
            assert min(values) < 0.25
            assert max(values) > 1


@pytest.mark.parametrize("surface", DEFECTS)
def test_the_smallest_defects_of_a_curve_still_change_the_light(surface: SurfaceClass) -> None:
    smallest = Severity(min(design.size[0] for design in CURVES[surface]))
    laid = [lay_defect(np.random.default_rng(seed), Canvas.bare(385), surface, smallest) for seed in range(40)]
    assert sum(defect.contrast > 0.01 for defect in laid) >= 39
    assert max(defect.extent_px for defect in laid) < 50


def test_a_fixed_severity_is_that_of_every_housing() -> None:
    planned = RenderPlan(20, 5, severity=SeverityPlan.parse("0.5x0.75")).planned()
    assert {part.severity for part in planned} == {Severity(0.5, 0.75)}


@pytest.mark.parametrize(
    ("plan", "sha256"),
    [
        (RenderPlan(200, 7), "589011ba18c5289226a11e1601d3d0ea10512f4140a619141aae6de509025b8e"),
        (
            RenderPlan(60, 3, severity=SeverityPlan.parse("0.5x0.7"), mixed=0.5, setting=Setting(lamp_age=0.25)),
            "8b534fcb901d8c05b18d25b931f91a373817d677056a5b66fe9f6a012bcd819b",
        ),
        (
            RenderPlan(60, 3, (0, 1, 1, 1, 1), SeverityPlan.parse("1.1x1")),
            "33e5438716aaf5d3795e25888b98e9a8278d2d10b8b67eea637909595fd081cc",
        ),
    ],
    ids=["default", "mixed", "larger"],
)
def test_a_plan_gives_the_housings_that_it_has_always_given(plan: RenderPlan, sha256: str) -> None:
    told = [
        (part.part_id, part.seed, part.width_px, [surface.label for surface in part.defects],
         part.severity.size, part.severity.contrast, part.setting.lamp_age)
        for part in plan.planned()
    ]  # fmt: skip
    assert hashlib.sha256(repr(told).encode()).hexdigest() == sha256


@pytest.mark.parametrize("surface", DEFECTS)
def test_severity_scales_size_and_contrast(surface: SurfaceClass) -> None:
    def laid(severity: Severity) -> tuple[int, float]:
        defect = lay_defect(np.random.default_rng(7), Canvas.bare(690), surface, severity)
        return defect.extent_px, defect.contrast

    extent_px, contrast = laid(Severity())
    assert laid(Severity(0.5, 1))[0] == pytest.approx(extent_px / 2, rel=0.3)
    assert laid(Severity(1, 0.5))[1] == pytest.approx(contrast / 2, rel=0.05)
    faintest = laid(Severity(0.05, 0.05))
    assert 1 <= faintest[0] < extent_px / 5
    assert faintest[1] < contrast / 10


def test_default_defects_cover_at_most_a_twentieth_of_a_percent_in_the_median() -> None:
    shares = [
        lay_defect(np.random.default_rng(seed), Canvas.bare(385), DEFECTS[seed % 4]).surface_share
        for seed in range(200)
    ]
    assert np.median(shares) <= 0.0005


def test_a_roll_marks_again_after_its_circumference() -> None:
    printed = [render_part(seed, 385, (SurfaceClass.ROLL_MARKS,)) for seed in range(12)]
    again = next(scan for scan in printed if scan.truth.defects[0].parameters["prints"] == 2)
    lines = np.flatnonzero(again.mask.any(axis=1))
    pitch = round(again.truth.defects[0].parameters["roll_circumference_px"])
    assert np.mean(np.isin((lines + pitch) % LINES_PER_TURN, lines)) == pytest.approx(0.5, abs=0.1)


def test_a_part_with_defects_of_two_classes_has_the_class_of_the_largest() -> None:
    scan = render_part(3, 690, (SurfaceClass.PITS, SurfaceClass.IMPRINTED, SurfaceClass.PITS))
    assert len(scan.truth.defects) == 3
    assert scan.truth.surface is max(scan.truth.defects, key=lambda defect: defect.area_px).surface
    assert set(np.unique(scan.mask)) == {0, SurfaceClass.PITS, SurfaceClass.IMPRINTED}


def test_an_old_lamp_is_darker_and_less_even() -> None:
    def columns(age: float) -> np.ndarray:
        scan = render_part(3, 690, setting=Setting(lamp_age=age))
        return scan.image[:, scan.truth.roi.left + 9 : scan.truth.roi.right - 9].mean(axis=0)

    new, old = columns(0.0), columns(1.0)
    assert 0.4 < old.mean() / new.mean() < 0.7
    share = cv2.GaussianBlur((old / new)[None], (0, 0), 8)
    assert share.max() / share.min() > 1.1


@pytest.mark.parametrize(
    "lay",
    [
        marks.lay_oil, marks.lay_films, marks.lay_stains, marks.lay_drying_rims, marks.lay_dust,
        marks.lay_fine_scratches,
    ],
)  # fmt: skip
def test_harmless_marks_come_so_many_times_as_often(lay: Callable[..., None]) -> None:
    def covered(often: float) -> float:
        laid = [Canvas.bare(385) for _ in range(30)]
        for seed, canvas in enumerate(laid):
            lay(np.random.default_rng(seed), canvas, often)
        return sum(float(np.abs(canvas.reflectance - 1).sum()) for canvas in laid)

    assert covered(0) == 0
    assert covered(3) / covered(1) == pytest.approx(3, rel=0.4)


def test_a_recording_of_many_marks_holds_them_and_no_defect(tmp_path: Path) -> None:
    usual, many = (
        RenderPlan(1, 4, (1, 0, 0, 0, 0), setting=Setting(marks_factor=factor)).planned() for factor in (1.0, 8.0)
    )
    write_recording(tmp_path, many)
    seen = cv2.imread(str(tmp_path / f"{many[0].part_id}.png"), cv2.IMREAD_UNCHANGED)
    assert (
        seen.tobytes() == render_part(many[0].seed, many[0].width_px, setting=Setting(marks_factor=8.0)).image.tobytes()
    )
    assert seen.tobytes() != render_part(usual[0].seed, usual[0].width_px).image.tobytes()
    assert not cv2.imread(str(tmp_path / "masks" / f"{many[0].part_id}.png"), cv2.IMREAD_UNCHANGED).any()


def test_the_number_of_processes_does_not_change_a_byte(tmp_path: Path) -> None:
    plan = RenderPlan(3, 6, mix=(1, 1, 1, 0, 0)).planned()
    for jobs in (1, 2):
        write_recording(tmp_path / str(jobs), plan, jobs)
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.*"))}
        for folder in (tmp_path / "1", tmp_path / "2")
    )
    assert len(one) == 8
    assert one == two


def test_a_folder_with_a_recording_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "recording.jsonl").write_text("mine\n")
    with pytest.raises(RecordingError) as caught:
        write_recording(tmp_path, RenderPlan(1, 1).planned())
    assert caught.value.code == "recording.exists"
    assert [path.name for path in tmp_path.iterdir()] == ["recording.jsonl"]


def test_a_disk_without_room_is_refused_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RecordingError) as caught:
        write_recording(tmp_path / "new", RenderPlan(9, 1).planned())
    assert caught.value.code == "recording.not_written"
    assert not (tmp_path / "new").exists()
