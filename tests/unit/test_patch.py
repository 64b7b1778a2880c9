"""Strips of two patches, and whole images cut into blocks."""

import cv2
import numpy as np
import pytest

from station.core.part import Crop, Roi
from station.flow.patch import StripRoom, blocks_of, make_strip
from tests.turned import GEOMETRY


def test_left_and_right_patch_are_the_halves_of_the_resized_block() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (448, 690), dtype=np.uint8)
    strip = make_strip(Crop(3, Roi(0, 690), pixels), StripRoom(GEOMETRY))
    resized = cv2.resize(pixels, (512, 256), interpolation=cv2.INTER_AREA)
    assert strip.index == 3
    assert strip.patches.shape == (2, 256, 256)
    assert strip.patches.dtype == np.uint8
    assert strip.patches.flags.c_contiguous
    np.testing.assert_array_equal(strip.patches[0], resized[:, :256])
    np.testing.assert_array_equal(strip.patches[1], resized[:, 256:])


def test_a_whole_image_is_eight_complete_read_only_blocks() -> None:
    image = np.arange(3584 * 70, dtype=np.uint32).astype(np.uint8).reshape(3584, 70)
    blocks = blocks_of(image, GEOMETRY)
    assert [(block.index, block.frame_id, block.delivered_lines) for block in blocks] == [(k, k, 448) for k in range(8)]
    assert {(block.last_line_ns, block.arrived_ns) for block in blocks} == {(0, 0)}
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), image)
    with pytest.raises(ValueError, match="read-only"):
        blocks[0].pixels[0, 0] = 1
    image[0, 0] = 7
    assert blocks[0].pixels[0, 0] == 7, "a view, no copy"
