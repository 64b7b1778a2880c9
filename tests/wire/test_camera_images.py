"""The images that the camera driver hands over, on producers that are real, and how long they live."""

import numpy as np
import pytest

from station.core.errors import BugError
from station.core.part import ScanRecipe
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK
from tests.wire.driver_camera import IMAGE, RECIPE, VIKY, WIDTH_PX, MakeCamera, Setup, one_turn


async def test_at_the_jigs_own_pace_the_image_is_whole_and_stamped_by_the_producer(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    blocks = await one_turn(camera)
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)
    distances = np.diff([block.last_line_ns for block in blocks])
    np.testing.assert_allclose(distances, LINES_PER_BLOCK / RECIPE.line_rate_hz * 1e9, rtol=1e-3)


async def test_another_vendors_producer_without_time_stamps_delivers_a_turn(make_camera: MakeCamera) -> None:
    camera = make_camera(
        {"PixelFormat": "Mono8", "Width": WIDTH_PX, "Height": LINES_PER_BLOCK, "ChunkModeActive": False},
        producers=[str(VIKY)],
        serial_number="1",
        names={"line_rate_hz": "AcquisitionFrameRate", "exposure_us": "BouncingBallSize"},
    )
    await camera.open()
    await camera.prepare(ScanRecipe(line_rate_hz=200.0, exposure_us=20.0, lines_per_block=448, blocks=8))
    for _ in range(2):
        blocks = await one_turn(camera)
        assert [block.frame_id for block in blocks] == list(range(BLOCKS_PER_TURN))
        assert all(block.pixels.any() and block.delivered_lines == LINES_PER_BLOCK for block in blocks)
        assert all(0 <= block.arrived_ns - block.last_line_ns < 1e9 for block in blocks)


async def test_blocks_that_are_kept_are_never_overwritten(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    kept = [[block.pixels[:, 5:9] for block in await one_turn(camera)] for _ in range(3)]
    with pytest.raises(BugError, match="24 of 24 camera blocks are still in use"):
        await one_turn(camera)
    for turn in kept:
        np.testing.assert_array_equal(np.concatenate(turn), IMAGE[:, 5:9])
    kept.pop(1)
    del turn
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_pixels_outlive_the_camera(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    blocks = await one_turn(camera)
    await camera.close()
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)
