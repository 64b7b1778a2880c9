"""What is promised of the parts that pass, whether that holds, and what goes out all the same. Everything here blocks.

It is what `station promise show` says, from the same places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from station.core.errors import ModelError, RecordError
from station.core.moments import stamp
from station.core.promise import Standing, Suspension
from station.core.records import RecordFilter
from station.host.promise import standings
from station.labels.outgoing import Outgoing, outgoing
from station.labels.picking.truth import Truths
from station.page.desk import PageDesk


@dataclass(frozen=True, slots=True)
class Promised:
    """What is promised, and what was found.

    Attributes:
        standings: Where the promise of each part type stands; none where that cannot be said.
        problem: Why it cannot.
        outgoing: What is known of the parts that passed in a stretch of time, a row a part type.
    """

    standings: tuple[Standing, ...] = ()
    problem: str = ""
    outgoing: tuple[Outgoing, ...] = ()


def promised(desk: PageDesk) -> Promised:
    """What is promised of each part type now.

    Raises:
        RecordError: The records cannot be read.
    """
    try:
        found = standings(desk.settings, desk.folder)
    except ModelError as error:
        return Promised(problem=str(error))
    return Promised(tuple(found.values()))


def promised_in(desk: PageDesk, since: datetime, until: datetime) -> Promised:
    """The same, with what is known of the parts that passed from one moment on until another.

    Raises:
        RecordError: The records cannot be read.
        LabelError: The labels cannot be read.
    """
    now = promised(desk)
    suspensions = {one.part_type: one.suspension for one in now.standings}
    return Promised(now.standings, now.problem, tuple(_outgoing(desk, since, until, suspensions)))


def _outgoing(
    desk: PageDesk, since: datetime, until: datetime, suspensions: Mapping[str, Suspension | None]
) -> list[Outgoing]:
    truths = Truths(desk.labels.labels(), desk.table.passing.name)
    chosen = RecordFilter(stamp(since), stamp(until))
    try:
        return outgoing(desk.records.spot_checks(chosen), truths, suspensions)
    except RecordError as error:
        if error.code == "record.unknown":
            return []
        raise
