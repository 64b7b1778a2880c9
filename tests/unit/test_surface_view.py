"""What a page shows of the surface while the part turns: small, upright, and the whole of it."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest

from station.core.events import StripSeen
from station.core.geometry import Geometry
from station.core.part import Inspection, Pixels
from station.view.surface import MOST_PX, patch_side_px, picture_of, shrunk
from tests.record_samples import PART_TYPE, START, part
from tests.turned import GEOMETRY

LINES, COLUMNS = GEOMETRY.lines_per_block, 385


def strip() -> Pixels:
    """Dark, but for the first lines, which are bright, and the left half of the others, which is grey."""
    pixels = np.full((LINES, COLUMNS), 20, np.uint8)
    pixels[:, : COLUMNS // 2] = 120
    pixels[: LINES // 4] = 220
    return pixels


def seen(pixels: Pixels) -> StripSeen:
    return StripSeen(Inspection("0001", 1, part("A"), PART_TYPE, START), 3, pixels)


def decoded(jpeg: str) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_the_turn_goes_from_left_to_right_and_the_left_edge_of_the_part_is_the_top() -> None:
    told = picture_of(seen(strip()))
    assert told["inspection"] == "0001"
    picture = decoded(told["jpeg"])
    assert picture.shape == (256, 128)
    quarters = {
        "first lines, left": picture[20:108, 5:25], "first lines, right": picture[148:236, 5:25],
        "later, left": picture[20:108, 45:120], "later, right": picture[148:236, 45:120],
    }  # fmt: skip
    grey = {name: float(pixels.mean()) for name, pixels in quarters.items()}
    assert grey == pytest.approx(
        {"first lines, left": 220, "first lines, right": 220, "later, left": 120, "later, right": 20}, abs=3
    )


def test_a_scratch_of_one_line_is_not_lost() -> None:
    pixels = np.full((LINES, COLUMNS), 20, np.uint8)
    pixels[201] = 255
    assert float(shrunk(pixels, GEOMETRY).astype(float).max()) > 20 + 235 / 5


@pytest.mark.parametrize(
    ("geometry", "side"),
    [
        (GEOMETRY, 128),
        (Geometry(64 * 64, 64, 64, 4), 16),
        (Geometry(2 * 256, 256, 256, 64), 4),
        (Geometry(512, 512, 256, 256), 1),
    ],
)
def test_a_whole_surface_is_small_however_it_is_cut(geometry: Geometry, side: int) -> None:
    assert patch_side_px(geometry) == side
    assert geometry.blocks_per_turn * side <= MOST_PX[0]
    assert geometry.patches_per_strip * side <= MOST_PX[1]
    pixels = np.zeros((geometry.lines_per_block, 700), np.uint8)
    assert shrunk(pixels, geometry).shape == (geometry.patches_per_strip * side, side)
    event = seen(pixels)
    kind = replace(PART_TYPE, geometry=geometry)
    assert picture_of(replace(event, inspection=replace(event.inspection, part_type=kind)))["jpeg"]


def test_the_pictures_of_a_noisy_surface_are_no_load() -> None:
    rng = np.random.default_rng(3)
    noisy = np.asarray(np.clip(rng.normal(150, 25, (LINES, COLUMNS)), 0, 255), np.uint8)
    turn = GEOMETRY.blocks_per_turn * len(picture_of(seen(noisy))["jpeg"])
    assert turn < 150_000
