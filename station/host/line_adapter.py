"""The line PLC's driver behind the ports of its conversations."""

from collections.abc import Coroutine, Sequence
from typing import Any

from station.core.errors import Fault
from station.core.judgement import Defect, Published
from station.core.part import Inspection
from station.core.ports.line import (
    Acknowledgement,
    AcknowledgeWish,
    CellReport,
    CommandWish,
    LineCommand,
    LinePlc,
    LineRequest,
    LineView,
)
from station.core.timeline import Delivery


class AdaptedFeed:
    """`PartFeed` of a `LinePlc`."""

    def __init__(self, plc: LinePlc) -> None:
        self.plc = plc

    @property
    def view(self) -> LineView:
        """What it says."""
        plc = self.plc
        return LineView(plc.health(), plc.permission(), plc.announced(), plc.waiting_part(), plc.full_bins())

    def changed(self) -> Coroutine[Any, Any, None]:
        """At the next change."""
        return self.plc.changed()

    async def read_now(self) -> LineView:
        """What it says now."""
        await self.plc.look()
        return self.view

    async def accept(self, inspection: Inspection) -> None:
        """Accept."""
        await self.plc.accept(inspection)

    async def give_back(self, inspection: Inspection) -> None:
        """Give back."""
        await self.plc.give_back(inspection)


class AdaptedRequests:
    """`LineRequests` of a `LinePlc`."""

    def __init__(self, plc: LinePlc) -> None:
        self.plc = plc

    def pending(self) -> LineRequest | None:
        """The oldest."""
        if (command := self.plc.next_command()) is not None:
            return LineRequest(command.sequence, CommandWish(command.command), command.peer)
        if (seen := self.plc.next_acknowledgement()) is not None:
            return LineRequest(seen.sequence, AcknowledgeWish(seen.fault_number), seen.peer)
        return None

    def changed(self) -> Coroutine[Any, Any, None]:
        """At the next change."""
        return self.plc.changed()

    async def answer(self, request: LineRequest, refused: Fault | None) -> None:
        """Answer."""
        wish = request.wish
        if isinstance(wish, CommandWish):
            await self.plc.answer(LineCommand(request.sequence, wish.number, request.peer), refused)
        else:
            seen = Acknowledgement(request.sequence, wish.fault_number, request.peer)
            await self.plc.answer_acknowledgement(seen, refused)


class AdaptedResults:
    """`ResultSink` of a `LinePlc`."""

    def __init__(self, plc: LinePlc) -> None:
        self.plc = plc

    async def report(self, report: CellReport) -> None:
        """Report."""
        await self.plc.report(report)

    async def publish(self, result: Published) -> Delivery:
        """Publish."""
        return await self.plc.publish(result)

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """List."""
        await self.plc.list_defects(inspection, defects)


class AdaptedLine:
    """`LineLink` of a `LinePlc`."""

    def __init__(self, plc: LinePlc) -> None:
        self.plc = plc
        self.feed = AdaptedFeed(plc)
        self.requests = AdaptedRequests(plc)
        self.results = AdaptedResults(plc)

    async def connect(self) -> None:
        """Connect."""
        await self.plc.connect()

    async def close(self) -> None:
        """Close."""
        await self.plc.close()
