"""How a picture is laid before the detector, and how its answer becomes places in the picture. Free of torch.

The picture is made as large as fits the detector's square and laid into its middle; what is left is its median grey. On
a grid of `STRIDE` px the detector answers of each cell how surely the middle of a product lies in it, and how far the
product's sides are from the cell's middle, up, left, down and right, in sides of the square.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels

SIDE_PX, STRIDE = 128, 8
CELLS = SIDE_PX // STRIDE
OVERLAP = 0.4
"""Places that share more of their union are one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A product in a picture, in px: from the first row and column on, to before the last ones.

    Attributes:
        top: First row.
        left: First column.
        bottom: Row behind the last one.
        right: Column behind the last one.
        score: How surely it is one, 0 to 1.
    """

    top: int
    left: int
    bottom: int
    right: int
    score: float

    def __str__(self) -> str:
        """Rows and columns, for people."""
        return f"rows {self.top} to {self.bottom}, columns {self.left} to {self.right} ({self.score:.2f})"


@dataclass(frozen=True, slots=True)
class Laid:
    """A picture in the detector's square.

    Attributes:
        square: (SIDE_PX, SIDE_PX) uint8.
        scale: A px of the picture in px of the square.
        top: First row of the picture in the square.
        left: First column.
    """

    square: Pixels
    scale: float
    top: int
    left: int


def lay(picture: Pixels) -> Laid:
    """A picture (height, width) uint8 in the square."""
    height, width = picture.shape
    scale = SIDE_PX / max(height, width)
    small = (max(1, round(height * scale)), max(1, round(width * scale)))
    resized = cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (SIDE_PX - small[0]) // 2, (SIDE_PX - small[1]) // 2
    square = np.full((SIDE_PX, SIDE_PX), np.uint8(np.median(picture)), np.uint8)
    square[top : top + small[0], left : left + small[1]] = resized
    return Laid(square, scale, top, left)


def places_of(
    heat: NDArray[np.float32], sides: NDArray[np.float32], least: float, laid: Laid, shape: tuple[int, int]
) -> tuple[Place, ...]:
    """The products of an answer, the surest first.

    Args:
        heat: (CELLS, CELLS) of 0 to 1.
        sides: (4, CELLS, CELLS): up, left, down, right.
        least: From which heat on a cell counts.
        laid: How the picture lies.
        shape: Height and width of the picture.
    """
    found: list[tuple[float, NDArray[np.float64]]] = []
    for row, column in sorted(np.argwhere(heat >= least).tolist(), key=lambda cell: -heat[cell[0], cell[1]]):
        middle = (np.array([row, column, row, column]) + 0.5) * STRIDE
        box = middle + SIDE_PX * sides[:, row, column].astype(np.float64) * (-1, -1, 1, 1)
        if all(overlap(box, other) <= OVERLAP for _score, other in found):
            found.append((float(heat[row, column]), box))
    return tuple(_in_picture(box, score, laid, shape) for score, box in found)


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Share of the union of two boxes (top, left, bottom, right) that both cover."""
    both = np.maximum(0.0, np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).prod()
    area = (one[2:] - one[:2]).clip(0).prod() + (other[2:] - other[:2]).clip(0).prod() - both
    return float(both / area) if area > 0 else 0.0


def _in_picture(box: NDArray[np.float64], score: float, laid: Laid, shape: tuple[int, int]) -> Place:
    moved = (box - (laid.top, laid.left, laid.top, laid.left)) / laid.scale
    height, width = shape
    top, left = int(np.clip(round(moved[0]), 0, height - 1)), int(np.clip(round(moved[1]), 0, width - 1))
    bottom, right = int(np.clip(round(moved[2]), top + 1, height)), int(np.clip(round(moved[3]), left + 1, width))
    return Place(top, left, bottom, right, score)
