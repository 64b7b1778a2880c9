"""How labels are shown on a terminal."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from station.core.moments import stamp
from station.labels.agreement import Finding, findings
from station.labels.label import Label

if TYPE_CHECKING:
    from station.labels.dossier import Dossier
    from station.labels.picking.choosing import Pick
    from station.labels.picking.rates import AuditRate


def labels_table(labels: Iterable[Label]) -> Table:
    """A row a label."""
    table = Table("at", "part", "place", "class", "by", "from", "note", box=None)
    for label in labels:
        table.add_row(*map(escape, (stamp(label.at), str(label.subject), *_told(label))))
    return table


def findings_table(found: Iterable[Finding]) -> Table:
    """A row a place, with what each person says of it."""
    table = Table("part", "place", "said", box=None)
    for finding in found:
        table.add_row(*map(escape, (str(finding.subject), str(finding.region), _said(finding))))
    return table


def dossier_table(dossier: "Dossier") -> Table:
    """Everything that was ever said of a part, and what of it does not count any more."""
    counting = dossier.counting
    table = Table("at", "place", "class", "by", "from", "note", "", box=None)
    for label in dossier.labels:
        table.add_row(*map(escape, (stamp(label.at), *_told(label), "" if label in counting else "does not count")))
    for label in dossier.former:
        table.add_row(*map(escape, (stamp(label.at), *_told(label), "of what the file was then")))
    return table


def facts_table(dossier: "Dossier") -> Table:
    """What was decided of a part, and what is said of it now."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in _facts(dossier):
        table.add_row(name, escape(value), style="default")
    return table


def picks_table(picks: Iterable["Pick"]) -> Table:
    """A row a part to label."""
    table = Table("why", "inspection", "part", "type", "verdict", "confidence", "patch", "", box=None)
    for pick in picks:
        one = pick.candidate
        patch = "" if one.patch is None else str(one.patch)
        row = (pick.why.value, one.inspection_id, one.part_id, one.part_type, one.verdict)
        table.add_row(*map(escape, (*row, f"{one.confidence:.3f}", patch, pick.told)))
    return table


def rates_table(rows: Iterable["AuditRate"]) -> Table:
    """A row a way that parts can go."""
    from models.evaluation.figures.wording import percent

    table = Table("", "in the archive", "by lot, labelled", "unclear", "share", "95 % limits", "", box=None)
    for row in rows:
        share, limits = percent(row.share), f"{percent(row.lower)} to {percent(row.upper)}"
        counts = (str(row.archived), str(row.trials + row.unclear), str(row.unclear))
        table.add_row(row.called, *counts, share, limits, row.told)
    return table


def _facts(dossier: "Dossier") -> Iterator[tuple[str, str]]:
    yield "part", str(dossier.subject)
    if (decided := dossier.decided) is not None:
        yield "", f"{decided['part_id']}  {decided['part_type']}  entered {decided['entered_at']}"
        confidence = "" if decided["confidence"] is None else f"  confidence {decided['confidence']:.3f}"
        yield "decided", f"{decided['verdict'] or decided['state']}{confidence}"
        if decided["reason"] is not None:
            yield "reason", f"{decided['reason']}: {decided['detail']}"
        for defect in decided["defects"] or ():
            yield "found", f"{defect['class']} in patch {defect['patch']}  {defect['confidence']:.3f}"
    if dossier.trouble:
        yield "scan", dossier.trouble
    for finding in findings(dossier.labels):
        yield "said", f"{finding.region}: {_said(finding)}"
    yield "", ""


def _told(label: Label) -> tuple[str, ...]:
    return str(label.region), label.class_name, label.who, label.source.value, label.note


def _said(finding: Finding) -> str:
    if finding.agreed is not None:
        return f"{finding.agreed}, by {', '.join(label.who for label in finding.labels)}"
    return "; ".join(f"{label.who} says {label.class_name}" for label in finding.labels)
