"""What the line-scan camera would see of a part on the jig: the scan somewhere on the sensor, darkness around it."""

import cv2
import numpy as np

from station.core.part import Pixels

DARK_LEVEL = 6.0
DARK_NOISE = 2.0
DARK_MAX = 15
DARK_LINES = 448
"""The noise of darkness comes again after so many lines."""


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
        noise = np.random.default_rng(seed).normal(DARK_LEVEL, DARK_NOISE, (DARK_LINES, sensor_width))
        self._dark: Pixels = noise.clip(0, DARK_MAX).astype(np.uint8)

    def empty_jig(self, lines: int) -> Pixels:
        """(lines, sensor width) uint8: darkness with the sensor's noise."""
        image = np.empty((lines, self._width), np.uint8)
        for line in range(0, lines, DARK_LINES):
            image[line : line + DARK_LINES] = self._dark[: lines - line]
        return image

    def seat(self, scan: Pixels, number: int) -> Pixels:
        """(lines, sensor width) uint8: the scan, pixel for pixel, at a random column, in darkness.

        Args:
            scan: (lines a turn, at most the sensor's width) uint8.
            number: Of the part since the start; with the seed it gives the column.
        """
        room = self._width - scan.shape[1]
        margin = min(self._margin, room // 2)
        left = int(np.random.default_rng([self._seed, number]).integers(margin, room - margin, endpoint=True))
        image = self.empty_jig(len(scan))
        image[:, left : left + scan.shape[1]] = scan
        return image


def in_lines(scan: Pixels, lines: int) -> Pixels:
    """The same turn, (lines, width) uint8, as a camera sees it that takes so many lines of it."""
    if len(scan) == lines:
        return scan
    return np.asarray(cv2.resize(scan, (scan.shape[1], lines), interpolation=cv2.INTER_AREA), np.uint8)
