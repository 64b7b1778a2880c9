"""How many defective parts leave with those that passed, at the most: what people say of the parts drawn by lot.

    records, reason part.spot_check ─ labels ─▶ Outgoing, by part type and shift

A drawn part would have passed, and nothing but its lot has chosen it: what is found among the drawn is what goes out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.evaluation.figures.time_uniform import running_limit
from station.core.calendar import Calendar, Shift
from station.core.moments import moment
from station.core.promise import Suspension, suspended
from station.core.records import JsonObject
from station.labels.picking.truth import Truth, Truths

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is known of the parts of one type that passed in one stretch of time.

    Attributes:
        part_type: The type.
        shift: When the shift began, in the plant's zone; None for all that is recorded.
        checked: Drawn parts of which people have said what they are.
        defective: Of them defective; what nobody can tell, or people differ on, counts as such.
        waiting: Inspections of drawn parts of which nobody has said anything.
        suspension: Why the limit does not hold any more; None while it does, or for a shift that was over by then.
    """

    part_type: str
    shift: datetime | None
    checked: int
    defective: int
    waiting: tuple[str, ...]
    suspension: Suspension | None = None

    @property
    def limit(self) -> float:
        """Upper limit of the share of defective parts among those that pass, 95 %, whenever one looks; 1 of none."""
        return running_limit(self.defective, self.checked, CONFIDENCE)

    @property
    def sentence(self) -> str:
        """What people read of it."""
        when = "" if self.shift is None else f", shift of {self.shift:%Y-%m-%d %H:%M}"
        waits = f"; {len(self.waiting)} drawn wait for a label" if self.waiting else ""
        if not self.checked:
            return f"Outgoing defects of {self.part_type}{when}: nothing can be said, n = 0 checked{waits}."
        counts = f"n = {self.checked:,} checked, {self.defective:,} of them defective"
        said = f"Outgoing defects of {self.part_type}{when}: at most {self.limit:.2%} (95 %), {counts}{waits}."
        return suspended(said, self.suspension)

    def plain(self) -> JsonObject:
        """As plain data, for JSON."""
        return {
            "part_type": self.part_type,
            "shift": self.shift and self.shift.isoformat(),
            "checked": self.checked,
            "defective": self.defective,
            "waiting": list(self.waiting),
            "limit": self.limit,
            "confidence": CONFIDENCE,
            "suspended": self.suspension is not None,
            "sentence": self.sentence,
        }


def outgoing(
    drawn: Iterable[JsonObject],
    truths: Truths,
    suspensions: Mapping[str, Suspension | None],
    calendar: Calendar | None = None,
) -> list[Outgoing]:
    """A row for each part type and shift, in the order in which they first came.

    Args:
        drawn: Records of the parts that were drawn, oldest first; see `RecordReader.spot_checks`.
        truths: What people say.
        suspensions: By part type, why its limits do not hold any more.
        calendar: The plant's shifts; None for one row of all time.
    """
    rows: Mapping[tuple[str, Shift | None], list[JsonObject]] = defaultdict(list)
    for record in drawn:
        shift = calendar.at(moment(record["entered_at"])) if calendar is not None else None
        rows[record["part_type"], shift].append(record)
    found = []
    for (part_type, shift), records in rows.items():
        begun = calendar.begin_of(shift) if calendar is not None and shift is not None else None
        suspension = suspensions.get(part_type)
        over = suspension is not None and shift is not None and shift.end <= moment(suspension.since)
        found.append(replace(_row(part_type, begun, records, truths), suspension=None if over else suspension))
    return found


def _row(part_type: str, begun: datetime | None, records: Sequence[JsonObject], truths: Truths) -> Outgoing:
    said = [(record["inspection_id"], truths.of_inspection(record["inspection_id"])) for record in records]
    known = [truth for _inspection, truth in said if truth is not None]
    return Outgoing(
        part_type=part_type,
        shift=begun,
        checked=len(known),
        defective=sum(truth is not Truth.GOOD for truth in known),
        waiting=tuple(inspection for inspection, truth in said if truth is None),
    )
