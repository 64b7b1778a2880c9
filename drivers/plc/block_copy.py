"""The station's block in the registers of the line PLC: greeted, compared, written anew.

What the PLC holds of the block is read back at the heartbeat's pace, and not while a result waits for its first
acknowledgement, so that nothing new stands between a decision and the PLC. It is a request of its own: the two halves
may lie in two areas of a PLC, which no request may reach across.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from drivers.modbus.family import PLC
from drivers.modbus.identity import check_constants
from drivers.modbus.link import Exchange
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import RegisterMap, Run
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import PlcInbox
from drivers.plc.outbox import PlcOutbox
from drivers.plc.readback import Readback
from station.core.errors import Fault


class BlockCopy:
    """What the PLC holds of the station's block, and of the list of defects.

    On every new connection the PLC's constants are checked, and whether its memory is still the one that the station
    wrote into, and the whole block is written again; on the first one the numbers that the station used before its
    restart are read back. The block is written anew, too, when the PLC does not hold it any more.

    Args:
        registers: The PLC's map.
        inbox: Is told when the PLC begins anew, or the station did.
        outbox: The block.
        defects: The list; None where the PLC has no registers for it.
        every_s: Time between two comparisons of the block with what the PLC holds.
    """

    def __init__(
        self, registers: RegisterMap, inbox: PlcInbox, outbox: PlcOutbox, defects: DefectList | None, every_s: float
    ) -> None:
        self._registers = registers
        self._inbox = inbox
        self._outbox = outbox
        self._defects = defects
        self._ours = Reading(registers, registers.select("write"))
        self._readback = Readback(every_s)
        self._resumed = False
        self._writing = 0
        self._result_written_s = -math.inf

    @property
    def fault(self) -> Fault | None:
        """`plc.overwritten` while the PLC does not keep what is written, or None."""
        return self._readback.fault

    @property
    def must_be_written(self) -> bool:
        """Whether a result was withdrawn that still stands there."""
        return self._outbox.withdrawn

    @property
    def is_due(self) -> bool:
        """Whether it is time to compare."""
        now_s = _now_s()
        fresh = self._outbox.awaits_acknowledgement and now_s < self._result_written_s + self._readback.every_s
        return self._readback.due(now_s) and not fresh

    @contextmanager
    def changing(self, runs: Sequence[Run]) -> Iterator[None]:
        """While these words are being written."""
        number = self._registers["result_sequence"].address
        if any(run.address <= number < run.address + len(run.words) for run in runs):
            self._result_written_s = _now_s()
        self._writing += 1
        try:
            yield
        finally:
            self._writing -= 1

    async def greet(self, exchange: Exchange) -> None:
        """Check a PLC that is met anew, and write all that it has to hold.

        Raises:
            PlcError: `wrong_map`; `stale`, when its constants are 0 and were right before; as for `Exchange`.
        """
        rows = [row for row in self._registers.select("read") if row.constant is not None]
        not_begun = "stale" if self._resumed else ""
        await check_constants(exchange, self._registers, rows, PLC, not_begun, beside=["plc_heartbeat"])
        held = await self._held(exchange)
        if not self._resumed:
            await self._resume(held, exchange)
        await self._write_over(held, exchange)
        for run in self._defects.runs() if self._defects else ():
            await exchange.write(run)
        if not self._readback.kept:
            self._readback.learn(self._outbox.differing(await self._ours.read(exchange)))

    async def is_lost(self, exchange: Exchange) -> bool:
        """Compare: whether the block is to be written anew; what is just being written is compared next time.

        Raises:
            PlcError: As for `Exchange.read`.
        """
        held = await self._held(exchange)
        return not self._writing and self._readback.compared(self._outbox.differing(held), _now_s())

    async def write(self, exchange: Exchange) -> None:
        """Write the whole block, made fit for what the PLC holds.

        Raises:
            PlcError: As for `Exchange`.
        """
        await self._write_over(await self._ours.read(exchange), exchange)

    async def _write_over(self, held: Sequence[int], exchange: Exchange) -> None:
        if self._readback.kept:
            self._outbox.settle(held)
        for run in self._outbox.runs():
            await exchange.write(run)
        self._readback.written(_now_s())

    async def _held(self, exchange: Exchange) -> list[int]:
        """What the PLC holds of the block; it begins anew where no station wrote that."""
        held = await self._ours.read(exchange)
        if not self._outbox.has_written(held):
            self._inbox.acceptance.begin_anew()
        return held

    async def _resume(self, held: Sequence[int], exchange: Exchange) -> None:
        """Go on from what the PLC holds from before the station's start."""
        self._outbox.resume(held)
        self._inbox.resume(self._outbox.number)
        self._resumed = True
        if self._defects is not None:
            row = self._registers["defects_sequence"]
            (number,) = await exchange.read(row.kind, row.address, 1)
            self._defects.resume(number)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
