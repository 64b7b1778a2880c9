"""Rectangles as other programs write them, and the whole pixels that a label has of them.

Every format here counts from the outer edge of the picture's first pixel: a rectangle from 0 to 1 is the first pixel,
and right minus left is the width. Others give fractions of a pixel, as they were drawn with a mouse, and shares of the
picture are rounded in text: an edge that lies next to one between two pixels is that one, any other one is moved
outwards, so that no pixel that was drawn around is left out.
Source: COCO, data format ("measured from the top left image corner and are 0-indexed"); Ultralytics, detection data
sets; CVAT, XML annotation format 1.1; Label Studio, RectangleLabels.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from station.labels.label import Box

NEXT_TO_PX = 0.05
"""An edge so near to one between two pixels is that one: shares with six digits of the widest scan are within 0.02."""


class PictureSize(NamedTuple):
    """Size of a picture in px."""

    lines: int
    columns: int

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.lines} lines of {self.columns} px"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Four edges, in px from the picture's outer top left corner.

    Attributes:
        left: Of the first column.
        top: Of the first line.
        right: Of the column behind the last.
        bottom: Of the line behind the last.
    """

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, box: Box) -> "Rectangle":
        """The rectangle around the whole pixels of a label."""
        return cls(box.column, box.line, box.column + box.width, box.line + box.height)

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def box(self, size: PictureSize) -> Box:
        """The whole pixels.

        Raises:
            ValueError: A number that is none, no area, or a part of it outside of the picture.
        """
        if not all(map(math.isfinite, (self.left, self.top, self.right, self.bottom))):
            raise ValueError("a box of which an edge is no number")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"the box {self} has no area")
        left, top = _first(self.left), _first(self.top)
        right, bottom = -_first(-self.right), -_first(-self.bottom)
        if left < 0 or top < 0 or right > size.columns or bottom > size.lines:
            raise ValueError(f"the box {self} is not within the picture of {size}")
        if right == left or bottom == top:
            raise ValueError(f"the box {self} is no pixel wide or high")
        return Box(top, left, bottom - top, right - left)

    def scaled(self, across: float, down: float) -> "Rectangle":
        """The same with all columns, and all lines, times a factor."""
        return Rectangle(self.left * across, self.top * down, self.right * across, self.bottom * down)

    def __str__(self) -> str:
        """As people read it."""
        return f"from column {self.left:g}, line {self.top:g} to column {self.right:g}, line {self.bottom:g}"


@dataclass(frozen=True, slots=True)
class Share:
    """A rectangle in shares of the picture's width and height, 0 to 1.

    Attributes:
        shares: The edges.
    """

    shares: Rectangle

    @classmethod
    def of(cls, box: Box, size: PictureSize) -> "Share":
        """The shares that the whole pixels of a label have of a picture."""
        return cls(Rectangle.of(box).scaled(1 / size.columns, 1 / size.lines))

    def box(self, size: PictureSize) -> Box:
        """The whole pixels; raises as a rectangle does."""
        return self.shares.scaled(size.columns, size.lines).box(size)


def _first(edge: float) -> int:
    """The first whole pixel behind an edge, or the one that it cuts."""
    nearest = round(edge)
    return nearest if abs(edge - nearest) <= NEXT_TO_PX else math.floor(edge)
