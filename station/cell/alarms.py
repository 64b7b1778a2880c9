"""The cell's alarms at work: raised where the cell reacts, cleared when it runs again, kept on the disk, and told.

The list itself is `station.core.alarms`. A fault that holds, stops or aborts the cell is an alarm at once; a suspension
by the line becomes one only when it lasts, because the cell goes on from it by itself; it is over when its trouble is.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from station.cell.packml import SUSPENSION, Change, State
from station.core.alarms import Alarm, AlarmList, AlarmSummary
from station.core.broadcast import Broadcast
from station.core.clock import Clock
from station.core.errors import FAULTS, Fault, Reaction, StationError
from station.core.events import AlarmsChanged
from station.core.ports.records import PartLedger
from station.core.pulse import Pulse
from station.core.reason import Reason
from station.core.settings import AlarmSettings

log = structlog.get_logger()

SAVE_AGAIN_S = 5.0
"""Pause after an alarm could not be written, before the next attempt; until then it stands in memory only."""

_RUNS = frozenset({State.IDLE, State.EXECUTE})


class Alarms:
    """The alarms of one cell; used from its event loop.

    Args:
        listed: What a stop has left on the list.
        ledger: Where the list survives a restart.
        clock: The date.
        settings: What becomes an alarm.
        broadcast: Told of every change.
    """

    def __init__(
        self, listed: Iterable[Alarm], ledger: PartLedger, clock: Clock, settings: AlarmSettings, broadcast: Broadcast
    ) -> None:
        self._list = AlarmList(listed)
        self._ledger = ledger
        self._clock = clock
        self._settings = settings
        self._broadcast = broadcast
        self._unsaved: dict[str, list[Alarm]] = {}
        self._pulse = Pulse()
        self._subscribers: list[Callable[[], None]] = []
        self._why: Reason | None = None
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------ what is seen

    @property
    def listed(self) -> tuple[Alarm, ...]:
        """The alarms on the list, the one raised last at the end."""
        return self._list.alarms

    @property
    def summary(self) -> AlarmSummary:
        """The list in numbers."""
        return self._list.summary

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change of the list after this call, however late it is awaited."""
        return self._pulse.changed()

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Have somebody called with every change of the list, at once, from the event loop."""
        self._subscribers.append(on_change)

    # ------------------------------------------------------------------ what happens

    def raise_(self, fault: Fault, reaction: Reaction, detail: str) -> None:
        """The cell reacts to a fault so that a person has to act."""
        alarm = self._list.raise_(fault, reaction, detail, self._clock.now())
        log.warning("alarm_raised", fault=fault.code, text=fault.text, detail=detail, count=alarm.count)
        self._changed([alarm])

    def warn(self, fault: Fault, detail: str) -> None:
        """Something needs a person, and the cell goes on meanwhile; once, however often it is seen."""
        if not self._stands(fault):
            self.raise_(fault, fault.reaction, detail)

    def warned(self, fault: Fault) -> None:
        """What was warned of is over; harmless where it was not there."""
        self._cleared(self._list.over(fault, self._clock.now()))

    def on_change(self, change: Change) -> None:
        """To be called with every change of the unit's state, and of the reason why it does not run."""
        only_the_reason = change.before is change.after
        if change.reason is not None and (only_the_reason or change.after in SUSPENSION):
            self.suspended_by(change.reason)
        elif only_the_reason:
            self._line_is_well()
        elif change.after not in SUSPENSION:
            self._end_suspension()
            now = self._clock.now()
            self._cleared(self._list.clear(now) if change.after in _RUNS else self._list.clear_unlatched(now))

    def suspended_by(self, reason: Reason) -> None:
        """What the cell waits for now.

        The time counts from the first reason that is no quiet one, so that a line whose trouble changes its name every
        few seconds is an alarm too, by the name that it has then. When another trouble follows, the alarm is over, and
        the other's time begins; so however often the names change, there is one alarm in that time.
        """
        if reason.fault.reaction is Reaction.REFUSE or reason.fault.code in self._settings.quiet:
            self._line_is_well()
            return
        self._why = reason
        self._cleared(self._list.clear_unlatched(self._clock.now(), but=reason.fault))
        if self._timer is None and not self._stands(reason.fault):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._settings.suspended_after_s, self._suspended_for_long)

    def acknowledge(self, code: str, by: str) -> None:
        """A person has seen this alarm.

        Raises:
            StationError: `station.no_such_alarm`.
        """
        before = self._list.alarms
        alarm = self._list.acknowledge(code, self._clock.now(), by)
        if alarm not in before:
            self._acknowledged([alarm])

    def acknowledge_number(self, number: int, by: str) -> None:
        """A person has seen the alarm of the fault with this number.

        Raises:
            StationError: `station.no_such_alarm`.
        """
        code = next((fault.code for fault in FAULTS.values() if fault.number == number), f"number {number}")
        self.acknowledge(code, by)

    def acknowledge_all(self, by: str) -> None:
        """A person has seen all of them."""
        self._acknowledged(self._list.acknowledge_all(self._clock.now(), by))

    # ------------------------------------------------------------------ the book

    async def save(self) -> None:
        """Write every change down; runs until cancelled. What the disk does not take is tried again."""
        while True:
            while not self._unsaved:
                await self.changed()
            if not await self._saved():
                await asyncio.sleep(SAVE_AGAIN_S)

    async def flush(self) -> None:
        """Write down what is not written yet, if the disk takes it."""
        await self._saved()

    async def _saved(self) -> bool:
        while self._unsaved:
            code, alarms = next(iter(self._unsaved.items()))
            try:
                await self._ledger.keep_alarm(alarms[0])
            except StationError as error:
                log.error("alarm_not_kept", alarm=code, fault=error.code, detail=error.detail)
                return False
            alarms.pop(0)
            if not alarms:
                del self._unsaved[code]
        return True

    # ------------------------------------------------------------------

    def _suspended_for_long(self) -> None:
        self._timer = None
        if self._why is not None and not self._stands(self._why.fault):
            lasted = f"suspended for more than {self._settings.suspended_after_s:g} s"
            self.raise_(self._why.fault, Reaction.SUSPEND, "; ".join(filter(None, (self._why.detail, lasted))))

    def _stands(self, fault: Fault) -> bool:
        return any(alarm.fault is fault and alarm.active for alarm in self._list.alarms)

    def _line_is_well(self) -> None:
        self._end_suspension()
        self._cleared(self._list.clear_unlatched(self._clock.now()))

    def _end_suspension(self) -> None:
        self._why = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cleared(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            log.info("alarm_cleared", fault=alarm.fault.code)
        self._changed(alarms)

    def _acknowledged(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            log.info("alarm_acknowledged", fault=alarm.fault.code, by=alarm.acknowledged_by)
        self._changed(alarms)

    def _changed(self, alarms: list[Alarm]) -> None:
        if not alarms:
            return
        for alarm in alarms:
            self._note(alarm)
        self._pulse.beat()
        for on_change in self._subscribers:
            on_change()
        self._broadcast.tell(AlarmsChanged(self._list.alarms))

    def _note(self, alarm: Alarm) -> None:
        """Have it written; of an alarm that still stands on the list only the last form is worth it."""
        waiting = self._unsaved.setdefault(alarm.fault.code, [])
        if len(waiting) > 1 and waiting[-1].listed:
            waiting[-1] = alarm
        else:
            waiting.append(alarm)
