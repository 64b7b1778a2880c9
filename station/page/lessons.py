"""What the next data set takes of the parts that people have labelled, and why it leaves out the others. All blocks.

It is what `station dataset make --records` makes of the same labels; whether a scan is still as it was archived is
looked at only then.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from station.core.errors import RecordError
from station.core.records import JsonObject
from station.labels.agreement import current
from station.labels.label import InspectionSubject, Label
from station.offline.gathering.columns import OTHER_GEOMETRY
from station.offline.gathering.locating import GONE
from station.offline.gathering.records import TRIES, UNRECORDED
from station.offline.gathering.terms import NotLearntError, Terms, geometry_of
from station.offline.gathering.words import CONTRADICTION, DIFFER, NO_CLASS, NOT_JUDGED, NOTHING, Listener, concluded
from station.page.desk import PageDesk

REASONS = frozenset({DIFFER, NOT_JUDGED, NO_CLASS, CONTRADICTION, NOTHING, OTHER_GEOMETRY, GONE, UNRECORDED, TRIES})
"""Why a part is left out."""
LISTED = 100
"""So many parts are listed, those that were labelled last."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a network would learn of one labelled part.

    Attributes:
        classes: As what it is taken, by the names of the classes; empty where it is left out.
        reason: Why it is left out, one of `REASONS`; empty where it is taken.
        detail: What exactly is the reason.
    """

    classes: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LabelledPart:
    """A part of which people have said something.

    Attributes:
        inspection_id: Its inspection.
        part_id: The part; empty where the records do not know it any more.
        verdict: What was decided of it; empty where nothing was.
        labels: What people say of it now, by their time.
        lesson: What comes of that.
    """

    inspection_id: str
    part_id: str
    verdict: str
    labels: tuple[Label, ...]
    lesson: Lesson

    @property
    def said_at(self) -> datetime:
        """When something was said of it last."""
        return self.labels[-1].at


@dataclass(frozen=True, slots=True)
class NextSet:
    """The next data set, of the parts that the station inspected.

    Attributes:
        classes: How many labelled parts are taken as each class, as far as their scans are in the archive.
        left_out: How many labels leave out, by the reason.
        files: Of how many other scans people have said something.
        parts: Those labelled last, the last one first.
    """

    classes: dict[str, int]
    left_out: dict[str, int]
    files: int
    parts: tuple[LabelledPart, ...]


def lesson_of(desk: PageDesk, record: JsonObject, labels: Sequence[Label]) -> Lesson:
    """What comes of what people say of one inspection.

    Args:
        desk: Whose classes, part types and archive these are.
        record: All that is recorded of it.
        labels: What they say.
    """
    try:
        lesson = _heard(desk, labels)
        _require_scan(desk, record)
    except NotLearntError as error:
        return Lesson(reason=error.reason, detail=error.detail)
    return lesson


def next_set(desk: PageDesk) -> NextSet:
    """What the next data set would be.

    Raises:
        LabelError: The labels cannot be read.
        RecordError: The records cannot be read.
    """
    said: dict[str, list[Label]] = defaultdict(list)
    files = set()
    for label in current(desk.labels.labels()):
        if isinstance(label.subject, InspectionSubject):
            said[label.subject.inspection_id].append(label)
        else:
            files.add(label.subject)
    classes, left_out = Counter[str](), Counter[str]()
    for labels in said.values():
        try:
            classes.update(_heard(desk, labels).classes)
        except NotLearntError as error:
            left_out[error.reason] += 1
    newest = sorted(said, key=lambda one: said[one][-1].at, reverse=True)[:LISTED]
    parts = tuple(_part(desk, one, said[one]) for one in newest)
    return NextSet(dict(classes.most_common()), dict(left_out.most_common()), len(files), parts)


def _heard(desk: PageDesk, labels: Sequence[Label]) -> Lesson:
    """What the words alone come to.

    Raises:
        NotLearntError: Nobody can learn from them.
    """
    terms = _terms(desk)
    said = concluded(Listener(terms, {}).hear(labels, lambda _told: None), terms)
    numbers = (said.part,) if said.part >= 0 else tuple(sorted(said.seen))
    return Lesson(tuple(map(terms.name, numbers)))


def _require_scan(desk: PageDesk, record: JsonObject) -> None:
    """Make sure that there is something to see of what is said.

    Raises:
        NotLearntError: There is not, or it is cut into other patches.
    """
    kinds = {kind.name: kind for kind in desk.settings.known_types}
    kind = kinds.get(record["part_type"])
    if record["scan_file"] is None or not (desk.folder / record["scan_file"]).is_file():
        raise NotLearntError(GONE, record["scan_state"] or "")
    if record["tried"]:
        raise NotLearntError(TRIES, record["tried"])
    if kind is None or kind.geometry != _terms(desk).geometry:
        raise NotLearntError(OTHER_GEOMETRY, record["part_type"])


def _terms(desk: PageDesk) -> Terms:
    return Terms(desk.settings, geometry_of(desk.settings, ()))


def _part(desk: PageDesk, inspection_id: str, labels: Sequence[Label]) -> LabelledPart:
    try:
        record = desk.records.record(inspection_id)
    except RecordError as error:
        if error.code != "record.unknown":
            raise
        return LabelledPart(inspection_id, "", "", tuple(labels), Lesson(reason=UNRECORDED))
    lesson = lesson_of(desk, record, labels)
    return LabelledPart(inspection_id, record["part_id"], record["verdict"] or "", tuple(labels), lesson)
