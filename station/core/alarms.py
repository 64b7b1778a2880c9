"""The alarm list: what needs a person's action, until it is over and a person has seen it.

    raised ──▶ active, unacknowledged ── acknowledge ──▶ active, acknowledged
                        │ clear  ▲ raised again ◀──────────────┘   │ clear
                        ▼        │                                 ▼
               cleared, unacknowledged ── acknowledge ──────▶ off the list

A fault is on the list once. When it happens again while it is there, it counts up and wants to be acknowledged anew.
Nothing here waits, reads a clock or writes.

Source: ANSI/ISA-18.2, the states of an alarm.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from station.core.errors import REACTIONS, Fault, Reaction, StationError
from station.core.moments import stamp


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it stands.

    Attributes:
        fault: What happened.
        detail: What was seen the last time.
        latched: It stays active until a person has acted; otherwise it is over when its cause is gone.
        count: How often it has happened since it came on the list, from 1.
        raised_at: When it came on the list, UTC.
        last_at: When it happened last.
        cleared_at: When it was over, or None while it is active.
        acknowledged_at: When a person acknowledged it, or None.
        acknowledged_by: Who did, and behind a colon what they noted; empty while nobody has.
    """

    fault: Fault
    detail: str
    latched: bool
    count: int
    raised_at: datetime
    last_at: datetime
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""

    @property
    def active(self) -> bool:
        """Whether it is not over."""
        return self.cleared_at is None

    @property
    def acknowledged(self) -> bool:
        """Whether a person has seen it."""
        return self.acknowledged_at is not None

    @property
    def listed(self) -> bool:
        """Whether it is still on the list."""
        return self.active or not self.acknowledged


def alarm_row(alarm: Alarm) -> dict[str, Any]:
    """An alarm as JSON has it."""
    return {
        "code": alarm.fault.code,
        "number": alarm.fault.number,
        "text": alarm.fault.text,
        "reaction": alarm.fault.reaction.value,
        "detail": alarm.detail,
        "count": alarm.count,
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "latched": alarm.latched,
        "raised_at": stamp(alarm.raised_at),
        "last_at": stamp(alarm.last_at),
        "cleared_at": alarm.cleared_at and stamp(alarm.cleared_at),
        "acknowledged_at": alarm.acknowledged_at and stamp(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by,
    }


@dataclass(frozen=True, slots=True)
class AlarmSummary:
    """What the PLC shows of the list.

    Attributes:
        active: Alarms that are not over.
        unacknowledged: Alarms, active or over, that nobody has acknowledged.
        newest: The fault of the unacknowledged alarm that was raised last, or None.
    """

    active: int
    unacknowledged: int
    newest: Fault | None


NO_ALARMS = AlarmSummary(0, 0, None)


class AlarmList:
    """The alarms that stand on the list, the one raised last at the end.

    Every change returns the alarms that it has changed, as they now are.

    Args:
        alarms: What stands on it already, the one raised last at the end.
    """

    def __init__(self, alarms: Iterable[Alarm] = ()) -> None:
        self._alarms = {alarm.fault.code: alarm for alarm in alarms if alarm.listed}

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All of them, the one raised last at the end."""
        return tuple(self._alarms.values())

    @property
    def summary(self) -> AlarmSummary:
        """The list in numbers."""
        unseen = [alarm for alarm in self._alarms.values() if not alarm.acknowledged]
        active = sum(alarm.active for alarm in self._alarms.values())
        return AlarmSummary(active, len(unseen), unseen[-1].fault if unseen else None)

    def raise_(self, fault: Fault, reaction: Reaction, detail: str, at: datetime) -> Alarm:
        """A fault has happened and the station has reacted so; whether it latches is the reaction's."""
        latched = REACTIONS[reaction].latched
        known = self._alarms.pop(fault.code, None)
        first = known.raised_at if known else at
        alarm = Alarm(fault, detail, latched, known.count + 1 if known else 1, first, at)
        self._alarms[fault.code] = alarm
        return alarm

    def clear(self, at: datetime) -> list[Alarm]:
        """The cell runs again: every alarm is over that was of the cell."""
        return self._clear(self._of_the_cell(), at)

    def clear_unlatched(self, at: datetime, but: Fault | None = None) -> list[Alarm]:
        """What the line was the reason of is gone: alarms that do not latch are over, but for the one that holds."""
        over = [alarm for alarm in self._of_the_cell() if not alarm.latched and alarm.fault is not but]
        return self._clear(over, at)

    def over(self, fault: Fault, at: datetime) -> list[Alarm]:
        """What was warned of is gone; harmless where it was not there."""
        return self._clear([alarm for alarm in self._alarms.values() if alarm.fault is fault], at)

    def acknowledge(self, code: str, at: datetime, by: str) -> Alarm:
        """A person has seen this alarm.

        Raises:
            StationError: `station.no_such_alarm`: it is not on the list; nothing changed. To acknowledge an
                acknowledged alarm is harmless and changes nothing.
        """
        alarm = self._alarms.get(code)
        if alarm is None:
            raise StationError("station.no_such_alarm", code)
        return alarm if alarm.acknowledged else self._put(replace(alarm, acknowledged_at=at, acknowledged_by=by))

    def acknowledge_all(self, at: datetime, by: str) -> list[Alarm]:
        """A person has seen all of them."""
        unseen = [alarm for alarm in self._alarms.values() if not alarm.acknowledged]
        return [self.acknowledge(alarm.fault.code, at, by) for alarm in unseen]

    def _of_the_cell(self) -> list[Alarm]:
        return [alarm for alarm in self._alarms.values() if alarm.fault.reaction is not Reaction.WARN]

    def _clear(self, alarms: list[Alarm], at: datetime) -> list[Alarm]:
        return [self._put(replace(alarm, cleared_at=at)) for alarm in alarms if alarm.active]

    def _put(self, alarm: Alarm) -> Alarm:
        if alarm.listed:
            self._alarms[alarm.fault.code] = alarm
        else:
            del self._alarms[alarm.fault.code]
        return alarm
