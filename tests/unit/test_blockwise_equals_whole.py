"""Patches of a turning part, block by block, are bit for bit those of the whole image."""

import cv2
import numpy as np
import pytest

from station.core.part import PartType
from station.core.settings import CropSettings
from station.flow.crop import crop_block, find_part
from station.flow.patch import blocks_of, make_strip

SENSOR_PX = 5472
WIDTHS_PX = (385, 570, 690, 935, 1065, 1575)
SETTINGS = CropSettings(background_max=40, margin_px=4)


def scan_of(width_px: int, left: int) -> np.ndarray:
    rng = np.random.default_rng([width_px, left])
    image = rng.integers(0, 12, (3584, SENSOR_PX), dtype=np.uint8)
    image[:, left : left + width_px] = rng.integers(60, 256, (3584, width_px), dtype=np.uint8)
    return image


@pytest.mark.parametrize("where", ["at the left margin", "odd column", "in the middle", "at the right margin"])
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_blockwise_patches_are_the_whole_images_patches(width_px: int, where: str) -> None:
    free = SENSOR_PX - width_px
    left = {"at the left margin": 4, "odd column": 1237, "in the middle": free // 2, "at the right margin": free - 4}[
        where
    ]
    image = scan_of(width_px, left)
    part_type = PartType("housing", 1, width_px, 0, 0, 20.0, 320.0, 20.0)
    blocks = blocks_of(image)
    roi = find_part(blocks[0].pixels, SETTINGS)
    assert (roi.left, roi.right) == (left, left + width_px)
    strips = [make_strip(crop_block(block, roi, part_type, SETTINGS)).patches for block in blocks]
    whole = cv2.resize(image[:, left : left + width_px], (512, 2048), interpolation=cv2.INTER_AREA)
    expected = [whole[row : row + 256, column : column + 256] for row in range(0, 2048, 256) for column in (0, 256)]
    np.testing.assert_array_equal(np.concatenate(strips), np.stack(expected))
