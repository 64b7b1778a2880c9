"""Where parts lie, told to the line until it has acknowledged that: whatever ends in between, the station as well.

    record closed ─▶ told ─▶ acknowledged ─▶ written down ─▶ only now the next result
         └───── killed, or given up ─────▶ told again, as soon as the line is there

That a part is to be told of is written with its place, in one change, and crossed out when the line has it. So a place
is told by the next life of the station where this one ends before; at most once more than it was read, and never after
a result that came later.
"""

import asyncio

import structlog

from station.core.errors import FAULTS, PlcError, RecordError
from station.core.judgement import Published
from station.core.ports.line import PartFeed, ResultSink
from station.core.ports.records import PartLedger

log = structlog.get_logger()

DISK_PAUSE_S, LINE_PAUSE_S = 5.0, 1.0
"""How long a disk that failed, and a line that does not take what it is told, is left alone before the next try."""


class Tellings:
    """The places that the line has not acknowledged yet.

    Args:
        sink: Where results go.
        feed: What the line says: whether it can be talked with.
        ledger: Where it stands what was told.
    """

    def __init__(self, sink: ResultSink, feed: PartFeed, ledger: PartLedger) -> None:
        self._sink = sink
        self._feed = feed
        self._ledger = ledger
        self._untold: list[Published] = []
        self._wanted = asyncio.Event()
        self._looking = asyncio.Lock()
        self._looked = False

    def add(self, result: Published) -> None:
        """The line is to acknowledge where this part lies, whoever told it, or failed to."""
        if all(one.inspection.number != result.inspection.number for one in self._untold):
            self._untold.append(result)
            self._wanted.set()

    def look_again(self) -> None:
        """What was to be written may have been, although whoever wrote it was not told so."""
        self._looked = False
        self._wanted.set()

    async def settle(self) -> None:
        """Return when the line has acknowledged all places and that is written down; what it was not told, it is told.

        Raises:
            PlcError: The line is gone, or does not acknowledge one in time.
            RecordError: It cannot be written down.
        """
        await self._look()
        while self._untold:
            result = self._untold[0]
            await self._sink.confirm(result)
            await self._ledger.told(result.inspection)
            if self._untold and self._untold[0] is result:  # whoever else waited may have been quicker
                del self._untold[0]

    async def serve(self) -> None:
        """Tell what an earlier life of the station has left untold, and write down what the line has, until cancelled.

        Nothing waits for this, so that what fails here is tried again; a result that waits for it fails itself.
        """
        while True:
            self._wanted.clear()
            try:
                await self.settle()
            except PlcError as error:
                log.info("place_not_told", fault=error.code, detail=error.detail)
                await self._until_heard()
            except RecordError as error:
                log.warning("telling_not_written", fault=error.code, detail=error.detail)
                await asyncio.sleep(DISK_PAUSE_S)
            else:
                await self._wanted.wait()

    async def _until_heard(self) -> None:
        """Return when the line can be talked with; a wrong announcement does not hinder that."""
        if self._feed.view.fault in (None, FAULTS["part.bad_id"]):
            await asyncio.sleep(LINE_PAUSE_S)
        while self._feed.view.fault not in (None, FAULTS["part.bad_id"]):
            await self._feed.changed()

    async def _look(self) -> None:
        """Take up what an earlier life has left, or whoever did not see the end of what he wrote."""
        async with self._looking:
            if not self._looked:
                self._looked = True
                try:
                    left = await self._ledger.untold()
                except BaseException:
                    self._looked = False
                    raise
                known = {result.inspection.number for result in self._untold}
                self._untold[:0] = [result for result in left if result.inspection.number not in known]
