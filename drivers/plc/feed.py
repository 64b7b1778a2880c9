"""Where parts come from: what the line PLC announces and permits, as one view, and what the station says to it."""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import structlog

from drivers.plc.heart import StationHeart
from drivers.plc.inbox import PlcInbox
from drivers.plc.peer import Peer
from drivers.plc.writer import BlockWriter
from station.core.errors import FAULTS, BugError, Fault, PlcError
from station.core.part import Inspection
from station.core.ports.line import LineView
from station.core.pulse import Pulse
from station.core.verdicts import Place

log = structlog.get_logger(__name__)


class ModbusFeed:
    """The port `PartFeed`.

    Args:
        inbox: What was heard.
        peer: The other side.
        heart: The station's, without which it has no say.
        writer: Of what the PLC is told.
        places: What the bits of `bins_full` mean.
    """

    def __init__(
        self, inbox: PlcInbox, peer: Peer, heart: StationHeart, writer: BlockWriter, places: tuple[Place, ...]
    ) -> None:
        self._inbox = inbox
        self._peer = peer
        self._heart = heart
        self._writer = writer
        self._places = places
        self._view: LineView | None = None
        self._holds_until_s = -math.inf
        self._pulse = Pulse()

    @property
    def view(self) -> LineView:
        """What the line says now, as heard last."""
        if self._view is None:  # nothing was heard yet, and nothing is news
            return self._current()
        return self._view if asyncio.get_running_loop().time() < self._holds_until_s else self.notice()

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change of the view after this call, however late it is awaited."""
        return self._pulse.changed()

    async def read_now(self) -> LineView:
        """The view of what the line says after this call; until then it is what was heard last.

        A PLC that writes into the station's server has said nothing newer than what lies there, as long as it is there:
        its next beat shows that.
        """
        what = "when the announcement was looked at again"
        try:
            await self._peer.read_now()
        except (PlcError, BugError) as error:
            raise PlcError(error.code, f"{what}: {error.detail}") from error
        view = self.view
        if view.fault is not None and view.fault is not FAULTS["part.bad_id"]:
            raise PlcError(view.fault.code, what)
        return view

    async def accept(self, inspection: Inspection) -> None:
        """Tell the PLC that the announced part is now the station's; when that fails, the part is offered again."""
        await self._writer.write_or_undo("accepted_part", inspection.part.sequence)
        self._inbox.acceptance.take_on(inspection.part)
        self.notice()

    async def give_back(self, inspection: Inspection) -> None:
        """Show again what was accepted before this part; when that fails, the next connection shows it."""
        acceptance = self._inbox.acceptance
        if acceptance.accepted.sequence == inspection.part.sequence:
            acceptance.give_back()
            await self._writer.tell({"accepted_part": acceptance.accepted.sequence})
            self.notice()

    def notice(self) -> LineView:
        """The view of what is known now; whoever waits for a change is woken, if there is one."""
        before, self._view = self._view, self._current()
        self._holds_until_s = self._inbox.trust.holds_until_s
        if before != self._view:
            if before is None or before.fault != self._view.fault:
                log.info("line_health_changed", fault=self._view.fault and self._view.fault.code)
            self._pulse.beat()
        return self._view

    def _current(self) -> LineView:
        if (fault := self._silence()) is not None:
            return LineView(fault)
        block, acceptance = self._inbox.block, self._inbox.acceptance
        shown, bits = acceptance.shown, block.number("bins_full")
        announced = shown if shown.sequence and shown.part_id else None
        return LineView(
            fault=FAULTS["part.bad_id"] if acceptance.is_new and announced is None else self._peer.fault,
            permission=block.value("permission") is True,
            announced=announced,
            waiting=announced if acceptance.is_new else None,
            full=frozenset(place for place in self._places if bits >> (place.code - 1) & 1),
        )

    def _silence(self) -> Fault | None:
        """Why nothing of what the PLC says counts, or None."""
        if self._heart.started and (self._heart.stands_still or not self._peer.running):
            return FAULTS["station.bug"]
        return self._inbox.trust.fault
