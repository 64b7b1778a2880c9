"""The unwrapped surface that phenomena are drawn on: its last line meets its first, as on the turned part.

Rows run along the rotation, columns along the part's axis. Nothing here knows what a phenomenon means.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels

LINES_PER_TURN = 3584
"""Of every surface that is rendered."""

Plane = NDArray[np.float32]
"""A float32 image; as a gain 1 changes nothing."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A surface in the making; its arrays are drawn on in place.

    Attributes:
        reflectance: (3584, width) float32, the share of the light that comes back, about 1 on bare metal.
        mask: (3584, width) uint8, 0 or the number of the defect's class; 255 is what is of no class.
    """

    reflectance: Plane
    mask: Pixels

    @classmethod
    def bare(cls, width_px: int) -> "Canvas":
        """A mirror-smooth surface without a mark."""
        shape = (LINES_PER_TURN, width_px)
        return cls(np.ones(shape, np.float32), np.zeros(shape, np.uint8))

    @property
    def width_px(self) -> int:
        """Columns of the surface."""
        return int(self.reflectance.shape[1])

    def lay(
        self, gain: Plane, line: int, column: int, footprint: Pixels | None = None, own: Plane | None = None
    ) -> int:
        """Multiply a small window into the surface, across the seam of the turn where it must.

        Args:
            gain: (h, w) float32.
            line: The window's first line, any integer.
            column: The window's first column; what lies beside the surface is lost.
            footprint: (h, w) uint8, written into the mask where it is not 0.
            own: (h, w) float32, what is added to it: the light that comes back from what covers the surface.

        Returns:
            The number of mask pixels that the footprint covers on the surface.
        """
        first, last = max(column, 0), min(column + gain.shape[1], self.width_px)
        if first >= last:
            return 0
        inside = slice(first - column, last - column)
        lines = np.arange(line, line + gain.shape[0]) % LINES_PER_TURN
        self.reflectance[lines, first:last] *= gain[:, inside]
        if own is not None:
            self.reflectance[lines, first:last] += own[:, inside]
        if footprint is None:
            return 0
        part = footprint[:, inside]
        self.mask[lines, first:last] = np.where(part > 0, part, self.mask[lines, first:last])
        return int(np.count_nonzero(part))


def turn_noise(rng: np.random.Generator, cells: int, width_px: int, blur_px: float = 0.0) -> Plane:
    """Smooth noise (3584, width) around 0 that closes after one turn, about 1 in standard deviation.

    Args:
        rng: Source of chance.
        cells: Independent values along one turn; a divisor of 3584.
        width_px: Columns.
        blur_px: Standard deviation of the smoothing across the columns; 0 leaves columns independent.
    """
    coarse = rng.standard_normal((cells, width_px), dtype=np.float32)
    if blur_px > 0:
        coarse = np.asarray(cv2.GaussianBlur(coarse, (0, 0), sigmaX=blur_px, sigmaY=1e-6), np.float32)
        coarse /= max(float(coarse.std()), 1e-6)
    step = LINES_PER_TURN // cells
    closed = np.concatenate([coarse[-1:], coarse, coarse[:1]])
    stretched = cv2.resize(closed, (width_px, closed.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    return np.asarray(stretched[step : step + LINES_PER_TURN], np.float32)


def even_noise(rng: np.random.Generator, cells: int, width_px: int, blur_px: float = 0.0) -> Plane:
    """As `turn_noise`, and every line is as any other: `turn_noise` changes more between its values than across them.

    Where that changes along the turn, as under a focus that comes and goes, it looks as if lines were copied.
    """
    reach = LINES_PER_TURN // cells
    lines = rng.standard_normal((LINES_PER_TURN, width_px), dtype=np.float32)
    if blur_px > 0:
        lines = np.asarray(cv2.GaussianBlur(lines, (0, 0), sigmaX=blur_px, sigmaY=1e-6), np.float32)
    weights = np.bartlett(2 * reach + 1)[1:-1].astype(np.float32)
    closed = np.concatenate([lines[-reach:], lines, lines[:reach]])
    smooth = cv2.sepFilter2D(closed, cv2.CV_32F, np.ones(1, np.float32), weights)[reach:-reach]
    return np.asarray(smooth * (np.sqrt(2 / 3) / max(float(smooth.std()), 1e-6)), np.float32)


def soft_noise(rng: np.random.Generator, shape: tuple[int, int], blur_px: float) -> Plane:
    """Cloudy noise (h, w) around 0, 1 in standard deviation, with details of about `blur_px`; not closed."""
    height, width = (max(8, round(4 * length / blur_px)) for length in shape)
    coarse = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 1.5)
    cloud = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cloud / max(float(cloud.std()), 1e-6), np.float32)


def stroke(
    points: NDArray[np.float64], strengths: NDArray[np.float64], thickness_px: int, shape: tuple[int, int]
) -> Plane:
    """An antialiased line (h, w), 0 to 1, through points (n, 2) as (column, row), as strong as given at each."""
    drawn = np.zeros(shape, np.uint8)
    fixed = np.round(points * 16).astype(int)
    for start, end, strength in zip(fixed[:-1], fixed[1:], strengths[:-1], strict=True):
        level = int(np.clip(255 * strength, 0, 255))
        cv2.line(drawn, start.tolist(), end.tolist(), level, thickness_px, cv2.LINE_AA, 4)
    return np.asarray(drawn / np.float32(255), np.float32)


def bow(length_px: float, angle_rad: float, sag: float, steps: int = 24) -> NDArray[np.float64]:
    """Points (steps, 2) as (column, row) of a slightly bent line around the origin.

    Args:
        length_px: From end to end.
        angle_rad: From the direction of rotation; 0 runs along the lines' order.
        sag: How far the middle leaves the chord, as a share of the length.
        steps: Number of points.
    """
    along = np.linspace(-0.5, 0.5, steps)
    aside = sag * (1 - 4 * along**2)
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    return length_px * np.stack([along * sine + aside * cosine, along * cosine - aside * sine], axis=1)
