"""Where defects are asked to lie: each place is what its name says, by the mask and by the station's own cutting."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.patches import cover
from sim.surfaces import RenderPlan, SeverityPlan, render_part, write_recording
from sim.surfaces.canvas import LINES_PER_TURN, Canvas
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.defects import Defect, lay_defect
from sim.surfaces.places import CLEAR_PX, STRIP_LINES, Place
from sim.surfaces.plan import PAPER_MIX, parse_place
from station.core.errors import ConfigError
from tests.unit.housings import GEOMETRY

DEFECTS = [surface for surface in SurfaceClass if surface is not SurfaceClass.DEFECT_FREE]
ASKED = [place for place in Place if place is not Place.ANYWHERE]
WIDTHS = (385, 935)


def laid(place: Place, seed: int, surface: SurfaceClass, width_px: int) -> tuple[Canvas, Defect]:
    canvas = Canvas.bare(width_px)
    return canvas, lay_defect(np.random.default_rng(seed), canvas, surface, place=place)


def patch_shares(canvas: Canvas) -> np.ndarray:
    """How much of the mask each patch shows, as the station cuts them."""
    covered = cover((canvas.mask > 0).astype(np.uint8), 0, canvas.width_px, GEOMETRY).sum(axis=0)
    return np.asarray(covered / covered.sum())


@pytest.mark.parametrize("place", ASKED)
@pytest.mark.parametrize("surface", DEFECTS)
@pytest.mark.parametrize("width_px", WIDTHS)
def test_the_truth_tells_the_shares_that_the_stations_patches_show(
    place: Place, surface: SurfaceClass, width_px: int
) -> None:
    for seed in range(6):
        canvas, defect = laid(place, seed, surface, width_px)
        told = np.zeros(16)
        told[list(defect.shares)] = list(defect.shares.values())
        assert defect.place is place
        assert told.sum() == pytest.approx(1)
        assert np.abs(told - patch_shares(canvas)).max() < 0.05


@pytest.mark.parametrize("place", [Place.WHOLE, Place.FILM])
@pytest.mark.parametrize("surface", DEFECTS)
@pytest.mark.parametrize("width_px", WIDTHS)
def test_a_whole_defect_lies_in_one_patch_and_clear_of_its_border(
    place: Place, surface: SurfaceClass, width_px: int
) -> None:
    for seed in range(8):
        canvas, defect = laid(place, seed, surface, width_px)
        (patch,) = defect.shares
        lines, columns = np.nonzero(canvas.mask)
        assert set(lines // STRIP_LINES) == {patch // 2}
        assert (lines % STRIP_LINES).min() >= CLEAR_PX
        assert (lines % STRIP_LINES).max() < STRIP_LINES - CLEAR_PX
        assert np.abs(columns - width_px / 2).min() > CLEAR_PX - 1
        assert columns.min() >= CLEAR_PX
        assert columns.max() < width_px - CLEAR_PX


def strips_and_halves(shares: dict[int, float]) -> tuple[set[int], set[int]]:
    return {patch // 2 for patch in shares}, {patch % 2 for patch in shares}


@pytest.mark.parametrize("surface", DEFECTS)
def test_a_border_cuts_a_defect_about_in_half_between_two_strips_or_two_patches_of_one(surface: SurfaceClass) -> None:
    cuts = set()
    for seed in range(20):
        _, defect = laid(Place.BORDER, seed, surface, 690)
        strips, halves = strips_and_halves(defect.shares)
        assert (len(strips), len(halves)) in {(1, 2), (2, 1)}
        assert 0 not in strips or 7 not in strips
        assert max(defect.shares.values()) < 0.75
        cuts.add(len(strips))
    assert cuts == {1, 2}


@pytest.mark.parametrize("surface", DEFECTS)
def test_the_seam_cuts_a_defect_about_in_half(surface: SurfaceClass) -> None:
    for seed in range(10):
        canvas, defect = laid(Place.SEAM, seed, surface, 690)
        strips, halves = strips_and_halves(defect.shares)
        assert strips == {0, 7}
        assert len(halves) == 1
        assert max(defect.shares.values()) < 0.75
        before = np.count_nonzero(canvas.mask[LINES_PER_TURN // 2 :]) / np.count_nonzero(canvas.mask)
        assert 0.25 < before < 0.75


def test_a_corner_cuts_a_defect_both_ways() -> None:
    quarters = []
    for seed in range(10):
        for surface in DEFECTS:
            _, defect = laid(Place.CORNER, seed, surface, 690)
            strips, halves = strips_and_halves(defect.shares)
            assert (len(strips), len(halves)) == (2, 2)
            assert strips != {0, 7}
            quarters.append(max(defect.shares.values()))
    assert np.median(quarters) < 0.5


def test_pits_on_a_film_lie_where_the_metal_around_them_is_darker() -> None:
    darker = []
    for seed in range(8):
        canvas, _ = laid(Place.FILM, seed, SurfaceClass.PITS, 690)
        around = cv2.dilate(canvas.mask, np.ones((25, 25), np.uint8)) > 0
        beside = canvas.reflectance[around & (cv2.dilate(canvas.mask, np.ones((9, 9), np.uint8)) == 0)]
        darker.append(np.mean(beside < 0.97))
    assert min(darker) > 0.3
    assert np.mean(darker) > 0.6


def test_a_roll_mark_in_a_place_is_printed_once() -> None:
    for seed in range(8):
        canvas, defect = laid(Place.WHOLE, seed, SurfaceClass.ROLL_MARKS, 690)
        assert defect.parameters["prints"] == 1
        assert np.ptp(np.flatnonzero(canvas.mask.any(axis=1))) < STRIP_LINES


def test_a_place_changes_nothing_but_the_place() -> None:
    anywhere, whole = (RenderPlan(60, 4, place=place).planned() for place in (Place.ANYWHERE, Place.WHOLE))
    assert [part.seed for part in anywhere] == [part.seed for part in whole]
    assert [part.width_px for part in anywhere] == [part.width_px for part in whole]
    assert [part.defects[:1] for part in anywhere] == [part.defects for part in whole], "one defect at most"
    counts = [sum((part.defects or (SurfaceClass.DEFECT_FREE,))[0] is one for part in whole) for one in SurfaceClass]
    assert sum(counts) == 60
    assert counts[0] == round(60 * PAPER_MIX[0] / sum(PAPER_MIX))


def test_the_truth_beside_a_recording_names_place_and_shares_only_where_one_was_asked_for(tmp_path: Path) -> None:
    for place in (Place.ANYWHERE, Place.SEAM):
        write_recording(tmp_path / place, RenderPlan(1, 3, (0, 0, 1, 0, 0), place=place).planned())
    usual, seam = (json.loads((tmp_path / place / "truth.jsonl").read_text()) for place in ("anywhere", "seam"))
    assert {"place", "shares"} & set(usual["defects"][0]) == set()
    assert seam["defects"][0]["place"] == "seam"
    assert sum(seam["defects"][0]["shares"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("place", ASKED)
def test_a_housing_with_a_defect_in_a_place_has_a_truthful_mask_in_every_severity(place: Place) -> None:
    (part,) = RenderPlan(1, 5, (0, 0, 0, 0, 1), SeverityPlan.parse("hard"), place=place).planned()
    scan = render_part(part.seed, 385, part.defects, part.severity, part.setting, part.place)
    assert np.count_nonzero(scan.mask) == scan.truth.defects[0].area_px


@pytest.mark.parametrize("text", ["edge", "", "Whole"])
def test_a_place_that_is_none_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ConfigError, match=r"anywhere .*whole .*border .*corner .*seam .*film"):
        parse_place(text)
