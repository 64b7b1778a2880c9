"""A course of values as a line for SVG: in a box of 1000 by 100, the first value left, zero at the bottom."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 100


@dataclass(frozen=True, slots=True)
class Course:
    """Values one after the other.

    Attributes:
        name: Of what.
        first: When the first was, UTC.
        last: When the last was.
        values: In order, none below zero.
    """

    name: str
    first: str
    last: str
    values: Sequence[float]

    @property
    def top(self) -> float:
        """What the upper edge is: somewhat more than the greatest."""
        return max(1.0, 1.1 * max(self.values))

    @property
    def points(self) -> str:
        """The line, as `points` of a polyline has it."""
        step = WIDTH / max(1, len(self.values) - 1)
        return " ".join(f"{step * index:.1f},{self.height_of(value):.1f}" for index, value in enumerate(self.values))

    def height_of(self, value: float) -> float:
        """Where a value lies, from the upper edge."""
        return HEIGHT * (1 - value / self.top)
