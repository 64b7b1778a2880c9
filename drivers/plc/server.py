"""The line PLC as Modbus client: the station's own server, with the same registers at the same addresses.

A server that was restarted has forgotten which commands it has answered, and a PLC that copies its whole block offers
the last one again. So the first number that an address writes into a sequence register starts nothing: only a later one
is new. A number that a master left standing while another wrote is none either.
"""

import asyncio
import errno
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version

from drivers.modbus.callers import Caller
from drivers.modbus.register_map import RegisterMap, Run
from drivers.modbus.requests import ExceptionCode, answer, refusal
from drivers.modbus.server import Limits, ModbusServer
from drivers.modbus.tally import Tally
from drivers.plc.block import NUMBERS
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import PlcInbox
from drivers.plc.masters import Masters, News
from drivers.plc.outbox import PlcOutbox
from drivers.plc.served import Change, ServedRegisters
from station.core.errors import Fault, PlcError
from station.core.settings import PlcSettings

NO_UNIT, ANY_UNIT = 0, 255
"""What a client sends that needs no unit id. Source: MODBUS Messaging on TCP/IP V1.0b, section 4.4.2."""
_PRODUCT = "inspection-station"


class PlcServer:
    """The station's Modbus TCP server.

    Args:
        settings: Address to listen on, who may connect and command, and how much is served.
        registers: The PLC's map.
        inbox: Takes what the PLC says, and is told which numbers are no news.
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
        self.port = settings.link.port
        self._settings = settings
        self._registers = registers
        self._inbox = inbox
        self._served = ServedRegisters(registers, outbox, defects)
        self._identity = _identity(registers)
        self._tally = Tally()
        self._masters = Masters(settings.commanders, settings.readers, settings.stale_after_s, self._tally)
        self._server: ModbusServer | None = None

    @property
    def fault(self) -> Fault | None:
        """`plc.two_masters` while two addresses take the command from each other, or None."""
        return self._masters.fault

    @property
    def running(self) -> bool:
        """Whether the server listens."""
        return self._server is not None

    async def open(self) -> None:
        """Listen.

        Raises:
            PlcError: `port_in_use`, `port_not_permitted`, `cannot_listen`.
        """
        link, allowed = self._settings.link, self._settings
        limits = Limits(
            allowed.connections, allowed.connections_per_address, allowed.idle_timeout_s, allowed.requests_per_s
        )
        server = ModbusServer(self, limits, self._tally)
        try:
            self.port = await server.open(link.host, link.port)
        except OSError as error:
            raise PlcError(_listening_fault(error), f"{link.host}:{link.port}: {error}") from error
        self._server = server

    async def write(self, runs: Sequence[Run]) -> None:
        """Nothing: the server answers from the outbox."""

    async def write_list(self, runs: Sequence[Run]) -> None:
        """Nothing: the server answers from the list."""

    async def read_now(self) -> None:
        """Return at the PLC's next beat, or when it counts as stale without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stale_after_s):
                await self._inbox.trust.beaten()

    async def close(self) -> None:
        """Stop listening and close every connection."""
        server, self._server = self._server, None
        if server:
            await server.close()
            self._tally.close()

    # ------------------------------------------------------------------ what the server asks

    def admits(self, address: str) -> bool:
        """Whether this address may connect."""
        return self._masters.may_connect(address)

    def prefers(self, address: str) -> bool:
        """Whether this address may command."""
        return self._masters.may_command(address)

    def commands(self, caller: Caller) -> bool:
        """Whether this connection has the command."""
        return self._masters.commands(caller)

    def left(self, caller: Caller) -> None:
        """The connection is closed."""
        self._masters.left(caller)

    def answer(self, caller: Caller, unit: int, request: bytes) -> bytes:
        """The answer to a request."""
        if unit not in (NO_UNIT, ANY_UNIT, self._settings.link.unit):
            return refusal(request[0], ExceptionCode.NO_SUCH_UNIT)
        return answer(request, _Window(self, self._served, caller), self._identity)

    def take(self, caller: Caller, address: int, words: Sequence[int]) -> ExceptionCode | None:
        """Take or refuse words for the PLC's registers."""
        change = self._served.change(address, words)
        if isinstance(change, ExceptionCode):
            return change
        beat_at = self._registers["plc_heartbeat"].address - address
        beat = words[beat_at] if 0 <= beat_at < len(words) else None
        if not self._masters.may_write(caller, beat):
            self._tally.count("plc_writes_refused", caller.address, self._why_refused(caller))
            return ExceptionCode.ILLEGAL_FUNCTION
        if change.is_illegal:
            return ExceptionCode.ILLEGAL_VALUE
        self._masters.wrote(caller, beat)
        self._sort_out(caller, change)
        self._served.take(change)
        self._inbox.hear(change.after, str(caller))
        return None

    def _why_refused(self, caller: Caller) -> str:
        if self._masters.may_command(caller.address):
            return "another connection has the command: it wrote plc_heartbeat last"
        return "not in plc.commanders"

    def _sort_out(self, caller: Caller, change: Change) -> None:
        """Tell the inbox where a number is news, or none, because another master wrote before."""
        for row in change.touched:
            if row.name in NUMBERS:
                before, number = change.number(row)
                news = self._masters.news(caller, row.name, number, before)
                if news is not News.BY_THE_NUMBER:
                    self._inbox.adopt(row.name, number if news is News.OLD else 0)


class _Window:
    """The registers as one caller meets them."""

    def __init__(self, server: PlcServer, served: ServedRegisters, caller: Caller) -> None:
        self._server = server
        self._served = served
        self._caller = caller

    def read(self, address: int, count: int) -> list[int] | ExceptionCode:
        """The words that stand now."""
        return self._served.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> ExceptionCode | None:
        """Take or refuse words."""
        return self._server.take(self._caller, address, words)


def _identity(registers: RegisterMap) -> dict[int, str]:
    """What function 43/14 tells. Source: MODBUS Application Protocol V1.1b3, section 6.21: the objects' numbers."""
    return {
        0x00: "The authors of the inspection station",
        0x01: _PRODUCT,
        0x02: version(_PRODUCT),
        0x04: "Inspection station",
        0x05: f"register map {registers.name}, version {registers.version}",
    }


def _listening_fault(error: OSError) -> str:
    """The code that says why nothing can listen.

    The system answers EACCES to a user who may not have a port below 1024, and EADDRNOTAVAIL, or that it knows no such
    name, where the address is none of this computer.
    """
    if error.errno == errno.EADDRINUSE:
        return "plc.port_in_use"
    return "plc.port_not_permitted" if error.errno in (errno.EACCES, errno.EPERM) else "plc.cannot_listen"
