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
from station.core.part import Decision
from station.core.verdicts import Classes, Verdict
from station.view.report import PartRow, Summary

ALARMS_SHOWN = 3
STEPS = ("load", "spin", "scan", "decide", "unload")


class _Part:
    """The part in work, as far as it is known.

    Args:
        named: Its id and type.
        shape: Into how many strips its turn is cut, and those into how many patches.
    """

    def __init__(self, named: str = "", shape: tuple[int, int] = (0, 0)) -> None:
        self._named = named
        self._shape = shape
        self._strips: dict[int, tuple[Verdict, ...]] = {}
        self.step = ""
        self.decision = Text("")

    def score(self, strip: int, surfaces: tuple[Verdict, ...]) -> None:
        """The class of each patch of a strip is known."""
        self._strips[strip] = surfaces

    def decide(self, decision: Decision) -> None:
        """The decision is known."""
        self.decision = verdict_text(decision.verdict)
        self.decision.append(f"  {decision.confidence:.3f}", style="dim")

    def lines(self) -> list[Text]:
        """What is to be seen of it."""
        steps = Text("step  ", style="dim")
        for step in STEPS:
            steps.append(f" {step} ", style="bold reverse" if step == self.step else "dim")
        named, says = Text.assemble(("part  ", "dim"), self._named), Text.assemble(("says  ", "dim"), self.decision)
        return [named, steps, self._turn_line(), says]

    def _turn_line(self) -> Text:
        turn = Text("turn  ", style="dim")
        for strip in range(self._shape[0]):
            known = self._strips.get(strip)
            for patch in range(self._shape[1]):
                turn.append("■" if known else "·", style=_style(known[patch]) if known else "dim")
            turn.append(" ")
        return turn


class CellView:
    """The cell as it works: a live picture on a terminal, one line a part elsewhere.

    Args:
        console: Where to draw.
        table: Which verdicts and places there are.
    """

    def __init__(self, console: Console, table: Classes) -> None:
        self._console = console
        self._table = table
        self._state, self._reason = "STOPPED", ""
        self._part = _Part()
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
        """Take in one event of the cell, on whatever thread; the picture is drawn later, by another."""
        match event:
            case StateChanged():
                self._state = event.after
                self._reason = event.reason.fault.text if event.reason else ""
            case PartEntered():
                kind = event.inspection.part_type
                shape = (kind.geometry.blocks_per_turn, kind.geometry.patches_per_strip)
                self._part = _Part(f"{event.inspection.part.part_id}  {kind.name}", shape)
            case StepStarted():
                self._part.step = event.step
            case StripScored():
                self._part.score(event.scores.index, event.surfaces)
            case PartDecided():
                self._part.decide(event.decision)
            case PartSorted():
                self._count(event)
            case AlarmsChanged():
                self._alarms = event.alarms
            case PartLost():
                self.say(f"lost     {event.inspection.part.part_id:<16} {event.reason.detail}")
            case PartWithdrawn():
                self.say(f"withdrawn {event.inspection.part.part_id:<15} {event.reason.detail}")

    def say(self, line: str) -> None:
        """Print one line, as it is, above the picture."""
        self._console.print(line, highlight=False, markup=False)

    def _count(self, event: PartSorted) -> None:
        self._bins[event.confirmed.name] += 1
        self._sorted += 1
        decision = event.decision
        line = Text(f"{self._sorted:>4}  {event.inspection.part.part_id:<16} ")
        line.append(f"{decision.verdict.name:<12}", style=_style(decision.verdict))
        line.append(f" {decision.confidence:.3f}  → {event.confirmed.name}")
        if decision.fault:
            line.append(f"  {decision.fault.code}: {decision.detail}", style="dim")
        self._console.print(line, soft_wrap=True)

    def _picture(self) -> RenderableType:
        head = Text.assemble(("state ", "dim"), (self._state, "bold"), (f"   {self._reason}", "dim"))
        lines = [head, *self._part.lines(), self._bins_line(), *self._alarm_lines()]
        return Panel(Group(*lines), title="inspection cell", width=96)

    def _bins_line(self) -> Text:
        line = Text("bins  ", style="dim")
        for place in self._table.places:
            line.append(f"{place.label.removeprefix('bin_')} {self._bins[place.name]}   ")
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


def verdict_text(verdict: Verdict) -> Text:
    """A verdict in its colour."""
    return Text(verdict.name, style=_style(verdict))


def _style(verdict: Verdict) -> str:
    return f"bold white on {verdict.colour}" if verdict.is_review else verdict.colour


def parts_table(rows: Sequence[PartRow], classes: Classes) -> Table:
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
            Text(row["part_id"]),
            row["part_type"],
            Text(row["label"] or ""),
            verdict_text(classes.named(row["verdict"])),
            f"{row['confidence']:.3f}",
            row["confirmed_bin"],
            "" if late is None else f"{late:.1f}",
            f"{row['cycle_ms'] / 1000:.2f}",
            row["reason"] or _mark(row, classes),
        )
    return table


def _mark(row: PartRow, classes: Classes) -> str:
    """Whether the verdict is what the recording's label says."""
    if row["label"] is None:
        return ""
    if row["label"] == row["verdict"]:
        return "ok"
    if row["verdict"] == classes.passing.name:
        return "ESCAPE"
    return "overkill" if row["label"] == classes.passing.name else "other class"


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
