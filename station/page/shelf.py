"""Alarms that a person has put aside for a time, so that those that matter are seen; it is the audit trail that tells.

Nothing that stops the cell, or keeps it waiting, can lie here: only warnings, while the cell goes on. A shelved alarm
stays on the list, on the line PLC and in the records; only people's screens show it apart, and when its time is over,
or when it becomes a stop, it is where it was.
"""

from dataclasses import dataclass
from datetime import timedelta

from station.core.clock import Clock
from station.core.errors import FAULTS, PageError, Reaction
from station.core.moments import moment, stamp
from station.core.records import JsonObject
from station.page.audit import Audit, Deed, Row
from station.page.people import Hand

MINUTES = (15, 60, 240, 480)
"""For how long an alarm may be shelved, a shift at most."""
UNTIL = " until "


@dataclass(frozen=True, slots=True)
class Shelved:
    """One alarm that is put aside.

    Attributes:
        code: Of its fault.
        who: Who did it.
        until: When it comes back by itself, UTC.
        why: The reason.
    """

    code: str
    who: str
    until: str
    why: str


class Shelf:
    """The shelf of one page. Every method blocks.

    Args:
        audit: Where it is written who shelved what until when.
        clock: The date.

    Raises:
        PageError: From every method: the trail cannot be read or written.
    """

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    def put(self, alarm: JsonObject, minutes: int, why: str, by: Hand) -> None:
        """Shelve an alarm.

        Raises:
            PageError: `page.refused`: it is no mere warning, or for another time.
        """
        if not may_lie(alarm):
            raise PageError(
                "page.refused", f"{alarm['code']} stops the cell or keeps it waiting; that is never shelved"
            )
        if minutes not in MINUTES:
            raise PageError("page.refused", f"an alarm is shelved for {', '.join(map(str, MINUTES))} minutes")
        until = stamp(self._clock.now() + timedelta(minutes=minutes))
        self._audit.write(Deed(by.name, by.address, "alarm_shelved", f"{alarm['code']}{UNTIL}{until}: {why}"))

    def take(self, code: str, by: Hand) -> None:
        """Have it back before its time."""
        self._audit.write(Deed(by.name, by.address, "alarm_unshelved", code))

    def lying(self) -> list[Shelved]:
        """What lies there now."""
        now = self._clock.now()
        oldest = stamp(now - timedelta(minutes=max(MINUTES)))
        newest: dict[str, Row] = {}
        for row in self._audit.since(oldest, "alarm_shelved", "alarm_unshelved"):
            newest.setdefault(row.detail.partition(UNTIL)[0], row)
        shelved = [_read(code, row) for code, row in newest.items() if row.what == "alarm_shelved"]
        return [one for one in shelved if one.until > stamp(now)]

    def left_ms(self, one: Shelved) -> int:
        """How long it still lies."""
        return round(1e3 * (moment(one.until) - self._clock.now()).total_seconds())


def may_lie(alarm: JsonObject) -> bool:
    """Whether this alarm, as the station tells it, is a mere warning."""
    fault = FAULTS.get(alarm["code"])
    return fault is not None and fault.reaction is Reaction.WARN and not alarm["latched"]


def _read(code: str, row: Row) -> Shelved:
    until, _, why = row.detail.partition(UNTIL)[2].partition("Z: ")
    return Shelved(code, row.who, f"{until}Z", why)
