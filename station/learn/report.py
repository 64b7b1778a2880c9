"""What a learning came to, for people: a page of Markdown."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from models.release.gate_report import GateReport, explain
from station.learn.course import GATE, MEASURED
from station.learn.ledger import together
from station.learn.parts import Counts, read_counts
from station.learn.plan import Plan
from station.learn.steps import Note

REPORT = "report.md"


def report_text(folder: Path, plan: Plan, notes: Sequence[Note], next_step: str) -> str:
    """The page.

    Args:
        folder: Of the learning; every step is done.
        plan: What it was begun with.
        notes: Of the steps.
        next_step: What a person does now.
    """
    gate = GateReport.model_validate_json((folder / GATE).read_bytes())
    labels = f"Labels up to {plan.as_of}, {plan.new_labels} of them since {plan.present} came."
    begun = f"Begun with the weights of {Path(plan.begin_with).name}."
    judged = together([note.outcome.judged for note in notes])
    lines = [
        f"# {plan.name}", "", next_step, "", f"{labels} {begun} While it learnt: {judged}.", "",
        *_parts(read_counts(folder)), "",
        "## Gate", "", "```", *explain(gate), "```", "",
        f"What it finds and misses on the parts held out: [{MEASURED}]({MEASURED}/report.html).", "",
        *_steps(notes),
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def _parts(counts: Counts) -> Iterator[str]:
    yield "## Parts"
    yield ""
    yield f"{counts.people} labels of people. {counts.good} good parts were kept for the calibration."
    yield ""
    yield "| class | learnt from | held out |"
    yield "|---|---|---|"
    for name in {**counts.learnt, **counts.held_out}:
        yield f"| {name} | {counts.learnt.get(name, 0)} | {counts.held_out.get(name, 0)} |"
    yield ""
    yield from (f"- left out: {count} {why}" for why, count in counts.left_out.items())


def _steps(notes: Sequence[Note]) -> Iterator[str]:
    yield "## Steps"
    yield ""
    yield "| step | s | told |"
    yield "|---|---|---|"
    for note in notes:
        yield f"| {note.step} | {note.seconds:.0f} | {'; '.join((*note.outcome.told, str(note.outcome.judged)))} |"
