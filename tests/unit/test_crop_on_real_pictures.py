"""The crop on pictures of real surfaces, set at random columns of a sensor-wide, noisy black background.

Runs where STATION_DATA names a folder with `magnetic_tile/CLASS/*.jpg`: the Magnetic Tile surface defect pictures of
Huang, Qiu and Yuan, "Surface defect saliency of magnetic tile", 2020.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from station.core.errors import PartError
from station.core.part import PartType, Pixels
from station.core.settings import CropSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import blocks_of
from tests.turned import GEOMETRY

SETTINGS = CropSettings(background_max=40, margin_px=4)
SENSOR_PX, LINES = 5472, 3584
WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
EVERY = 5  # of the pictures, so that it takes seconds
BORDER_SHARE, BRIGHT = 0.02, 60  # a border is bright when its outer 2 % have a mean over 60 in every block
WHITE = 255
TOLERANCE_PX, REQUIRED = 3, 0.95


def pictures() -> list[Path]:
    data = os.environ.get("STATION_DATA")
    if not data:
        pytest.skip("STATION_DATA names no folder with real pictures")
    return sorted(Path(data, "magnetic_tile").glob("*/*.jpg"))[::EVERY]


def surfaces() -> Iterator[tuple[Path, Pixels]]:
    for number, path in enumerate(pictures()):
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        width_px = WIDTHS_PX[number % len(WIDTHS_PX)]
        yield path, np.asarray(cv2.resize(picture, (width_px, LINES), interpolation=cv2.INTER_AREA), np.uint8)


def has_bright_borders(surface: Pixels) -> bool:
    border = round(BORDER_SHARE * surface.shape[1])
    blocks = surface.reshape(8, 448, surface.shape[1])
    sides = (blocks[:, :, :border], blocks[:, :, -border:])
    return all(float(side.mean(axis=(1, 2)).min()) > BRIGHT for side in sides)


def is_saturated(surface: Pixels) -> bool:
    """Whether the station has to refuse it in some block, however well it finds the borders."""
    blocks = surface.reshape(8, 448, surface.shape[1])
    return bool(((blocks == WHITE).mean(axis=(1, 2)) > SETTINGS.saturated_max).any())


def judge(scan: Pixels, left: int, width_px: int) -> tuple[str, str]:
    """`found`, `off` by more than the tolerance, or the code of the refusal; and what was found, in words."""
    part_type = PartType("housing", 1, width_px, 8, 6, 20.0, 320.0, 20.0, GEOMETRY)
    blocks = blocks_of(scan, GEOMETRY)
    try:
        roi = find_part(blocks[0].pixels, SETTINGS)
        check_width(roi, part_type)
        for block in blocks:
            crop_block(block, roi, part_type, SETTINGS)
    except PartError as error:
        return error.code, error.detail
    off_px = max(abs(roi.left - left), abs(roi.right - left - width_px))
    return ("found" if off_px <= TOLERANCE_PX else "off"), f"{off_px} px from where it was set"


def test_parts_with_bright_borders_are_found_and_the_rest_is_explained() -> None:
    rng = np.random.default_rng(11)
    background = np.asarray(np.clip(rng.normal(4, 6, (LINES, SENSOR_PX)), 0, 255), np.uint8)
    outcomes: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for path, surface in surfaces():
        width_px = surface.shape[1]
        left = int(rng.integers(16, SENSOR_PX - 16 - width_px))
        scan = background.copy()
        scan[:, left : left + width_px] = surface
        outcome, words = judge(scan, left, width_px)
        assert len(words.split()) > 4, f"{path}: {outcome} without words"
        if is_saturated(surface):
            assert outcome.startswith("part."), f"{path}: saturated, and {outcome}"
            continue
        outcomes[has_bright_borders(surface)][outcome] += 1
    bright, dark = outcomes[True], outcomes[False]
    print(f"bright borders: {dict(bright)}; dark borders: {dict(dark)}")  # noqa: T201
    assert bright.total() >= 20
    assert bright["found"] >= REQUIRED * bright.total()
    known = {
        "found",
        "off",
        "part.wrong_width",
        "part.edge_wanders",
        "part.two_objects",
        "part.too_dark",
        "part.jig_empty",
    }
    assert set(dark) <= known
