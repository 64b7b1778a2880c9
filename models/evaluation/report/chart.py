"""Charts as SVG: axes, lines, bands, dots and bars, for a page or for paper. Colours are classes of the page.

A chart is a frozen `Frame` (what the axes show) and the marks drawn in it; `Frame.draw` puts them together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Literal

Point = tuple[float, float]
Scale = Literal["linear", "log"]

MARGIN_LEFT, MARGIN_RIGHT, MARGIN_TOP, MARGIN_BOTTOM = 60, 22, 12, 42
TICKS = 6
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        label: What it shows, with the unit.
        low: Its first value.
        high: Its last, above the first.
        scale: Whether distances are differences or ratios; a log axis starts above 0.
        form: Format of its numbers.
    """

    label: str
    low: float
    high: float
    scale: Scale = "linear"
    form: str = "g"

    def place(self, value: float) -> float:
        """Where a value lies, 0 at the first value and 1 at the last; what is beyond is put on the border."""
        if self.scale == "log":
            share = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))

    def number(self, value: float) -> str:
        """A value as it is written at the axis."""
        return f"{value:{self.form}}".replace("%", " %")

    def ticks(self) -> list[float]:
        """Round values to label, rising."""
        return _log_ticks(self.low, self.high) if self.scale == "log" else _even_ticks(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Frame:
    """Size and axes of a chart.

    Attributes:
        x: To the right.
        y: Upwards.
        width: In px.
        height: In px.
    """

    x: Axis
    y: Axis
    width: int = 470
    height: int = 280

    def at(self, point: Point) -> Point:
        """Where a point lies, in px from the upper left."""
        across = self.width - MARGIN_LEFT - MARGIN_RIGHT
        up = self.height - MARGIN_TOP - MARGIN_BOTTOM
        return (
            MARGIN_LEFT + across * self.x.place(point[0]),
            self.height - MARGIN_BOTTOM - up * self.y.place(point[1]),
        )

    def line(self, points: Iterable[Point], colour: str) -> str:
        """A line through points; `colour` is a class of the page, such as `c1`, or `c1 dashed`."""
        return f'<polyline class="line {colour}" points="{self._path(points)}"/>'

    def band(self, lower: Sequence[Point], upper: Sequence[Point], colour: str) -> str:
        """The area between two lines."""
        return f'<polygon class="band {colour}" points="{self._path([*lower, *reversed(upper)])}"/>'

    def dots(self, points: Iterable[Point], colour: str, radius: float = 3) -> str:
        """One dot a point."""
        places = (self.at(point) for point in points)
        return "".join(f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>' for x, y in places)

    def crosses(self, points: Iterable[Point], colour: str) -> str:
        """One diagonal cross a point."""
        places = (self.at(point) for point in points)
        return "".join(f'<path class="cross {colour}" d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>' for x, y in places)

    def limits(self, bars: Iterable[tuple[float, float, float]], colour: str) -> str:
        """A vertical bar from one value to another at each x: (x, from, to)."""
        drawn = []
        for x, low, high in bars:
            (left, bottom), (_, top) = self.at((x, low)), self.at((x, high))
            drawn.append(f'<path class="limit {colour}" d="M{left:.1f} {bottom:.1f}V{top:.1f}"/>')
        return "".join(drawn)

    def bars(self, bars: Iterable[tuple[float, float, float]], colour: str) -> str:
        """Bars that stand on the axis: (left, right, height)."""
        drawn = []
        for left, right, height in bars:
            (x, y), (end, base) = self.at((left, height)), self.at((right, self.y.low))
            drawn.append(
                f'<rect class="bar {colour}" x="{x + 0.5:.1f}" y="{y:.1f}" width="{max(0.0, end - x - 1):.1f}" '
                f'height="{base - y:.1f}"/>'
            )
        return "".join(drawn)

    def mark(self, x: float, text: str, colour: str, text_y: float | None = None) -> str:
        """A dashed line upwards at an x, with a text under a y, by default at its head."""
        (place, bottom), (_, top) = self.at((x, self.y.low)), self.at((x, self.y.high))
        _, head = self.at((x, self.y.high if text_y is None else text_y))
        side, anchor = (-4, "end") if place > self.width * 0.7 else (4, "start")
        return (
            f'<path class="line dashed {colour}" d="M{place:.1f} {bottom:.1f}V{top:.1f}"/>'
            f'<text x="{place + side:.1f}" y="{head + 11:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def draw(self, *marks: str, title: str) -> str:
        """The whole chart with these marks; `title` is what a screen reader says."""
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f"{self._grid()}{''.join(marks)}{self._labels()}</svg>"
        )

    def _path(self, points: Iterable[Point]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))

    def _grid(self) -> str:
        base, right = self.height - MARGIN_BOTTOM, self.width - MARGIN_RIGHT
        rows = [(value, self.at((self.x.low, value))[1]) for value in self.y.ticks()]
        columns = [(value, self.at((value, self.y.low))[0]) for value in self.x.ticks()]
        drawn = [
            f'<path class="grid" d="M{MARGIN_LEFT} {y:.1f}H{right}"/>'
            f'<text x="{MARGIN_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{self.y.number(value)}</text>'
            for value, y in rows
        ]
        drawn += [
            f'<path class="grid" d="M{x:.1f} {base}V{MARGIN_TOP}"/>'
            f'<text x="{x:.1f}" y="{base + 15}" text-anchor="middle">{self.x.number(value)}</text>'
            for value, x in columns
        ]
        return "".join(drawn)

    def _labels(self) -> str:
        base, right = self.height - MARGIN_BOTTOM, self.width - MARGIN_RIGHT
        middle_x, middle_y = (MARGIN_LEFT + right) / 2, (MARGIN_TOP + base) / 2
        return (
            f'<path class="axis" d="M{MARGIN_LEFT} {MARGIN_TOP}V{base}H{right}"/>'
            f'<text class="label" x="{middle_x}" y="{self.height - 6}" text-anchor="middle">'
            f"{escape(self.x.label)}</text>"
            f'<text class="label" transform="translate(13 {middle_y}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y.label)}</text>"
        )


def _even_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(nice * power for nice in NICE if nice * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        inside = [round(tick, 10) for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(inside) >= 4:
            return inside
    return inside
