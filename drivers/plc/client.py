"""The line PLC as Modbus server: the station polls the PLC's registers and writes its own block into them.

What the PLC holds of that block is read back at the heartbeat's pace, and not while a result waits for its first
acknowledgement, so that nothing new stands between a decision and the PLC. It is a request of its own: the two halves
may lie in two areas of a PLC, which no request may reach across.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from drivers.modbus.link import Exchange, ModbusLink
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import RegisterMap, Run
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import PlcInbox
from drivers.plc.outbox import PlcOutbox
from drivers.plc.readback import Readback
from station.core.errors import Fault, PlcError
from station.core.settings import TcpLink

log = structlog.get_logger(__name__)


class PlcClient:
    """The station's way to the PLC's registers.

    On every new connection the PLC's constants are checked, and whether its memory is still the one that the station
    wrote into, and the whole block is written again; on the first one the numbers that the station used before its
    restart are read back. The block is written anew, too, when the PLC does not hold it any more.

    Args:
        settings: The PLC's address.
        registers: The PLC's map.
        inbox: Takes what the PLC says.
        outbox: Has what the station says.
        defects: Has the list of the last part's defects; None where the PLC has no registers for it.
        heard: Called whenever the inbox has been filled, or has lost the PLC.
        compare_s: Time between two comparisons of the block with what the PLC holds.
    """

    def __init__(
        self,
        settings: TcpLink,
        registers: RegisterMap,
        inbox: PlcInbox,
        outbox: PlcOutbox,
        defects: DefectList | None,
        heard: Callable[[Sequence[int] | PlcError], None],
        compare_s: float,
    ) -> None:
        self.port = settings.port
        self._settings = settings
        self._registers = registers
        self._inbox = inbox
        self._inbox.speaker = f"{settings.host}:{settings.port}"
        self._outbox = outbox
        self._defects = defects
        self._heard = heard
        self._link = ModbusLink(settings, "plc", PlcError, self._greet)
        self._theirs = Reading(registers, registers.select("holding", "read"))
        self._ours = Reading(registers, registers.select("holding", "write"))
        self._resumed = False
        self._compare_s = compare_s
        self._readback = Readback(compare_s)
        self._writing = 0
        self._result_written_s = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the PLC is being polled."""
        return self._task is not None and not self._task.done()

    @property
    def fault(self) -> Fault | None:
        """`plc.overwritten` while the PLC does not keep what is written, or None."""
        return self._readback.fault

    async def open(self) -> None:
        """Connect, check the map, publish the block and start to poll.

        Raises:
            PlcError: `unreachable` or `wrong_map`; nothing is left running.
        """
        try:
            await self._link.connect()
            await self._read()
        except BaseException:
            await self._link.close()
            raise
        self._task = asyncio.create_task(self._poll(), name="plc poller")
        self._task.add_done_callback(self._on_ended)

    async def write(self, runs: Sequence[Run]) -> None:
        """Write into the PLC's registers, one request after the other; one that is busy is asked again for a while.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """
        if any(run.address <= self._registers["result_sequence"].address < _end(run) for run in runs):
            self._result_written_s = time.monotonic()
        self._writing += 1
        try:
            for run in runs:
                await self._write_when_it_can(run)
        finally:
            self._writing -= 1

    async def write_list(self, runs: Sequence[Run]) -> None:
        """Write the list of defects, where the PLC has registers for it.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """
        if self._defects is not None:
            for run in runs:
                await self._link.write(run)

    async def _write_when_it_can(self, run: Run) -> None:
        """Write, again and again while the PLC answers that it cannot just now, for as long as a request may take.

        Whatever was not written before is written as it stands now, so that nothing old comes after what is new.
        """
        until_s = time.monotonic() + self._settings.request_timeout_s
        while True:
            try:
                return await self._link.write(run)
            except PlcError as error:
                if error.code != "plc.unreachable" or not self._link.connected or time.monotonic() >= until_s:
                    raise
            await asyncio.sleep(self._settings.poll_s)
            run = self._outbox.as_it_stands(run)

    async def look(self) -> None:
        """Read what the PLC says now; a failure is told to whoever hears, as that of a regular poll is."""
        await self._read_or_tell()

    async def close(self) -> None:
        """Stop polling and disconnect."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        await self._link.close()

    def _on_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("plc_poller_ended", error=repr(task.exception()))
            self._heard(PlcError("plc.unreachable", "the poller ended"))

    async def _poll(self) -> None:
        while True:
            await self._read_or_tell()
            await asyncio.sleep(self._settings.poll_s)

    async def _read_or_tell(self) -> None:
        with suppress(PlcError):
            return await self._read()
        try:
            await self._read()
        except PlcError as error:
            self._heard(error)

    async def _read(self) -> None:
        words = await self._theirs.read(self._link)
        if self._inbox.announces_news(words):
            # The PLC may have written between two words of that answer; the numbers stand last, so all is there now.
            words = await self._theirs.read(self._link)
        self._heard(words)
        if self._outbox.withdrawn:
            await self._link.converse(self._write_block)
        elif self._may_look_back():
            await self._compare()

    def _may_look_back(self) -> bool:
        now_s = time.monotonic()
        fresh = self._outbox.awaits_acknowledgement and now_s < self._result_written_s + self._compare_s
        return self._readback.due(now_s) and not fresh

    async def _compare(self) -> None:
        """Write the block anew where the PLC holds something else; what is just being written is compared next time."""
        held = await self._held(self._link)
        self._notice_new_memory(held)
        if not self._writing and self._readback.looked(self._outbox.differing(held), time.monotonic()):
            await self._link.converse(self._write_block)

    async def _write_block(self, exchange: Exchange) -> None:
        await self._write_over(await self._held(exchange), exchange)

    async def _write_over(self, held: Sequence[int], exchange: Exchange) -> None:
        if self._readback.kept:
            self._outbox.settle(held)
        for run in self._outbox.runs():
            await exchange.write(run)
        self._readback.written(time.monotonic())

    async def _greet(self, exchange: Exchange) -> None:
        await self._check_constants(exchange)
        held = await self._held(exchange)
        self._notice_new_memory(held)
        if not self._resumed:
            self._resume(held)
            await self._resume_list(exchange)
        await self._write_over(held, exchange)
        for run in self._defects.runs() if self._defects else ():
            await exchange.write(run)
        if not self._readback.kept:
            self._readback.learn(self._outbox.differing(await self._held(exchange)))

    def _notice_new_memory(self, held: Sequence[int]) -> None:
        if not self._outbox.has_written(held):
            self._inbox.begin_anew()

    async def _resume_list(self, exchange: Exchange) -> None:
        """Count on from the list that the PLC holds from before the station's start."""
        if self._defects is not None:
            row = self._registers["defects_sequence"]
            (number,) = await exchange.read(row.kind, row.address, 1)
            self._defects.resume(number)

    def _resume(self, held: Sequence[int]) -> None:
        """Go on from what the PLC holds from before the station's start."""
        self._outbox.resume(held)
        answered = ("accepted_part", "answered_command", "alarm_ack_answered")
        self._inbox.resume(*map(self._outbox.number, answered))
        self._resumed = True

    async def _held(self, exchange: Exchange) -> list[int]:
        """The station's block as the PLC has it."""
        return await self._ours.read(exchange)

    async def _check_constants(self, exchange: Exchange) -> None:
        rows = [row for row in self._registers.select("holding", "read") if row.constant is not None]
        first, count = self._registers.span([*(row.name for row in rows), "plc_heartbeat"])
        words = await exchange.read("holding", first, count)
        if self._resumed and not any(words):
            raise PlcError("plc.stale", f"holding {first} to {first + count - 1} are 0: its program has not begun")
        for row in rows:
            found = words[row.address - first : row.end - first]
            if found != row.encode(row.constant or 0):
                raise PlcError("plc.wrong_map", f"{row.name} at holding {row.address}: {found}, not {row.constant}")


def _end(run: Run) -> int:
    return run.address + len(run.words)
