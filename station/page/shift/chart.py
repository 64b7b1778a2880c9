"""A Pareto chart as numbers that a template draws as SVG: bars, the longest first, and what they come to together."""

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, ROW, BAR_FROM, BAR_TO = 720, 30, 250, 610
"""In the chart's own units: its width, a row's height, where bars begin and where the longest ends."""
MOST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One row.

    Attributes:
        name: What is counted.
        y: Upper edge of the row.
        length: Of its bar.
        share: Of the whole, 0 to 1.
        together: Share of this and of all bars before it.
        dot: Where that is drawn, from the chart's left.
    """

    name: str
    y: float
    length: float
    share: float
    together: float
    dot: float


@dataclass(frozen=True, slots=True)
class Pareto:
    """A chart.

    Attributes:
        bars: From top to bottom.
        height: Of the chart.
        left_out: How many more there are.
    """

    bars: tuple[Bar, ...]
    height: int
    left_out: int

    @property
    def line(self) -> str:
        """The points of the line that rises from bar to bar, as SVG writes them."""
        return " ".join(f"{bar.dot:.1f},{bar.y + ROW / 2:.1f}" for bar in self.bars)


def pareto(counts: Mapping[str, float]) -> Pareto:
    """The chart of what was counted; what never happened is left out."""
    ranked = sorted(((name, count) for name, count in counts.items() if count > 0), key=lambda one: -one[1])
    whole, longest = sum(count for _name, count in ranked), max((count for _name, count in ranked), default=1)
    bars, reached = [], 0.0
    for row, (name, count) in enumerate(ranked[:MOST_ROWS]):
        reached += count / whole
        length = (BAR_TO - BAR_FROM) * count / longest
        bars.append(Bar(name, row * ROW, length, count / whole, reached, BAR_FROM + (BAR_TO - BAR_FROM) * reached))
    return Pareto(tuple(bars), len(bars) * ROW, max(0, len(ranked) - MOST_ROWS))
