"""Drawings of a part's way through the registers, from what the simulated cell wrote down (`python -m sim --trace`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from station.core.errors import ConfigError

PART = (
    ("plc", "part_sequence"), ("plc", "accepted_part"), ("robot", "order_number"), ("robot", "order_acknowledged"),
    ("robot", "in_safe_zone"), ("robot", "holding"), ("robot", "order_done"), ("plc", "result_sequence"),
    ("plc", "decision"), ("plc", "confirmed_bin"), ("plc", "result_acknowledged"),
)  # fmt: skip
ORDER = (
    ("robot", "order_verb"), ("robot", "order_number"), ("robot", "order_acknowledged"), ("robot", "busy"),
    ("robot", "in_safe_zone"), ("robot", "holding"), ("robot", "order_result"), ("robot", "order_done"),
)  # fmt: skip
WRITERS = {
    "part_sequence": "PLC", "result_acknowledged": "PLC", "order_acknowledged": "robot", "in_safe_zone": "robot",
    "holding": "robot", "order_done": "robot", "busy": "robot", "order_result": "robot",
}  # fmt: skip
"""Who writes a register; all others are the station's."""

LEFT, WIDTH, LANE, HIGH, TOP = 210, 900, 34, 20, 44
MARGIN_S = 0.15


@dataclass(frozen=True, slots=True)
class Change:
    """A register that holds something else from this moment on."""

    s: float
    device: str
    register: str
    value: int | float | str


def read_trace(path: Path) -> list[Change]:
    """All changes in a file.

    Raises:
        ConfigError: It cannot be read, or is no trace.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Change(**json.loads(line)) for line in lines]
    except OSError as error:
        raise ConfigError("config.file_failed", f"--trace {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError("config.bad_option", f"--trace {path}: it is no trace of `python -m sim`: {error}") from error


def drawings(changes: Sequence[Change], source: str) -> dict[str, str]:
    """A part's whole way, and the robot's first order, as SVG by name.

    Raises:
        ConfigError: No part went through while the trace was written.
    """
    accepted = _moments(changes, "plc", "accepted_part")
    placed = _moments(changes, "plc", "confirmed_bin")
    given = _moments(changes, "robot", "order_number")
    done = _moments(changes, "robot", "order_done")
    try:
        begin_s = accepted[0]
        end_s = next(moment for moment in placed if moment > begin_s)
        read_s = next(moment for moment in _moments(changes, "plc", "result_acknowledged") if moment >= end_s)
        load_s = next(moment for moment in given if moment >= begin_s)
        loaded_s = next(moment for moment in done if moment > load_s)
    except (IndexError, StopIteration):
        told = "no part went through from its acceptance to its acknowledged place"
        raise ConfigError("config.bad_option", f"--trace {source}: {told}") from None
    return {
        "part.svg": draw("A part, from its acceptance to its place", changes, PART, begin_s, read_s),
        "order.svg": draw("An order to the robot: load", changes, ORDER, load_s, loaded_s),
    }


def draw(title: str, changes: Sequence[Change], lanes: Sequence[tuple[str, str]], first_s: float, last_s: float) -> str:
    """A drawing with one lane a register, from shortly before one moment to shortly after another."""
    begin_s, end_s = first_s - MARGIN_S, last_s + MARGIN_S
    height = TOP + LANE * len(lanes) + 30
    size = f'width="{LEFT + WIDTH + 20}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="12" font-family="sans-serif">',
        f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{escape(title)}</text>',
        *_ruler(begin_s, end_s, height),
    ]
    for number, (device, register) in enumerate(lanes):
        parts += _lane(changes, device, register, TOP + LANE * number, (begin_s, end_s))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _ruler(begin_s: float, end_s: float, height: int) -> list[str]:
    """Thin lines at whole steps, with the time since the first moment."""
    steps = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
    step_s = next((step for step in steps if (end_s - begin_s) / step <= 12), steps[-1])
    marks, number = [], 0
    while (at_s := begin_s + MARGIN_S + number * step_s) < end_s:
        x = _x(at_s, begin_s, end_s)
        marks.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 24}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#666">{number * step_s:g} s</text>'
        )
        number += 1
    return marks


def _lane(changes: Sequence[Change], device: str, register: str, y: int, span: tuple[float, float]) -> list[str]:
    begin_s, end_s = span
    rows = [change for change in changes if (change.device, change.register) == (device, register)]
    before = [row for row in rows if row.s <= begin_s]
    inside = [row for row in rows if begin_s < row.s < end_s]
    edges = [(begin_s, before[-1].value if before else 0), *((row.s, row.value) for row in inside)]
    who = WRITERS.get(register, "station")
    drawn = [f'<text x="10" y="{y + 15}">{escape(register)} <tspan fill="#888">({who})</tspan></text>']
    for number, (at_s, value) in enumerate(edges):
        until_s = edges[number + 1][0] if number + 1 < len(edges) else end_s
        x, width = _x(at_s, begin_s, end_s), _x(until_s, begin_s, end_s) - _x(at_s, begin_s, end_s)
        fill = "#f4f4f4" if value in (0, False) else "#cfe3f7"
        drawn.append(
            f'<rect x="{x:.1f}" y="{y}" width="{max(width, 0.5):.1f}" height="{HIGH}" fill="{fill}" stroke="#447"/>'
        )
        shown = str(int(value) if isinstance(value, bool) else value)
        if width > 8 + 7 * len(shown):
            drawn.append(f'<text x="{x + 4:.1f}" y="{y + 15}">{escape(shown)}</text>')
    return drawn


def _x(at_s: float, begin_s: float, end_s: float) -> float:
    return LEFT + WIDTH * (at_s - begin_s) / (end_s - begin_s)


def _moments(changes: Sequence[Change], device: str, register: str) -> list[float]:
    """When this register began to hold something other than 0."""
    rows = [change for change in changes if (change.device, change.register) == (device, register)]
    return [row.s for row in rows if row.value]
