"""A part that is lit otherwise is brought to the light that its network knows, by its first strip alone; or refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from station.cell.judging import SurfaceCutter, SurfaceJudge
from station.core.errors import PartError
from station.core.geometry import Geometry
from station.core.light import AS_SEEN, Light, Lighting, along, multiplied, table
from station.core.part import Pixels, Strip
from station.core.settings import CropSettings, TurnSettings
from station.flow.light import Relighting, Seen, gain_of, light_of, look, relight, require_lit
from station.flow.patch import blocks_of
from station.offline.cropping import cut_scan, kind_of
from tests.turned import GEOMETRY, turned
from tests.unit.test_judging import KIND, Keeping

KNOWN = Lighting(95.0, tolerance=0.2, min_gain=0.5, max_gain=4.0)
ANY_TURN = TurnSettings(proofs=[])
EVENLY = (95.0,) * 8


def seen(level: float, levels: tuple[float, ...] | None = None) -> Seen:
    return Seen(level, levels or (level,) * 8)


def patches(grey: float, seed: int = 3) -> Pixels:
    strip = turned(seed, 512, grey, lines=256)
    return np.ascontiguousarray(np.stack([strip[:, :256], strip[:, 256:]]))


def scan(grey: float, factor: float = 1.0) -> Pixels:
    image = np.full((3584, 1000), 6, np.uint8)
    image[:, 300:717] = turned(3, 417, grey)
    return np.asarray(cv2.convertScaleAbs(image, alpha=factor), np.uint8)


# ---------------------------------------------------------------------- grey values times a gain


@pytest.mark.parametrize("gain", [0.5, 0.6171, 1.0, 1.5, 2.4837, 4.0])
def test_one_factor_and_the_same_factor_for_every_pixel_come_to_the_same(gain: float) -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    everywhere = np.full(greys.shape, gain, np.float32)
    np.testing.assert_array_equal(multiplied(greys, gain), multiplied(greys, everywhere))
    exact = np.minimum(np.rint(np.arange(256) * np.float32(gain)), 255)
    np.testing.assert_array_equal(table(gain), exact)


def test_in_place_is_as_elsewhere() -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for gain in (1.7, np.linspace(0.5, 3, 256, dtype=np.float32).reshape(16, 16)):
        elsewhere, here = multiplied(greys, gain), greys.copy()
        multiplied(here, gain, out=here)
        np.testing.assert_array_equal(here, elsewhere)


def test_gains_lie_at_the_middles_of_their_stretches_and_in_straight_lines_between() -> None:
    columns = along((1.0, 2.0), 8)
    assert columns[:2].tolist() == [1.0, 1.0], "what is before the first middle has its gain"
    assert columns.tolist() == sorted(columns.tolist())
    assert columns[3] + columns[4] == pytest.approx(3.0)


# ---------------------------------------------------------------------- what is seen, and what is made of it


@pytest.mark.parametrize("grey", [25, 60, 95, 140, 230])
def test_the_level_is_the_median_whatever_lies_on_a_small_share_of_the_part(grey: int) -> None:
    strip = patches(grey)
    strip[0, 40:120, 60:140] = 255
    strip[1, :, 30:50] = 0
    assert look(strip).level == pytest.approx(grey, abs=1.0)


def test_levels_along_the_axis_are_those_of_its_eighths() -> None:
    strip = patches(80)
    strip[1, :, 192:] = patches(40)[1, :, 192:]
    levels = look(strip).levels
    assert levels[:7] == pytest.approx([80] * 7, abs=2)
    assert levels[7] == pytest.approx(40, abs=2)


@pytest.mark.parametrize("shape", [(1, 2, 2), (1, 8, 8), (5, 16, 24), (2, 256, 256)])
def test_patches_of_any_geometry_have_a_level(shape: tuple[int, int, int]) -> None:
    strip = np.full(shape, 77, np.uint8)
    assert look(strip).level == pytest.approx(77, abs=0.5)


@pytest.mark.parametrize(
    ("level", "gain"),
    [(95.0, 1.0), (79.2, 1.0), (114.0, 1.0), (75.0, 1.2667), (38.0, 2.5), (150.0, 0.6333)],
)
def test_what_is_near_the_reference_stays_as_it_is_and_the_rest_is_brought_there(level: float, gain: float) -> None:
    assert light_of(seen(level), KNOWN) == Light(level, gain)


def test_without_a_reference_nothing_is_changed_or_refused() -> None:
    assert light_of(seen(12.0), AS_SEEN) == Light(12.0, 1.0)
    require_lit(seen(1.0), AS_SEEN)


def test_a_usual_lamps_unevenness_is_left_alone_and_a_greater_one_made_up_for() -> None:
    usual = seen(90.0, (60.0, 75.0, 90.0, 95.0, 100.0, 95.0, 90.0, 70.0))
    assert light_of(usual, KNOWN).gains == ()
    half = seen(70.0, (47.5,) * 4 + (100.0,) * 4)
    light = light_of(half, KNOWN)
    assert light.gains[:4] == (2.0,) * 4
    assert light.gains[4:] == (0.95,) * 4


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (seen(20.0), ["grey 20", "95", "gain of 4.75", "0.5 to 4"]),
        (seen(200.0), ["grey 200", "gain of 0.47"]),
        (seen(80.0, (9.0, *EVENLY[1:])), ["darkest eighth", "grey 9"]),
    ],
)
def test_what_no_gain_brings_there_is_refused_with_what_was_seen(what: Seen, words: list[str]) -> None:
    with pytest.raises(PartError) as caught:
        require_lit(what, KNOWN)
    assert caught.value.code == "scan.wrong_light"
    for word in words:
        assert word in caught.value.detail


# ---------------------------------------------------------------------- the strips of a part


def test_usual_light_leaves_every_pixel_as_it_was() -> None:
    strip = patches(100)
    before = strip.copy()
    assert Relighting(KNOWN).apply(Strip(0, strip)).patches is strip
    np.testing.assert_array_equal(strip, before)


def test_the_first_strip_alone_says_by_how_much() -> None:
    relighting = Relighting(KNOWN)
    relighting.apply(Strip(0, patches(40)))
    light = relighting.light
    second = patches(90, seed=4)
    expected = multiplied(second.reshape(512, 256), gain_of(light or Light(0, 1), (2, 256, 256)))
    relighting.apply(Strip(1, second))
    np.testing.assert_array_equal(second.reshape(512, 256), expected)
    assert relighting.light is light


def test_every_strip_of_a_part_in_a_wrong_light_is_refused_and_its_light_is_told() -> None:
    relighting = Relighting(KNOWN)
    for number in range(3):
        with pytest.raises(PartError):
            relighting.apply(Strip(number, patches(15 if number == 0 else 95)))
    assert relighting.light is not None
    assert relighting.light.level == pytest.approx(15, abs=1)


def test_an_uneven_gain_runs_along_the_axis_over_both_patches() -> None:
    strip = np.full((2, 4, 8), 50, np.uint8)
    light = Light(50.0, 1.0, (1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0))
    relight(strip, gain_of(light, strip.shape))
    assert strip[0, :, :7].max() == 50
    assert strip[1, :, 1:].min() == 100
    assert (strip == strip[:, :1]).all(), "every row has the same"


# ---------------------------------------------------------------------- a whole scan


@pytest.mark.parametrize("factor", [0.3, 0.5, 1.5])
def test_a_scan_in_other_light_is_judged_as_bright_as_the_reference_and_recorded_so(factor: float) -> None:
    network = Keeping()
    judge = SurfaceJudge(KIND, CropSettings(), network, ANY_TURN, KNOWN)
    for block in blocks_of(scan(120, factor), GEOMETRY):
        judge.take(block)
    assert np.median(np.concatenate(network.seen)) == pytest.approx(95, abs=3)
    assert judge.light is not None
    assert judge.light.gain == pytest.approx(95 / (120 * factor), rel=0.03)
    measured = cut_scan(scan(120, factor), KIND, CropSettings(), ANY_TURN, KNOWN)
    np.testing.assert_array_equal(measured, np.concatenate(network.seen))


def test_a_dim_part_is_found_only_where_its_light_is_made_up_for() -> None:
    dim = blocks_of(scan(120, 0.3), GEOMETRY)[0]
    assert SurfaceCutter(KIND, GEOMETRY, CropSettings(), ANY_TURN, KNOWN).take(dim).index == 0
    with pytest.raises(PartError) as caught:
        SurfaceCutter(KIND, GEOMETRY, CropSettings(), ANY_TURN).take(dim)
    assert caught.value.code == "part.too_dark"
    assert kind_of(scan(120, 0.3), [KIND], CropSettings()) is KIND


@pytest.mark.parametrize(("grey", "code"), [(28, "part.too_dark"), (18, "part.jig_empty"), (2, "part.jig_empty")])
def test_what_is_too_dark_for_any_gain_is_refused_as_it_is_without_one(grey: float, code: str) -> None:
    cutter = SurfaceCutter(KIND, GEOMETRY, CropSettings(), ANY_TURN, replace(KNOWN, max_gain=3.0))
    for block in blocks_of(scan(grey), GEOMETRY)[:2]:
        with pytest.raises(PartError) as caught:
            cutter.take(block)
        assert caught.value.code == code


def test_a_part_of_another_width_is_not_taken_for_its_type_in_any_light() -> None:
    wide = scan(120)
    wide[:, 717:780] = 110
    with pytest.raises(PartError) as caught:
        SurfaceCutter(KIND, GEOMETRY, CropSettings(), ANY_TURN, KNOWN).take(blocks_of(wide, GEOMETRY)[0])
    assert caught.value.code == "part.wrong_width"


def test_a_narrow_geometry_is_relit_as_any_other() -> None:
    narrow = Geometry(80, 40, 8, 1)
    relighting = Relighting(KNOWN)
    strip = relighting.apply(Strip(0, np.full(narrow.patches_shape, 40, np.uint8)))
    assert np.unique(strip.patches).tolist() == [95]
