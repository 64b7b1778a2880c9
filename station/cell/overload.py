"""Whether the network kept up with the line: told of every part, noted at the first of several in a row."""

import structlog

from station.cell.counters import Counters
from station.core.broadcast import Broadcast
from station.core.events import NetworkOverloaded
from station.core.part import Inspection
from station.core.ports.records import PartLedger
from station.core.timeline import Load, ScanTimes, load_of

log = structlog.get_logger()


class OverloadWatch:
    """Looks at one turn after the other.

    Args:
        ledger: Where it is noted.
        counters: Where it is counted.
        broadcast: Tells of it.
    """

    def __init__(self, ledger: PartLedger, counters: Counters, broadcast: Broadcast) -> None:
        self._ledger = ledger
        self._counters = counters
        self._broadcast = broadcast
        self._kept_up = True

    async def check(self, inspection: Inspection, times: ScanTimes) -> None:
        """Tell that the network was slower than the line in this turn, if it was.

        Raises:
            RecordError: It cannot be noted.
        """
        load = load_of(times, inspection.part_type.block_s)
        kept_up = self._kept_up
        self._kept_up = not load.overloaded
        if not load.overloaded:
            return
        self._tell(inspection, load)
        if kept_up:
            await self._ledger.note("network_overloaded", f"{inspection.inspection_id} {load}")

    def _tell(self, inspection: Inspection, load: Load) -> None:
        self._counters.overloaded += 1
        log.warning(
            "network_overloaded",
            strip_ms=round(load.strip_ms, 1),
            block_ms=round(load.block_ms, 1),
            waiting=load.waiting,
            parts=self._counters.overloaded,
        )
        self._broadcast.tell(NetworkOverloaded(inspection, load))
