"""Results on their way to the line, and what the part in work waits for while the line does not take them.

While the line is down a delivery waits, and the cell with it: it is Suspended when nothing moves any more, by what is
true at the time, and goes on when the wait is over. When the cell is being stopped or held, the wait is given up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from station.cell.packml import Command, State, Unit
from station.cell.telling import Tellings
from station.core.errors import FAULTS, PlcError, Reaction
from station.core.judgement import Defect, Published
from station.core.part import Inspection
from station.core.ports.line import PartFeed, ResultSink
from station.core.pulse import first_of
from station.core.reason import Reason
from station.core.timeline import Delivery
from station.core.verdicts import Place

log = structlog.get_logger()

T = TypeVar("T")

AGAIN_S = 0.05
"""How long is waited where a delivery failed and the line is not known to be away: as a link that is being opened anew
fails at once, so that nothing else would ever run."""
_GIVING_UP = frozenset(
    {State.STOPPING, State.ABORTING, State.HOLDING, State.STOPPED, State.ABORTED, State.HELD},
)


class LineResults:
    """What the line must have of a part, delivered as often as it takes.

    Args:
        sink: Where results go.
        feed: What the line says: whether it can be talked with, and which places are full.
        unit: Suspended while a part waits for the line.
        still: Set while the jig does not turn.
        tellings: The places that the line has not acknowledged yet.
    """

    def __init__(self, sink: ResultSink, feed: PartFeed, unit: Unit, still: asyncio.Event, tellings: Tellings) -> None:
        self._sink = sink
        self._tellings = tellings
        self._feed = feed
        self._unit = unit
        self._still = still

    async def publish(self, result: Published) -> Delivery:
        """Have the line take a result, after it has acknowledged all places that were told before.

        A place that is given up here, because the cell is being stopped or the line is gone, is told all the same when
        the line is there.

        Raises:
            PlcError: The cell is being stopped, held or aborted before the line is back.
            RecordError: That the line has acknowledged a place cannot be written down.
        """
        try:
            return await self.deliver(lambda: self._send(result))
        finally:
            if result.confirmed is not None:
                self._tellings.add(result)

    def look_again(self) -> None:
        """A place may be recorded although whoever recorded it was not told so: then the line is told of it."""
        self._tellings.look_again()

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """Show the defects of a part whose result was published, the severest first; nothing waits for that."""
        await self._sink.list_defects(inspection, defects)

    async def deliver(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send something that the line must have, as often as it takes, and return what the sending gave.

        Raises:
            PlcError: The cell is being stopped, held or aborted before the line is back.
        """
        waited = False
        while True:
            try:
                sent = await send()
            except PlcError as error:
                await self._wait_out(error)
                waited = True
                continue
            if waited:
                await self._go_on()
            return sent

    async def ride_out(self, error: PlcError) -> None:
        """Wait until the line can be talked with again, and let the unit go on: for what moves something then.

        Raises:
            PlcError: The cell is being stopped, held or aborted before the line is back.
        """
        await self._wait_out(error)
        await self._go_on()

    async def room_for(self, place: Place) -> None:
        """Return when this place can take a part; while it is full, the cell is suspended.

        A line that is not believed does not say that there is room. In a state that cannot be suspended, as while it is
        reset, the cell stays in that state; if it lasts, it is an alarm all the same.

        Raises:
            PlcError: `plc.bin_full`: the cell is being stopped, held or aborted before there is room.
        """

        def hindrance() -> Reason | None:
            full = place in self._feed.view.full
            return self._silence() or (Reason(FAULTS["plc.bin_full"], place.name) if full else None)

        if (reason := hindrance()) is not None:
            log.warning("no_room_for_part", bin=place.name, fault=reason.fault.code)
            await self._until_nothing_hinders(hindrance)
            await self._go_on()

    async def _send(self, result: Published) -> Delivery:
        await self._tellings.settle()
        return await self._sink.publish(result)

    async def _wait_out(self, error: PlcError) -> None:
        log.warning("delivery_failed", fault=error.code, detail=error.detail)
        self._rest(Reason.of(error))
        if self._silence() is None:
            await asyncio.sleep(AGAIN_S)
        await self._until_nothing_hinders(self._silence)

    def _silence(self) -> Reason | None:
        """Why the line cannot be talked with, or None; a wrong announcement does not hinder that.

        What was told in detail of the same fault stays.
        """
        fault, known = self._feed.view.fault, self._unit.reason
        if fault is None or fault is FAULTS["part.bad_id"]:
            return None
        return known if known is not None and known.fault is fault else Reason(fault)

    async def _until_nothing_hinders(self, hindrance: Callable[[], Reason | None]) -> None:
        while (reason := hindrance()) is not None:
            self._rest(reason)
            waits = [self._feed.changed(), self._unit.changed()]
            if not self._still.is_set():
                waits.append(_set(self._still))
            await first_of(*waits)

    def _rest(self, reason: Reason) -> None:
        """The part in work waits for this: the unit is suspended, and Suspended as soon as nothing moves.

        Raises:
            PlcError: The cell is being stopped, held or aborted, or what it waits for cannot come.
        """
        if self._unit.state in _GIVING_UP or reason.fault.reaction is Reaction.ABORT:
            raise PlcError(reason.fault.code, reason.detail)
        if self._unit.accepts(Command.SUSPEND):
            self._unit.command(Command.SUSPEND, reason)
        elif not self._unit.suspended_by_operator:
            self._unit.explain(reason)
        if self._still.is_set():
            self._unit.complete(State.SUSPENDING)

    async def _go_on(self) -> None:
        """Nothing hinders the part in work any more; an operator who has suspended the cell is waited for too."""
        while self._unit.suspended_by_operator and self._unit.state is State.SUSPENDED:
            await self._unit.changed()
        if self._unit.accepts(Command.UNSUSPEND):
            self._unit.command(Command.UNSUSPEND)
            self._unit.complete(State.UNSUSPENDING)
        elif self._unit.state not in _GIVING_UP and not self._unit.suspended_by_operator:
            self._unit.explain(None)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
