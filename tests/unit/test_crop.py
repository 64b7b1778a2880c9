"""The part's columns against the black background, on synthetic blocks whose truth is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from station.core.errors import PartError
from station.core.part import Block, PartType, Pixels, Roi
from station.core.settings import CropSettings
from station.flow.crop import check_width, crop_block, find_part
from tests.turned import GEOMETRY

Scene = Callable[[], np.ndarray]
SENSOR_PX, LINES = 5472, 448
WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
SETTINGS = CropSettings(background_max=40, margin_px=4)
TYPE = PartType("smh_570", 2, 570, 8, 6, 20.0, 320.0, 20.0, GEOMETRY)
TOLERANCE_PX = 3
LEFT = 2000


def light(width_px: int, weak_side: str, share: float = 0.45) -> np.ndarray:
    """A lamp that gives one side of the part only a share of the other's light."""
    ramp = np.linspace(share, 1.0, width_px)
    return {"none": np.ones(width_px), "left": ramp, "right": ramp[::-1]}[weak_side].astype(np.float32)


def scene(
    left: int, width_px: int, *, grey: float = 130, sigma: float = 4, weak_side: str = "none", seed: int = 0
) -> np.ndarray:
    """One block, (448, 5472) float, with a grainy part on black; not yet pixels, so that light can be added."""
    rng = np.random.default_rng([seed, left, width_px])
    block = 4 + np.float32(sigma) * rng.standard_normal((LINES, SENSOR_PX), np.float32)
    grain = 1 + np.float32(0.08) * rng.standard_normal((LINES, width_px), np.float32)
    block[:, left : left + width_px] += grey * light(width_px, weak_side) * grain - 4
    return block


def pixels(block: np.ndarray) -> Pixels:
    return np.asarray(np.clip(block, 0, 255), np.uint8)


def assert_found(block: np.ndarray, left: int, width_px: int) -> None:
    roi = find_part(pixels(block), SETTINGS)
    assert abs(roi.left - left) <= TOLERANCE_PX
    assert abs(roi.right - (left + width_px)) <= TOLERANCE_PX


def refusal(block: np.ndarray, settings: CropSettings = SETTINGS) -> PartError:
    with pytest.raises(PartError) as refused:
        find_part(pixels(block), settings)
    return refused.value


@pytest.mark.parametrize("left", [4, 1111, 2740, None], ids=["left margin", "left", "middle", "right margin"])
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_every_width_is_found_anywhere(width_px: int, left: int | None) -> None:
    left = SENSOR_PX - width_px - 4 if left is None else left
    assert_found(scene(left, width_px), left, width_px)


@pytest.mark.parametrize("weak_side", ["none", "left", "right"])
@pytest.mark.parametrize("sigma", [0, 8])
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_noise_and_a_lamp_gradient_do_not_move_the_edges(width_px: int, sigma: float, weak_side: str) -> None:
    assert_found(scene(LEFT, width_px, sigma=sigma, weak_side=weak_side), LEFT, width_px)


def test_an_edge_that_the_lens_blurs_is_where_it_has_half_its_height() -> None:
    sharp = scene(LEFT, 690, grey=230)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 1.8) ** 2)
    blurred = np.apply_along_axis(lambda line: np.convolve(line, kernel / kernel.sum(), mode="same"), 1, sharp)
    assert_found(blurred, LEFT, 690)


def spots(block: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    for _ in range(12):
        row, column, size = int(rng.integers(0, 400)), int(rng.integers(0, 1800)), int(rng.integers(10, 48))
        block[row : row + size, column : column + size] += 56


def streak_along_the_rotation(block: np.ndarray) -> None:
    block[:, 1200:1212] += 56


def streak_across(block: np.ndarray) -> None:
    block[200:240, :1990] += 56


def streak_beside_the_part(block: np.ndarray) -> None:
    block[:, LEFT - 40 : LEFT - 30] += 56


def wide_glow(block: np.ndarray) -> None:
    columns = np.arange(SENSOR_PX)
    block += (28 * np.exp(-0.5 * ((columns - LEFT) / 400) ** 2)).astype(np.float32)


def glow_that_ends_at_the_part(block: np.ndarray) -> None:
    block[:, 1000:LEFT] += 26


def wide_reflection(block: np.ndarray) -> None:
    block[:, 300:420] += 46


@pytest.mark.parametrize(
    "reflection",
    [
        spots,
        streak_along_the_rotation,
        streak_across,
        streak_beside_the_part,
        wide_glow,
        glow_that_ends_at_the_part,
        wide_reflection,
    ],
)
@pytest.mark.parametrize("sigma", [2, 8])
def test_light_on_the_background_is_no_part(reflection: Callable[[np.ndarray], None], sigma: float) -> None:
    block = scene(LEFT, 570, sigma=sigma)
    reflection(block)
    assert_found(block, LEFT, 570)


@pytest.mark.parametrize("margin_grey", [22, 30, 38])
def test_a_dark_border_of_the_part_belongs_to_it(margin_grey: float) -> None:
    block = scene(LEFT, 570)
    block[:, LEFT : LEFT + 30] *= margin_grey / 130
    block[:, LEFT + 550 : LEFT + 570] *= margin_grey / 130
    assert_found(block, LEFT, 570)


def test_a_side_that_an_old_lamp_hardly_lights_belongs_to_the_part() -> None:
    block = scene(LEFT, 935, grey=62)
    block[:, LEFT : LEFT + 110] *= 36 / 62
    assert_found(block, LEFT, 935)


def test_dark_grooves_bands_and_a_chipped_edge_do_not_divide_the_part() -> None:
    block = scene(LEFT, 935)
    block[:, LEFT + 12 : LEFT + 26] *= 0.1
    block[:, LEFT + 500 : LEFT + 560] *= 0.1
    block[100:220, LEFT + 900 : LEFT + 935] *= 0.1
    assert_found(block, LEFT, 935)


def test_an_image_of_any_width_is_searched() -> None:
    block = scene(20, 570)[:, :610]
    assert_found(block, 20, 570)


def test_the_same_block_gives_the_same_columns() -> None:
    block = pixels(scene(LEFT, 1065, sigma=8, weak_side="left"))
    assert len({find_part(block.copy(), SETTINGS) for _ in range(5)}) == 1


# ---------------------------------------------------------------------- refusals


def empty(sigma: float = 6) -> np.ndarray:
    return scene(0, 0, sigma=sigma)


def empty_with_reflections() -> np.ndarray:
    block = empty()
    spots(block)
    streak_along_the_rotation(block)
    wide_glow(block)
    return block


def edge_scene(left: int) -> np.ndarray:
    return scene(left, 570)


def two_parts() -> np.ndarray:
    return np.maximum(scene(600, 570), scene(3000, 570))


def part_and_finger() -> np.ndarray:
    return np.maximum(scene(600, 570), scene(3000, 40, grey=90))


def all_bright() -> np.ndarray:
    return empty() + 120


@pytest.mark.parametrize(
    ("block", "code", "words"),
    [
        (lambda: empty(0), "part.jig_empty", "the brightest column has grey 4, the background may have 40"),
        (empty, "part.jig_empty", "nothing of 64 columns or more is seen"),
        (empty_with_reflections, "part.jig_empty", "nothing of 64 columns or more is seen"),
        (lambda: scene(LEFT, 50), "part.jig_empty", "nothing of 64 columns or more is seen"),
        (lambda: scene(LEFT, 570, grey=30), "part.too_dark", "the background may have 40"),
        (lambda: scene(LEFT, 570, grey=45), "part.too_dark", "grey 4"),
        (lambda: edge_scene(0), "part.at_sensor_edge", "columns 0 to 569, 0 columns of background before"),
        (lambda: edge_scene(2), "part.at_sensor_edge", "columns 2 to 571, 2 columns of background before"),
        (lambda: edge_scene(SENSOR_PX - 570), "part.at_sensor_edge", "and 0 after, needed 4"),
        (lambda: edge_scene(SENSOR_PX - 573), "part.at_sensor_edge", "and 3 after, needed 4"),
        (all_bright, "part.at_sensor_edge", "columns 0 to 5471"),
        (two_parts, "part.two_objects", "beside the part, of grey"),
        (part_and_finger, "part.two_objects", "have grey 8"),
    ],
    ids=[
        "black",
        "noise",
        "reflections only",
        "a splinter",
        "far too dark",
        "too dark",
        "cut on the left",
        "close to the left",
        "cut on the right",
        "close to the right",
        "no background",
        "two parts",
        "part and gripper finger",
    ],
)
def test_what_is_no_whole_part_is_refused_in_words(block: Scene, code: str, words: str) -> None:
    error = refusal(block())
    assert error.code == code
    assert words in error.detail


def test_the_margin_is_configured() -> None:
    assert_found(edge_scene(20), 20, 570)
    error = refusal(edge_scene(20), CropSettings(background_max=40, margin_px=32))
    assert error.code == "part.at_sensor_edge"


def test_the_brightest_background_is_configured() -> None:
    block = pixels(scene(LEFT, 570, grey=30, sigma=1))
    assert abs(find_part(block, CropSettings(background_max=15, margin_px=4)).left - LEFT) <= TOLERANCE_PX


@pytest.mark.parametrize("width_px", [562, 570, 578])
def test_a_width_within_tolerance_is_accepted(width_px: int) -> None:
    check_width(Roi(100, 100 + width_px), TYPE)


@pytest.mark.parametrize(("width_px", "words"), [(561, "narrower"), (579, "wider"), (385, "narrower")])
def test_another_width_than_announced_is_refused_with_both(width_px: int, words: str) -> None:
    with pytest.raises(PartError, match=words) as refused:
        check_width(Roi(100, 100 + width_px), TYPE)
    assert refused.value.code == "part.wrong_width"
    for expected in (f"measured {width_px} px", f"columns 100 to {99 + width_px}", "smh_570 has 570 ± 8 px"):
        assert expected in refused.value.detail


# ---------------------------------------------------------------------- later blocks

ROI = Roi(LEFT, LEFT + 570)


def later(block: np.ndarray, index: int = 5) -> Block:
    return Block(index, index, pixels(block), LINES, 0, 0)


def test_the_crop_is_a_view_of_the_parts_columns() -> None:
    block = later(scene(LEFT, 570, sigma=8))
    crop = crop_block(block, ROI, TYPE, SETTINGS)
    assert (crop.index, crop.roi, crop.pixels.shape) == (5, ROI, (448, 570))
    assert np.shares_memory(crop.pixels, block.pixels)
    np.testing.assert_array_equal(crop.pixels, block.pixels[:, ROI.left : ROI.right])


@pytest.mark.parametrize("moved_px", [-6, -3, 0, 3, 6])
def test_a_part_that_wanders_less_than_allowed_is_cut_where_it_was_first(moved_px: int) -> None:
    crop = crop_block(later(scene(LEFT + moved_px, 570)), ROI, TYPE, SETTINGS)
    assert crop.roi == ROI


@pytest.mark.parametrize(
    "reflection", [spots, streak_along_the_rotation, streak_beside_the_part, wide_glow, wide_reflection]
)
def test_light_on_the_background_of_a_later_block_is_no_object(reflection: Callable[[np.ndarray], None]) -> None:
    block = scene(LEFT, 570, sigma=8)
    reflection(block)
    assert crop_block(later(block), ROI, TYPE, SETTINGS).roi == ROI


def dark_bordered() -> np.ndarray:
    block = scene(LEFT, 570)
    block[:, LEFT : LEFT + 60] *= 0.05
    return block


@pytest.mark.parametrize(
    ("block", "code", "words"),
    [
        (
            lambda: scene(LEFT + 8, 570),
            "part.edge_wanders",
            "columns 2008 to 2577, block 0 has columns 2000 to 2569: 8 px",
        ),
        (lambda: scene(LEFT - 8, 570), "part.edge_wanders", "8 px, smh_570 may wander 6"),
        (lambda: scene(LEFT + 200, 570), "part.edge_wanders", "200 px"),
        (lambda: scene(LEFT, 562), "part.edge_wanders", "8 px"),
        (dark_bordered, "part.edge_wanders", "or its border is dark there"),
        (empty, "part.jig_empty", "where block 0 has the part"),
        (lambda: scene(600, 570), "part.jig_empty", "where block 0 has the part"),
        (lambda: scene(LEFT, 570, grey=35), "part.too_dark", "grey 3"),
        (lambda: np.maximum(scene(LEFT, 570), scene(4000, 100)), "part.two_objects", "beside the part, of grey 1"),
    ],
    ids=["right", "left", "far", "narrower", "dark border", "gone", "elsewhere", "lamp off", "another object"],
)
def test_a_later_block_that_disagrees_is_refused_with_its_number(block: Scene, code: str, words: str) -> None:
    with pytest.raises(PartError) as refused:
        crop_block(later(block()), ROI, TYPE, SETTINGS)
    assert refused.value.code == code
    assert refused.value.detail.startswith("block 5: ")
    assert words in refused.value.detail


def test_the_allowed_wander_is_the_types() -> None:
    block = later(scene(LEFT + 9, 570))
    assert crop_block(block, ROI, replace(TYPE, edge_wander_px=12), SETTINGS).roi == ROI


def test_the_first_block_is_not_measured_twice() -> None:
    crop = crop_block(later(empty(), index=0), ROI, TYPE, SETTINGS)
    assert crop.pixels.shape == (448, 570)


@pytest.mark.parametrize(("share", "refused"), [(0.04, False), (0.06, True)])
def test_a_part_with_too_many_white_pixels_is_refused(share: float, refused: bool) -> None:  # noqa: FBT001
    pixels = np.full((448, 600), 5, np.uint8)
    pixels[:, 100:485] = 150
    pixels[: round(448 * share), 100:485] = 255
    block = Block(0, 0, pixels, 448, 0, 0)
    kind = PartType("t", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
    if refused:
        with pytest.raises(PartError) as caught:
            crop_block(block, Roi(100, 485), kind, CropSettings())
        assert caught.value.code == "part.saturated"
    else:
        assert crop_block(block, Roi(100, 485), kind, CropSettings()).pixels.shape == (448, 385)
