"""The figures of one run as one picture for an engineer: latencies, a waterfall, throughput; drawn with matplotlib.

Each panel stands for itself; what was not measured says so. matplotlib is loaded only here.
"""

import io
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from station.bench.capability import Capability
from station.bench.cell_run import CellRun, after_last_line, last_line_ns
from station.core.timeline import ScanTimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figures = Mapping[str, Mapping[str, Any] | None]
Ledger = dict[str, int]

INK, PALE = "#22303c", "#c9d3dc"
BLUE, GREEN, ORANGE, RED = "#2f6db5", "#3a9d5d", "#e08a1e", "#c0392b"
SIZE_INCHES, DOTS_PER_INCH = (15.0, 9.6), 100
WORDS_COLUMNS = 175
LAYOUT = [["histogram"] * 2 + ["turn"] * 2 + ["after"] * 2, ["widths"] * 3 + ["cores"] * 3]
STYLE = {
    "font.size": 10, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}  # fmt: skip
STEPS = (
    ("last block arrives", "last_line", "arrived", ORANGE),
    ("its two patches scored", "arrived", "scored", GREEN),
    ("decided", "scored", "decided", BLUE),
    ("sent to the PLC", "decided", "plc_sent", BLUE),
    ("PLC acknowledged", "plc_sent", "plc_acknowledged", RED),
    ("record committed", "plc_acknowledged", "committed", PALE),
)
"""What follows the last line: name, from when, until when, colour."""


def draw(figures: Figures, judged: Capability, run: CellRun | None) -> bytes:
    """The picture as a PNG; `run` is the whole cell's, or None where it was not run."""
    import matplotlib as mpl  # noqa: PLC0415  # only who wants a picture waits for it
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout=ConstrainedLayoutEngine(h_pad=0.14, w_pad=0.14))
        figure.suptitle(_title(figures), fontsize=14, fontweight="bold", x=0.012, ha="left")
        axes: dict[str, Axes] = figure.subplot_mosaic(LAYOUT)
        ledger = None if run is None else median_part(run)
        _histogram(axes["histogram"], figures.get("stream"), run)
        _turn(axes["turn"], ledger)
        _after(axes["after"], ledger)
        _by_width(axes["widths"], figures)
        _by_cores(axes["cores"], figures)
        words = textwrap.fill(" ".join(judged.words), WORDS_COLUMNS)
        figure.supxlabel(words, fontsize=10.5, x=0.012, ha="left")
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=DOTS_PER_INCH)
    return content.getvalue()


def _title(figures: Figures) -> str:
    machine, engine = figures.get("machine"), figures.get("engine")
    on = f"{machine['cpu']}, {machine['cores']} cores" if machine else "this computer"
    runs = f", {engine['name']} {engine['precision']}, {engine['model']}" if engine else ""
    return f"station bench on {on}{runs}, {datetime.now(UTC):%Y-%m-%d}"


def _histogram(axes: "Axes", stream: Mapping[str, Any] | None, run: CellRun | None) -> None:
    axes.set_title("From last line to PLC acknowledgement")
    if stream is None or run is None:
        _say_nothing(axes)
        return
    values = np.asarray(run.decisions_ms)
    axes.hist(values, bins=_edges(values), color=BLUE, edgecolor="white", linewidth=0.5)
    after = stream["decision_ms_after_last_line"]
    for name, colour in (("p50", GREEN), ("p99", ORANGE), ("max", RED)):
        axes.axvline(after[name], color=colour, linewidth=1.8, label=f"{name}  {after[name]:.1f} ms")
    axes.set_xlim(0, 1.06 * after["max"])
    axes.locator_params(axis="y", integer=True)
    axes.set_xlabel(f"ms after the last line, {stream['width']} px at {stream['line_rate_hz']:,.0f} lines/s")
    axes.set_ylabel(f"parts, of {len(values)}")
    axes.legend(frameon=False)


def _edges(values: Any) -> Any:
    """Bins of at least 0.1 ms, about 40 of them between the fastest part and the slowest."""
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, max(high, low + 4.0), 41)


def _turn(axes: "Axes", ledger: Ledger | None) -> None:
    axes.set_title("The median part: its turn")
    if ledger is None:
        _say_nothing(axes)
        return
    scan, end_ns = ScanTimes.of(ledger), last_line_ns(ledger)
    exposed_from = scan.index_pulse_ns or scan.blocks[0].last_line_ns
    for number, block in enumerate(scan.blocks):
        _bar(axes, number, exposed_from, block.last_line_ns, end_ns, PALE, "exposed")
        _bar(axes, number, block.last_line_ns, block.arrived_ns, end_ns, ORANGE, "on its way")
        _bar(axes, number, block.arrived_ns, block.scored_ns or block.arrived_ns, end_ns, GREEN, "waits and is scored")
        exposed_from = block.last_line_ns
    axes.axvline(0, color=INK, linewidth=1, linestyle=":")
    axes.set_yticks(range(len(scan.blocks)), [f"block {number}" for number in range(len(scan.blocks))])
    axes.set_ylim(len(scan.blocks) + 1.9, -0.6)
    axes.set_xlabel("ms from the turn's last line")
    axes.legend(frameon=False, loc="lower left", ncols=3, columnspacing=1, handlelength=1.2)


def _after(axes: "Axes", ledger: Ledger | None) -> None:
    axes.set_title("The median part: after its last line")
    if ledger is None:
        _say_nothing(axes)
        return
    times = after_last_line(ledger)
    known = [step for step in STEPS if step[1] in times and step[2] in times]
    for row, (name, begun, done, colour) in enumerate(known):
        begin_ms, end_ms = ((times[moment] - times["last_line"]) / 1e6 for moment in (begun, done))
        axes.barh(row, end_ms - begin_ms, left=begin_ms, color=colour, height=0.66)
        axes.text(0, row - 0.36, f"{name}: {end_ms:.1f} ms, took {end_ms - begin_ms:.1f}", va="bottom", fontsize=9)
    axes.set_xlim(0, 1.06 * (times[known[-1][2]] - times["last_line"]) / 1e6)
    axes.set_ylim(len(known) - 0.5, -0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("ms after the last line")


def _bar(axes: "Axes", row: int, from_ns: int, to_ns: int, zero_ns: int, colour: str, name: str) -> None:
    label = name if row == 0 else "_"
    axes.barh(row, (to_ns - from_ns) / 1e6, left=(from_ns - zero_ns) / 1e6, color=colour, height=0.72, label=label)


def _by_width(axes: "Axes", figures: Figures) -> None:
    axes.set_title("Raw scan to decision, by width of the part")
    whole, network = figures.get("end_to_end"), figures.get("model_only")
    if whole is None:
        _say_nothing(axes)
        return
    rates = whole["by_width"]
    bars = axes.bar(list(rates), list(rates.values()), color=BLUE, width=0.62)
    axes.bar_label(bars, fmt="%.1f", padding=2)
    if network is not None:
        axes.axhline(network["images_per_s"], color=ORANGE, linewidth=1.8, label="the network alone")
    if (torch := figures.get("torch_eager")) is not None:
        axes.axhline(torch["images_per_s"], color=RED, linewidth=1.8, label="PyTorch eager, f32, the network alone")
    _rates(axes, "width of the part, px", max([*rates.values(), network["images_per_s"] if network else 0.0]))


def _by_cores(axes: "Axes", figures: Figures) -> None:
    axes.set_title("Raw scan to decision, by cores")
    scaling = figures.get("scaling")
    if scaling is None:
        _say_nothing(axes)
        return
    rates = scaling["images_per_s_by_cores"]
    cores = [int(name) for name in rates]
    bars = axes.bar(list(rates), list(rates.values()), color=BLUE, width=0.4)
    axes.bar_label(bars, fmt="%.1f", padding=2)
    ideal = [rates[str(cores[0])] * count for count in cores]
    axes.plot(list(rates), ideal, color=ORANGE, marker="o", linestyle="--", label="as many times as cores")
    _rates(axes, "cores", max([*rates.values(), *ideal]))


def _rates(axes: "Axes", across: str, highest: float) -> None:
    axes.set_xlabel(across)
    axes.set_ylabel("images of 16 patches a second")
    axes.set_ylim(0, 1.3 * highest)
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="upper left")


def _say_nothing(axes: "Axes") -> None:
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
    axes.set_axis_off()


def median_part(run: CellRun) -> Ledger | None:
    """The deadline ledger of the part whose decision took the median time; None where no turn was whole."""
    whole = [ledger for ledger in run.ledgers if _acknowledged_ns(ledger) is not None]
    whole.sort(key=lambda ledger: _acknowledged_ns(ledger) or 0)
    return whole[len(whole) // 2] if whole else None


def _acknowledged_ns(ledger: Ledger) -> int | None:
    try:
        return ledger["plc_acknowledged"] - last_line_ns(ledger)
    except KeyError:
        return None
