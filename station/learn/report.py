"""What a learning came to, for people: a page of Markdown."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from models.evaluation.measurement import DOCUMENT as EVALUATION
from models.evaluation.measuring.evaluation import Evaluation
from models.mistakes.document import DOCUMENT, Mistakes
from models.mistakes.document import REPORT as MISTAKES_REPORT
from models.release.gate_report import GateReport, explain
from station.learn.counts import read_counts
from station.learn.course import GATE, MEASURED, MISTAKES
from station.learn.ledger import together
from station.learn.plan import Plan
from station.learn.report_labels import contradicted, doubted, parts_table, sayings_table
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
    counts = read_counts(folder)
    lines = [
        f"# {plan.name}", "", next_step, "", f"{labels} {begun} While it learnt: {judged}.", "",
        *sayings_table(counts), "", *parts_table(counts), "", *_doubts(folder), "",
        "## Gate", "", "```", *explain(gate), "```", "",
        f"What it finds and misses on the parts held out: [{MEASURED}]({MEASURED}/report.html).", "",
        *_steps(notes),
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def _doubts(folder: Path) -> Iterator[str]:
    """Labels that a person should look at again, by what the new network answers where it has not learnt."""
    yield from ("## Labels to look at again", "")
    document = folder / MISTAKES / DOCUMENT
    if document.is_file():
        yield from doubted(Mistakes.model_validate_json(document.read_bytes()), f"{MISTAKES}/{MISTAKES_REPORT}")
    else:
        yield "Likely mistakes among the labels of the validation were not looked for; the steps say why."
    measured = Evaluation.model_validate_json((folder / MEASURED / EVALUATION).read_bytes())
    yield from ("", *contradicted(measured.parts.rows if measured.parts else ()))


def _steps(notes: Sequence[Note]) -> Iterator[str]:
    yield "## Steps"
    yield ""
    yield "| step | s | told |"
    yield "|---|---|---|"
    for note in notes:
        yield f"| {note.step} | {note.seconds:.0f} | {'; '.join((*note.outcome.told, str(note.outcome.judged)))} |"
