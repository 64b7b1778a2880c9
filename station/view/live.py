"""What a person sees on the terminal: the cell while it works, and the parts when it is done."""

from collections import Counter
from collections.abc import Sequence
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from station.core.alarms import Alarm
from station.core.classes import Destination, SurfaceClass, Verdict
from station.core.events import (
    AlarmsChanged,
    CellEvent,
    PartDecided,
    PartEntered,
    PartLost,
    PartSorted,
    PartWithdrawn,
    StateChanged,
    StepStarted,
    StripScored,
)
from station.view.report import PartRow, Summary

COLOURS = {
    "defect_free": "green",
    "imprinted": "magenta",
    "pits": "yellow",
    "roll_marks": "cyan",
    "scratches": "red",
    "review": "bold white on dark_orange3",
}
ALARMS_SHOWN = 3
STEPS = ("load", "spin", "scan", "decide", "unload")


class CellView:
    """The cell as it works: a live picture on a terminal, one line a part elsewhere.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state, self._reason = "STOPPED", ""
        self._part, self._step, self._decision = "", "", Text("")
        self._patches: dict[int, SurfaceClass] = {}
        self._bins: Counter[str] = Counter()
        self._alarms: tuple[Alarm, ...] = ()
        self._sorted = 0
        self._live = (
            Live(get_renderable=self._picture, console=console, refresh_per_second=12, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        """Start to draw."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._live.stop()

    def watch(self, event: CellEvent) -> None:
        """Take in one event of the cell; the picture is drawn later, by a thread of its own."""
        match event:
            case StateChanged():
                self._state = event.after
                self._reason = event.reason.text if event.reason else ""
            case PartEntered():
                self._part = f"{event.inspection.part.part_id}  {event.inspection.part_type.name}"
                self._patches, self._decision = {}, Text("")
            case StepStarted():
                self._step = event.step
            case StripScored():
                self._take_scores(event)
            case PartDecided():
                self._decision = verdict_text(event.decision.verdict.label)
                self._decision.append(f"  {event.decision.confidence:.3f}", style="dim")
            case PartSorted():
                self._count(event)
            case AlarmsChanged():
                self._alarms = event.alarms
            case PartLost():
                self._console.print(f"lost     {event.inspection.part.part_id:<16} {event.detail}")
            case PartWithdrawn():
                self._console.print(f"withdrawn {event.inspection.part.part_id:<15} {event.detail}")

    def _take_scores(self, event: StripScored) -> None:
        for column, row in enumerate(event.scores.probabilities):
            self._patches[2 * event.scores.index + column] = SurfaceClass(int(row.argmax()))

    def say(self, line: str) -> None:
        """Print one line, as it is, above the picture."""
        self._console.print(line, highlight=False, markup=False)

    def _count(self, event: PartSorted) -> None:
        self._bins[event.confirmed.label] += 1
        self._sorted += 1
        decision = event.decision
        line = Text(f"{self._sorted:>4}  {event.inspection.part.part_id:<16} ")
        line.append(f"{decision.verdict.label:<12}", style=COLOURS[decision.verdict.label])
        line.append(f" {decision.confidence:.3f}  → {event.confirmed.label}")
        if decision.fault:
            line.append(f"  {decision.fault.code}: {decision.detail}", style="dim")
        self._console.print(line, soft_wrap=True)

    def _picture(self) -> RenderableType:
        head = Text.assemble(("state ", "dim"), (self._state, "bold"), (f"   {self._reason}", "dim"))
        part = Text.assemble(("part  ", "dim"), self._part)
        steps = Text("step  ", style="dim")
        for step in STEPS:
            steps.append(f" {step} ", style="bold reverse" if step == self._step else "dim")
        strips = Text("turn  ", style="dim")
        for patch in range(16):
            known = self._patches.get(patch)
            strips.append("■" if known is not None else "·", style=COLOURS[known.label] if known is not None else "dim")
            strips.append(" " if patch % 2 else "")
        decision = Text.assemble(("says  ", "dim"), self._decision)
        lines = [head, part, steps, strips, decision, self._bins_line(), *self._alarm_lines()]
        return Panel(Group(*lines), title="inspection cell", width=96)

    def _bins_line(self) -> Text:
        line = Text("bins  ", style="dim")
        for place in Destination:
            line.append(f"{place.label.removeprefix('bin_')} {self._bins[place.label]}   ")
        return line

    def _alarm_lines(self) -> list[Text]:
        """The alarms that are active or unseen, the newest first; those beyond the first are counted."""
        shown = [Text.assemble(("alarm ", "bold red"), alarm_text(alarm)) for alarm in reversed(self._alarms)]
        rest = [Text(f"      and {len(shown) - ALARMS_SHOWN} more: station alarms list", style="dim")]
        return shown[:ALARMS_SHOWN] + (rest if len(shown) > ALARMS_SHOWN else [])


def alarm_text(alarm: Alarm) -> Text:
    """An alarm in one line: code, how often, whether it is over, and what to do."""
    times = f" ({alarm.count} times)" if alarm.count > 1 else ""
    mark = "" if alarm.active else " (over)"
    style = "bold" if not alarm.acknowledged else "default"
    return Text.assemble((f"{alarm.fault.code}{times}{mark}", style), f"  {alarm.fault.text}")


def verdict_text(label: str) -> Text:
    """A verdict in its colour."""
    return Text(label, style=COLOURS[label])


def parts_table(rows: Sequence[PartRow]) -> Table:
    """All parts of a run."""
    table = Table(title="Parts", title_justify="left", header_style="bold")
    for name in (
        "part",
        "type",
        "label",
        "verdict",
        "confidence",
        "confirmed bin",
        "ms after last line",
        "cycle s",
        "",
    ):
        right = name in {"confidence", "ms after last line", "cycle s"}
        table.add_column(name, justify="right" if right else "left", no_wrap=bool(name), overflow="fold")
    for row in rows:
        late = row["decision_ms_after_last_line"]
        table.add_row(
            row["part_id"],
            row["part_type"],
            row["label"] or "",
            verdict_text(row["verdict"]),
            f"{row['confidence']:.3f}",
            row["confirmed_bin"],
            "" if late is None else f"{late:.1f}",
            f"{row['cycle_ms'] / 1000:.2f}",
            row["reason"] or _mark(row),
        )
    return table


def _mark(row: PartRow) -> str:
    """Whether the verdict is what the recording's label says."""
    if row["label"] is None:
        return ""
    if row["label"] == row["verdict"]:
        return "ok"
    if row["verdict"] == Verdict.DEFECT_FREE.label:
        return "ESCAPE"
    return "overkill" if row["label"] == SurfaceClass.DEFECT_FREE.label else "other class"


def summary_text(summary: Summary) -> str:
    """The summary in one sentence and one line of times."""
    spread = summary["decision_ms_after_last_line"]
    times = "no decision was timed"
    if spread["p50"] is not None:
        times = (
            f"decision after the last line: median {spread['p50']:.1f} ms, p99 {spread['p99']:.1f} ms, "
            f"at most {spread['max']:.1f} ms"
        )
    return (
        f"{summary['parts']} parts inspected, {summary['sorted']} confirmed in the bin they were ordered to, "
        f"{summary['review']} for review, {summary['escapes']} escapes, {summary['overkills']} overkills, "
        f"{summary['wrong_class']} in another defect's bin.\n{times}; {summary['parts_per_minute']:.1f} parts a minute."
    )
