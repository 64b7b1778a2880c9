"""What the line-scan camera would see of a part on the jig: the scan somewhere on the sensor, darkness around it."""

import numpy as np

from station.core.geometry import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from station.core.part import Pixels

DARK_LEVEL = 6.0
DARK_NOISE = 2.0
DARK_MAX = 15


class Optics:
    """Sets scans into sensor-wide images; the same seed gives the same images.

    Args:
        sensor_width: Columns of the camera.
        margin_px: Columns of darkness to leave at both edges of the sensor, where the scan leaves room for them.
        seed: Of the noise, and of the places on the sensor.
    """

    def __init__(self, sensor_width: int, margin_px: int, seed: int) -> None:
        self._width = sensor_width
        self._margin = margin_px
        self._seed = seed
        noise = np.random.default_rng(seed).normal(DARK_LEVEL, DARK_NOISE, (LINES_PER_BLOCK, sensor_width))
        self._dark: Pixels = noise.clip(0, DARK_MAX).astype(np.uint8)

    def empty_jig(self) -> Pixels:
        """(3584, sensor width) uint8: darkness with the sensor's noise."""
        image = np.empty((LINES_PER_TURN, self._width), np.uint8)
        image.reshape(BLOCKS_PER_TURN, LINES_PER_BLOCK, self._width)[:] = self._dark
        return image

    def seat(self, scan: Pixels, number: int) -> Pixels:
        """(3584, sensor width) uint8: the scan, pixel for pixel, at a random column, in darkness.

        Args:
            scan: (3584, at most the sensor's width) uint8.
            number: Of the part since the start; with the seed it gives the column.
        """
        room = self._width - scan.shape[1]
        margin = min(self._margin, room // 2)
        left = int(np.random.default_rng([self._seed, number]).integers(margin, room - margin, endpoint=True))
        image = self.empty_jig()
        image[:, left : left + scan.shape[1]] = scan
        return image
