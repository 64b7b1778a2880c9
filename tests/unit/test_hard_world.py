"""The hard world: harder to tell, and as true to itself as the usual one."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.surfaces import RenderPlan, SeverityPlan, render_part, write_recording
from sim.surfaces.canvas import LINES_PER_TURN, Canvas, even_noise, turn_noise
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.conditions import DEFOCUS_PX, WEAKEST, WOBBLE_PX, Conditions
from sim.surfaces.grounds import WINDOW_PX, check_ground, real_finish
from sim.surfaces.lookalikes import (
    lay_chatter,
    lay_crossing_marks,
    lay_fingerprints,
    lay_flakes,
    lay_lookalikes,
    lay_tide_marks,
)
from sim.surfaces.plan import parse_setting
from sim.surfaces.render import Setting, World
from station.core.errors import ConfigError, RecordingError
from station.core.settings import TurnSettings
from station.flow.patch import blocks_of
from station.flow.turn.witness import TurnWitness
from tests.turned import GEOMETRY

HARD = Setting(world=World.HARD)
WIDTH_PX = 385


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures of metal, one of them too small to be used, and a file that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number, side in enumerate((WINDOW_PX + 40, 2 * WINDOW_PX, WINDOW_PX - 1)):
        marks = rng.normal(0, 12, (1, side)) + rng.normal(0, 4, (side, side)) + np.linspace(60, 160, side)[:, None]
        cv2.imwrite(str(folder / f"{number}.png"), np.clip(marks, 0, 255).astype(np.uint8))
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_the_same_housing_is_always_the_same_bytes() -> None:
    once, again = (render_part(5, WIDTH_PX, (SurfaceClass.PITS,), setting=HARD) for _ in range(2))
    assert once.image.tobytes() == again.image.tobytes()
    assert once.mask.tobytes() == again.mask.tobytes()


def test_the_hard_world_is_another_than_the_usual_one_and_has_the_same_defects() -> None:
    usual, hard = (
        render_part(5, WIDTH_PX, (SurfaceClass.PITS,)),
        render_part(5, WIDTH_PX, (SurfaceClass.PITS,), setting=HARD),
    )
    assert usual.image.tobytes() != hard.image.tobytes()
    assert [defect.surface for defect in usual.truth.defects] == [defect.surface for defect in hard.truth.defects]
    assert usual.truth.conditions is None


@pytest.mark.parametrize("lay", [lay_tide_marks, lay_chatter, lay_crossing_marks, lay_fingerprints, lay_flakes])
def test_what_looks_like_a_defect_changes_the_light_and_is_none(
    lay: Callable[[np.random.Generator, Canvas, float], None],
) -> None:
    canvas = Canvas.bare(WIDTH_PX)
    lay(np.random.default_rng(3), canvas, 6.0)
    assert canvas.reflectance.min() < 0.97
    assert canvas.reflectance.min() > 0.3
    assert not canvas.mask.any()


def test_without_marks_a_surface_stays_bare() -> None:
    canvas = Canvas.bare(WIDTH_PX)
    lay_lookalikes(np.random.default_rng(3), canvas, 0.0)
    assert (canvas.reflectance == 1).all()


@pytest.mark.parametrize("seed", range(6))
def test_conditions_stay_within_their_limits_and_close(seed: int) -> None:
    drawn = Conditions.drawn(np.random.default_rng(seed))
    assert drawn.lamp(WIDTH_PX).min() >= WEAKEST * 0.85
    assert 0 <= drawn.defocus_px.min() <= drawn.defocus_px.max() <= 1.5 * DEFOCUS_PX
    assert np.abs(drawn.sway_px).max() <= WOBBLE_PX
    for of_lines in (drawn.defocus_px, drawn.sway_px):
        assert abs(of_lines[-1] - of_lines[0]) <= np.abs(np.diff(of_lines)).max() + 1e-9


def test_the_mask_goes_where_the_picture_goes() -> None:
    sway_px = np.full(LINES_PER_TURN, 2.0)
    swayed = Conditions(np.ones(8), np.zeros(LINES_PER_TURN), sway_px)
    scene, mask = np.zeros((LINES_PER_TURN, 40), np.float32), np.zeros((LINES_PER_TURN, 40), np.uint8)
    scene[:, 10], mask[:, 10] = 100, 3
    assert (swayed.seen(scene)[:, 12] == 100).all()
    assert (np.flatnonzero(swayed.seen_mask(mask)[7]) == 12).all()


def test_a_line_is_blurred_as_much_as_it_is_out_of_focus_also_at_the_seam() -> None:
    defocus_px = np.zeros(LINES_PER_TURN)
    defocus_px[:600] = defocus_px[-600:] = 1.4
    scene = np.zeros((LINES_PER_TURN, 41), np.float32)
    scene[:, 20] = 100
    seen = Conditions(np.ones(8), defocus_px, np.zeros(LINES_PER_TURN)).seen(scene)
    assert seen[1800, 20] == 100
    assert seen[0, 20] == pytest.approx(100 / (1.4 * np.sqrt(2 * np.pi)), rel=0.05)
    assert np.allclose(seen[0], seen[-1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("width_px", [385, 1065])
def test_a_hard_housing_is_believed_to_have_turned(seed: int, width_px: int) -> None:
    scan = render_part(seed, width_px, setting=HARD)
    witness = TurnWitness(TurnSettings(), GEOMETRY)
    for block in blocks_of(np.ascontiguousarray(scan.image), GEOMETRY):
        witness.take(block, scan.truth.roi)
    assert witness.doubt is None


@pytest.mark.parametrize("cells", [448, 896, 1792])
def test_even_noise_has_no_lines_that_change_more_than_their_neighbours(cells: int) -> None:
    step = 3584 // cells
    noise = even_noise(np.random.default_rng(1), cells, 600)
    changes = (np.diff(noise, axis=0, append=noise[:1]) ** 2).mean(axis=1)
    by_phase = [changes[phase::step].mean() for phase in range(step)]
    assert max(by_phase) / min(by_phase) < 1.05
    assert noise.std() == pytest.approx(turn_noise(np.random.default_rng(1), cells, 600).std(), rel=0.05)


def test_a_ground_of_pictures_has_their_contrast_and_closes(pictures: Path) -> None:
    assert check_ground(pictures) == 2
    finish = real_finish(np.random.default_rng(2), WIDTH_PX, pictures)
    assert finish.shape == (LINES_PER_TURN, WIDTH_PX)
    assert finish.mean() == pytest.approx(1, abs=0.02)
    assert 0.08 < finish.std() < 0.18
    steps = np.abs(np.diff(finish, axis=0, append=finish[:1])).mean(axis=1)
    assert steps[-1] < 1.5 * steps.mean()


def test_a_folder_without_pictures_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=f"{tmp_path}.*128 x 128") as refused:
        parse_setting("hard", tmp_path, None, 1.0)
    assert refused.value.code == "recording.not_found"


def test_a_world_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="usual or hard"):
        parse_setting("easy", None, None, 1.0)


def test_the_truth_tells_what_a_hard_housing_was_seen_under(tmp_path: Path, pictures: Path) -> None:
    setting = Setting(world=World.HARD, ground=pictures)
    write_recording(tmp_path / "scans", RenderPlan(1, 4, (0, 1, 0, 0, 0), setting=setting).planned())
    (line,) = (tmp_path / "scans" / "truth.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["world"] == "hard"
    assert told["ground"] == "pictures"
    assert 0 <= told["wobble_px"] <= WOBBLE_PX
    assert told["defocus_px"] <= told["defocus_most_px"]


def test_the_usual_world_is_what_it_has_always_been() -> None:
    scan = render_part(5, WIDTH_PX, (SurfaceClass.PITS,))
    assert (
        hashlib.sha256(scan.image.tobytes()).hexdigest()
        == "d2ebc020e09024e61ce545875a2988cd6b9573de4596f56cb0c833fe6a7132e6"
    )


def test_hard_defects_are_as_small_or_as_faint_as_the_shipped_network_finds_half_to_nine_tenths_of() -> None:
    planned = RenderPlan(120, 9, (0, 1, 1, 1, 1), SeverityPlan.parse("hard")).planned()
    for surface in list(SurfaceClass)[1:]:
        severities = [part.severity for part in planned if part.defects[0] is surface]
        small, faint, near = (severities[start::3] for start in range(3))
        assert all(one.contrast == 1 and one.size < 0.81 for one in small)
        assert all(one.size == 1 and one.contrast < 0.61 for one in faint)
        assert all(0.4 < one.size <= 1 and 0.5 < one.contrast <= 1 for one in near)
