"""What is said of parts on the page: into the labels under the name of who says it, and into the audit trail.

Everything here blocks.
"""

from station.core.moments import moment, stamp
from station.labels.agreement import current
from station.labels.label import WITHDRAWN, InspectionSubject, Label, Source, WholePart
from station.labels.saying import require_class, say_all
from station.page.audit import Deed
from station.page.guard import Visit, is_program

AT_ONCE = 50
"""So many parts are labelled at once at most."""


def say_of_parts(visit: Visit, wishes: dict[str, str], note: str = "") -> dict[str, str]:
    """Say of parts what they are, all of it or nothing, and return what was said of each before by who says it.

    Args:
        visit: Who says it.
        wishes: The class, by the inspection's id.
        note: What else there is to say of all of them.

    Returns:
        By the whole id, what the same person said before; `WITHDRAWN` where that was nothing.

    Raises:
        LabelError: The labels refuse it.
        RecordError: There is no such part.
        PageError: It cannot be written into the audit trail.
    """
    desk, who = visit.desk, visit.who.name
    now = moment(stamp(desk.clock.now()))  # as it is read back
    source = Source.IMPORT if is_program(visit.request) else Source.PERSON
    labels, before = [], {}
    for inspection, name in wishes.items():
        require_class(name, desk.table)
        subject = InspectionSubject(desk.records.record(inspection)["inspection_id"])
        before[subject.inspection_id] = _said_by(who, visit, subject)
        labels.append(Label(subject, WholePart(), name, who, now, source, note))
    say_all(desk.labels, labels)
    for one in labels:
        told = f"{one.subject}: {one.class_name}{f' ({note})' if note else ''}"
        desk.doors.audit.write(Deed(who, visit.address, "labelled", told))
    return before


def _said_by(who: str, visit: Visit, subject: InspectionSubject) -> str:
    """What the person says of the part as a whole now; `WITHDRAWN` where that is nothing."""
    said = current(visit.desk.labels.labels(subject))
    mine = [one.class_name for one in said if one.who == who and isinstance(one.region, WholePart)]
    return mine[-1] if mine else WITHDRAWN
