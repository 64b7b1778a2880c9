"""What counts of all that was said: of each person the latest, and one class where all agree.

It is the same in whatever order the labels came, so that those of two computers are put together by adding them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from station.core.moments import moment, stamp
from station.labels.label import InspectionSubject, Label, Region, Subject, WholePart


@dataclass(frozen=True, slots=True)
class Finding:
    """What people say of one place on one part now.

    Attributes:
        subject: Of which part.
        region: Of which place.
        labels: Each person's latest label, one at least; by the time at which it was said.
    """

    subject: Subject
    region: Region
    labels: tuple[Label, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """What is said, each class once, in the order of the alphabet."""
        return tuple(sorted({label.class_name for label in self.labels}))

    @property
    def agreed(self) -> str | None:
        """The class that all agree on, or None where they do not."""
        return self.classes[0] if len(self.classes) == 1 else None


def current(labels: Iterable[Label]) -> list[Label]:
    """Of each person, subject and region the latest label, unless it withdraws what was said; by their time."""
    latest = {(label.subject, label.region, label.who): label for label in sorted(labels, key=weight)}
    return sorted((label for label in latest.values() if not label.is_withdrawal), key=weight)


def weight(label: Label) -> tuple[datetime, str]:
    """Which of two labels of one person on one place counts: the later; of one millisecond, that of the later name."""
    return moment(stamp(label.at)), label.class_name


def findings(labels: Iterable[Label]) -> list[Finding]:
    """What is said of each place on each part, in the order in which they were labelled first."""
    found: dict[tuple[Subject, Region], list[Label]] = defaultdict(list)
    for label in current(labels):
        found[label.subject, label.region].append(label)
    return [Finding(subject, region, tuple(said)) for (subject, region), said in found.items()]


def disagreements(labels: Iterable[Label]) -> list[Finding]:
    """The places of which two people say different things."""
    return [finding for finding in findings(labels) if finding.agreed is None]


def inspections_called(labels: Iterable[Label], name: str) -> set[str]:
    """The inspections of which somebody says that they are this as a whole."""
    return {
        label.subject.inspection_id
        for label in current(labels)
        if label.class_name == name and isinstance(label.subject, InspectionSubject)
        and isinstance(label.region, WholePart)
    }  # fmt: skip
