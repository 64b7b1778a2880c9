"""What the simulated cell's faults do to the picture, and how long the cell's devices stand still for it."""

import time

import numpy as np
import pytest

from sim.flaws import FLAWS, SENSOR_NOISE, standing
from station.core.part import Pixels

SENSOR_PX, LINES = 5472, 3584
"""Of the configured camera, and of a turn."""

PATIENCE_S = 0.25
"""Half of what a request may take: the devices answer from the event loop in which the part is seated."""


@pytest.fixture(scope="module")
def surface() -> Pixels:
    """A part in the middle of the sensor's view, with a texture of its own."""
    seen = np.zeros((LINES, SENSOR_PX), np.uint8)
    seen[:, 2000:3400] = np.random.default_rng(7).integers(100, 200, (LINES, 1400))
    return seen


@pytest.mark.parametrize("name", FLAWS)
def test_no_flaw_keeps_the_devices_from_answering(name: str, surface: Pixels) -> None:
    begun_s = time.thread_time()
    seen = FLAWS[name](surface)
    assert time.thread_time() - begun_s < PATIENCE_S
    assert (seen.shape, seen.dtype) == (surface.shape, surface.dtype)


def test_a_part_that_stands_still_is_one_line_exposed_anew_each_time(surface: Pixels) -> None:
    noise = standing(surface)[:, 2000:3400].astype(np.int16) - surface[0, 2000:3400]
    assert np.all(noise.std(axis=0) > SENSOR_NOISE / 2)
    assert noise.std() == pytest.approx(SENSOR_NOISE, rel=0.05)
    assert abs(noise.mean()) < 0.01
    assert not np.array_equal(noise[0], noise[1])
