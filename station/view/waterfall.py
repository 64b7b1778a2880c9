"""A part's deadline ledger as a picture in text: what was done when, and what waited for what.

Two pictures of the same part: the turn, block by block, and what came after the last line, many times enlarged. Both
are at most 100 columns wide and readable without colours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from station.core.timeline import BlockTimes, ScanTimes

NAME_COLUMNS, BAR_COLUMNS = 17, 48
EXPOSED, ARRIVED, SCORED, STEP, BEYOND = "░", "▒", "█", "█", "▸"
STYLES = {EXPOSED: "bright_black", ARRIVED: "yellow", SCORED: "green", BEYOND: "bright_black"}
AFTER = (
    ("arrived", "arrived", "last_line"),
    ("scored", "scored", "arrived"),
    ("decided", "decided", "scored"),
    ("PLC sent", "plc_sent", "decided"),
    ("PLC acknowledged", "plc_acknowledged", "plc_sent"),
    ("committed", "committed", "plc_acknowledged"),
    ("jig at rest", "jig_at_rest", "jig_stop_ordered"),
    ("robot done", "robot_done", "robot_ordered"),
)
"""What came after the last line: its name, the moment at which it was done, and the one from which it took its time."""
ENLARGED_TO = ("committed", "plc_acknowledged", "decided")
"""The moment at which the second picture ends: the first of these that is known."""
NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Scale:
    """Which stretch of time a bar's columns show."""

    begin_ns: int
    end_ns: int

    def column(self, at_ns: int) -> int:
        """The column of a moment; those outside lie beyond the first or last."""
        return round(BAR_COLUMNS * (at_ns - self.begin_ns) / max(self.end_ns - self.begin_ns, 1))

    def ms(self, share: float) -> str:
        """The time at this share of the scale."""
        return f"{share * (self.end_ns - self.begin_ns) / NS_PER_MS:.0f}"


def waterfall(times: Mapping[str, int]) -> Iterator[Text]:
    """The lines of both pictures, of a record's `times_ns`; of older records as far as they know.

    A part that was not scanned has no picture, and one line that says so.
    """
    scan = ScanTimes.of(times)
    last_line_ns = scan.last_line_ns
    if last_line_ns is None:
        yield Text("The part was not scanned.")
        return
    begin_ns = scan.index_pulse_ns or scan.blocks[0].last_line_ns - _block_ns(scan.blocks)
    yield from _turn(scan.blocks, Scale(begin_ns, _end_of_turn(scan)))
    last = {"last_line": last_line_ns, "arrived": scan.blocks[-1].arrived_ns}
    if (scored_ns := scan.blocks[-1].scored_ns) is not None:
        last["scored"] = scored_ns
    yield Text("")
    yield from _after({**times, **last}, last_line_ns)


def _turn(blocks: tuple[BlockTimes, ...], scale: Scale) -> Iterator[Text]:
    yield _head("The turn", scale, "after the block's last line, ms")
    exposed_from = scale.begin_ns
    for number, block in enumerate(blocks):
        bar = _Bar(scale)
        bar.fill(exposed_from, block.last_line_ns, EXPOSED)
        bar.fill(block.last_line_ns, block.arrived_ns, ARRIVED)
        said = f"arrived {_ms(block.arrived_ns - block.last_line_ns)}"
        if block.scored_ns is not None:
            bar.fill(block.arrived_ns, block.scored_ns, SCORED)
            said += f"  scored {_ms(block.scored_ns - block.last_line_ns)}"
        yield _line(f"block {number}", bar, said)
        exposed_from = block.last_line_ns
    yield Text(f"{'':{NAME_COLUMNS}}{EXPOSED} exposed  {ARRIVED} on the way  {SCORED} waited and scored", style="dim")


def _after(times: Mapping[str, int], last_line_ns: int) -> Iterator[Text]:
    end_ns = next(times[name] for name in ENLARGED_TO if name in times)
    scale = Scale(last_line_ns, end_ns)
    yield _head("After it", scale, "after the turn's last line, ms")
    for name, done, begun in AFTER:
        if done in times:
            bar = _Bar(scale)
            begun_ns = times.get(begun, last_line_ns)
            bar.fill(begun_ns, times[done], STEP)
            took = f"  took {_ms(times[done] - begun_ns)}" if begun in times else ""
            yield _line(name, bar, f"{_ms(times[done] - last_line_ns)}{took}")


class _Bar:
    """One line of a picture."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._cells = [" "] * BAR_COLUMNS

    def fill(self, from_ns: int, to_ns: int, cell: str) -> None:
        """Draw a stretch of time, at least one column wide; what lies beyond the scale is an arrow at its end."""
        first, end = self._scale.column(from_ns), self._scale.column(to_ns)
        if first >= BAR_COLUMNS and to_ns > self._scale.end_ns:
            self._cells[-1] = BEYOND
            return
        first = min(max(first, 0), BAR_COLUMNS - 1)
        for column in range(first, min(max(end, first + 1), BAR_COLUMNS)):
            self._cells[column] = cell
        if to_ns > self._scale.end_ns:
            self._cells[-1] = BEYOND

    def text(self) -> Text:
        """The line with its colours."""
        line = Text()
        for cell in self._cells:
            line.append(cell, style=STYLES.get(cell, ""))
        return line


def _head(title: str, scale: Scale, unit: str) -> Text:
    middle = f"{scale.ms(0.5)}"
    ruler = f"{'0':<{BAR_COLUMNS // 2}}{middle:<{BAR_COLUMNS // 2 - 6}}{scale.ms(1.0) + ' ms':>6}"
    return Text.assemble((f"{title:<{NAME_COLUMNS}}", "bold"), (ruler, "dim"), (f"  {unit}", "dim"))


def _line(name: str, bar: _Bar, said: str) -> Text:
    return Text.assemble((f"{name:<{NAME_COLUMNS}}", "bold"), bar.text(), f"  {said}")


def _end_of_turn(scan: ScanTimes) -> int:
    return max(scan.decided_ns, *(block.scored_ns or block.arrived_ns for block in scan.blocks))


def _block_ns(blocks: tuple[BlockTimes, ...]) -> int:
    """Exposure of a block, by the distance of the last lines; 0 where there is but one block."""
    distances = sorted(later.last_line_ns - earlier.last_line_ns for earlier, later in pairwise(blocks))
    return distances[len(distances) // 2] if distances else 0


def _ms(ns: int) -> str:
    return f"{ns / NS_PER_MS:.1f}"
