"""What the line PLC is shown of the cell: every change of the desk's view, and the last one."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from station.cell.desk import Desk, DeskView
from station.core.errors import PlcError
from station.core.log_events import EventName
from station.core.ports.line import CellReport, ResultSink

log = structlog.get_logger()


class Reporting:
    """Publishes the desk's view; a line that does not take it costs a line in the log, and has the next one.

    Args:
        sink: Where it goes.
    """

    def __init__(self, sink: ResultSink) -> None:
        self._sink = sink

    async def serve(self, desk: Desk) -> None:
        """Publish the view now, and whenever it is another, until cancelled."""
        while True:
            shown = desk.view
            await _to_its_end(self._publish(shown, "report_failed"))
            while desk.view == shown:
                await desk.changed()

    async def report_final_state(self, desk: Desk) -> None:
        """Publish the view a last time before the station goes, if the line still takes it."""
        await self._publish(desk.view, "last_report_failed")

    async def _publish(self, view: DeskView, failed: EventName) -> None:
        try:
            await self._sink.report(report_of(view))
        except PlcError as error:
            log.warning(failed, fault=error.code, detail=error.detail)


async def _to_its_end(publishing: Coroutine[Any, Any, None]) -> None:
    """Return when it is published, also when cancelled: half a request would cost the connection its life."""
    task = asyncio.ensure_future(publishing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def report_of(view: DeskView) -> CellReport:
    """The view as the line PLC is shown it."""
    fault = view.reason.fault if view.reason else None
    return CellReport(view.state.value, view.mode.value, fault, view.processed, view.defective, view.summary)
