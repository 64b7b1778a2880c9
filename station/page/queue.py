"""What is still to be looked at: parts of which nobody has said what they are, and why. Everything here blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

from station.core.ports.records import RecordReader
from station.core.records import JsonObject, ListedRecord, RecordFilter
from station.core.verdicts import REVIEW, Classes
from station.labels.agreement import current
from station.labels.label import InspectionSubject, WholePart
from station.labels.store import LabelStore
from station.page.findings import listed, reason_text

READ, SHOWN = 2000, 200
"""So many of the newest parts are looked through, and so many of those left are shown."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Parts that wait for a person.

    Attributes:
        parts: The newest of them.
        left: How many there are among those looked through.
    """

    parts: tuple[ListedRecord, ...]
    left: int

    def plain(self) -> JsonObject:
        """As JSON has it."""
        rows = [{**part._asdict(), "why": reason_text(part.reason)} for part in self.parts]
        return {"parts": rows, "left": self.left}


def review_queue(records: RecordReader, labels: LabelStore) -> Queue:
    """The parts that the station has sent to review and nobody has labelled."""
    return _queue(listed(records, RecordFilter(verdicts=(REVIEW,)), READ), labels)


def other_queue(records: RecordReader, labels: LabelStore, table: Classes) -> Queue:
    """The parts that the station has decided by itself and nobody has labelled."""
    names = tuple(verdict.name for verdict in table.verdicts if not verdict.is_review)
    return _queue(listed(records, RecordFilter(verdicts=names), READ), labels)


def _queue(found: list[ListedRecord], labels: LabelStore) -> Queue:
    said = set(_labelled(labels))
    left = [part for part in found if part.inspection_id not in said]
    return Queue(tuple(left[:SHOWN]), len(left))


def _labelled(labels: LabelStore) -> Iterator[str]:
    """The ids of inspections of which somebody says what they are as a whole."""
    for label in current(labels.labels()):
        if isinstance(label.subject, InspectionSubject) and isinstance(label.region, WholePart):
            yield label.subject.inspection_id
