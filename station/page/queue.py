"""What is still to be looked at: parts of which nobody, or only one person, has said what they are, and why.

Everything here blocks.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from station.core.ports.records import RecordReader
from station.core.records import JsonObject, ListedRecord, RecordFilter
from station.core.sought import Sought
from station.core.tried import TRIED
from station.core.verdicts import Classes
from station.labels.agreement import current
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.store import LabelStore
from station.page.findings import listed, reason_text

READ, SHOWN = 2000, 200
"""So many of the newest parts are looked through, and so many of those left are shown."""
DIFFER, ALONE = "differ", "alone"
"""Why a second opinion is asked for: people differ, or one alone has said what the part is."""


class Which(StrEnum):
    """Which parts wait: those sent to review, those rejected, those that passed, those that want a second opinion."""

    REVIEW = "review"
    REJECTED = "rejected"
    PASSED = "passed"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class QueuedPart:
    """A part that waits for a person.

    Attributes:
        part: The part.
        opinion: Why a second opinion is wanted, `DIFFER` or `ALONE`; empty where nobody has said anything.
    """

    part: ListedRecord
    opinion: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """Parts that wait for a person.

    Attributes:
        parts: Those that are to be looked at first.
        left: How many there are among those looked through.
    """

    parts: tuple[QueuedPart, ...]
    left: int

    def plain(self) -> JsonObject:
        """As JSON has it."""
        rows = [
            {**one.part._asdict(), "why": reason_text(one.part.reason), "opinion": one.opinion} for one in self.parts
        ]
        return {"parts": rows, "left": self.left}


def queue_of(which: Which, records: RecordReader, labels: LabelStore, table: Classes, who: str) -> Queue:
    """The parts that wait, the newest first; of those for a second opinion the ones that people differ on before.

    Golden parts and those of a study are known.

    Args:
        which: Which of them.
        records: What was decided.
        labels: What people say.
        table: What a part may be called.
        who: The person who asks.
    """
    said = _said(labels.labels())
    if which is Which.SECOND:
        return _second(records, said, who)
    found = listed(records, RecordFilter(verdicts=_verdicts(which, table)), READ)
    left = [QueuedPart(part) for part in found if part.inspection_id not in said and part.reason not in TRIED]
    return Queue(tuple(left[:SHOWN]), len(left))


def _verdicts(which: Which, table: Classes) -> tuple[str, ...]:
    match which:
        case Which.REVIEW:
            return (table.review.name,)
        case Which.PASSED:
            return (table.passing.name,)
        case _:
            return tuple(one.name for one in table.verdicts if one.name not in {table.review.name, table.passing.name})


def _second(records: RecordReader, said: dict[str, list[Label]], who: str) -> Queue:
    """Parts of which others have said something as a whole, and this person nothing."""
    others = {one: labels for one, labels in said.items() if all(label.who != who for label in labels)}
    if not others:
        return Queue((), 0)
    rows = records.search(Sought(inspections=tuple(others)), None, READ).rows
    waiting = [QueuedPart(row, _opinion(others[row.inspection_id])) for row in rows]
    waiting.sort(key=lambda one: one.opinion != DIFFER)
    return Queue(tuple(waiting[:SHOWN]), len(waiting))


def _opinion(labels: Iterable[Label]) -> str:
    return DIFFER if len({label.class_name for label in labels}) > 1 else ALONE


def _said(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """What people say of parts as a whole now, by the inspection."""
    said: dict[str, list[Label]] = defaultdict(list)
    for label in current(labels):
        if isinstance(label.subject, InspectionSubject) and isinstance(label.region, WholePart):
            said[label.subject.inspection_id].append(label)
    return said
