"""The line PLC as Modbus server: the station polls the PLC's registers and writes its own block into them."""

import asyncio
from collections.abc import Sequence

import structlog

from drivers.modbus.family import PLC
from drivers.modbus.link import ModbusLink
from drivers.modbus.poller import Pace, Poller
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import RegisterMap, Run
from drivers.plc.block_copy import BlockCopy
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import PlcInbox
from drivers.plc.outbox import PlcOutbox
from station.core.errors import FAULTS, DeviceError, Fault
from station.core.settings import PlcSettings, TcpLink

log = structlog.get_logger(__name__)


class PlcClient:
    """The station's way to the PLC's registers.

    Args:
        settings: The PLC's address, and how often the block is compared.
        registers: The PLC's map.
        inbox: Takes what the PLC says.
        outbox: Has what the station says.
        defects: Has the list of the last part's defects.
    """

    def __init__(
        self,
        settings: PlcSettings,
        registers: RegisterMap,
        inbox: PlcInbox,
        outbox: PlcOutbox,
        defects: DefectList,
    ) -> None:
        self._settings = settings.link
        self._outbox = outbox
        self._lists = settings.defect_list
        listed = defects if settings.defect_list else None
        self._copy = BlockCopy(registers, inbox, outbox, listed, settings.heartbeat_s)
        self._link = ModbusLink(settings.link, PLC, self._copy.greet, registers.profile.write_most)
        self._polled = _PolledPlc(self._link, settings.link, registers, inbox, self._copy)
        self._poller = Poller(PLC, self._polled, Pace(settings.link.poll_s))

    @property
    def port(self) -> int:
        """TCP port of the PLC."""
        return self._settings.port

    @property
    def running(self) -> bool:
        """Whether the PLC is being polled."""
        return self._poller.running

    @property
    def fault(self) -> Fault | None:
        """`plc.overwritten` while the PLC does not keep what is written, or None."""
        return self._copy.fault

    async def open(self) -> None:
        """Connect, check the map, publish the block and start to poll.

        Raises:
            PlcError: `unreachable` or `wrong_map`; nothing is left running.
        """
        try:
            await self._link.connect()
            await self._polled.read()
        except BaseException:
            await self._link.close()
            raise
        self._poller.start()

    async def write(self, runs: Sequence[Run]) -> None:
        """Write into the PLC's registers, one request after the other; one that is busy is asked again for a while.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """
        with self._copy.changing(runs):
            for run in runs:
                await self._write_when_it_can(run)

    async def write_list(self, runs: Sequence[Run]) -> None:
        """Write the list of defects, where the PLC has registers for it.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """
        for run in runs if self._lists else ():
            await self._link.write(run)

    async def read_now(self) -> None:
        """Read what the PLC says now.

        Raises:
            PlcError: `unreachable` or `wrong_map`; whoever listens is told too, as of a regular poll.
        """
        await self._poller.read_now()

    async def close(self) -> None:
        """Stop polling and disconnect."""
        await self._poller.stop()
        await self._link.close()

    async def _write_when_it_can(self, run: Run) -> None:
        """Write, again and again while the PLC answers that it cannot just now, for as long as a request may take.

        Whatever was not written before is written as it stands now, so that nothing old comes after what is new.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._settings.request_timeout_s
        while True:
            try:
                return await self._link.write(run)
            except DeviceError as error:
                if not self._link.has_answered(error) or loop.time() >= until_s:
                    raise
            await asyncio.sleep(self._settings.poll_s)
            run = self._outbox.as_it_stands(run)


class _PolledPlc:
    """What is polled: what the PLC says, and now and then what it holds of the station's block."""

    def __init__(
        self, link: ModbusLink, settings: TcpLink, registers: RegisterMap, inbox: PlcInbox, copy: BlockCopy
    ) -> None:
        self._link = link
        self._address = f"{settings.host}:{settings.port}"
        self._theirs = Reading(registers, registers.select("read"))
        self._inbox = inbox
        self._copy = copy

    async def read(self) -> None:
        words = await self._theirs.read(self._link)
        if self._inbox.block.differs_in_news(words):
            # The PLC may have written between two words of that answer; the numbers stand last, so all is there now.
            words = await self._theirs.read(self._link)
        self._inbox.hear(words, self._address)
        if self._copy.must_be_written or (self._copy.is_due and await self._copy.is_lost(self._link)):
            await self._link.converse(self._copy.write)

    def on_outcome(self, outcome: DeviceError | None) -> None:
        if outcome is not None:
            self._inbox.lose(outcome.fault)

    async def afterwards(self) -> None:
        """Nothing: what the station shows goes with the reading."""

    async def at_leisure(self) -> None:
        """Nothing: the PLC is polled at the same pace whether somebody waits or not."""

    def on_end(self, cause: BaseException | None) -> None:
        log.error("plc_poller_ended", error=repr(cause))
        self._inbox.lose(FAULTS["plc.unreachable"])
